"""What was found in pickles, as clients of the Hub read it: of files, and of a whole revision."""

import base64
import io
import json
import pickle
import zipfile

from models_hub import gating
from models_hub.hf_api import security
from models_hub.markup import pickles
from tests.models_hub.test_viewers_weights import torch_file
from tests.models_hub.wire import Wire

FILES = {
    "README.md": "# hello",
    "bad.pt": torch_file(b"cos\nsystem\n."),
    "good.pt": torch_file(b"ccollections\nOrderedDict\n."),
    "odd.pkl": b"cmypackage\nThing\n.",
    "none.bin": b"\x80\x04\x00",
    "zip.bin": b"PK\x03\x04" + bytes(40),
}
TREE = "/api/models/alice/bert/tree/main?expand=true"


def statuses(answer) -> dict[str, dict]:
    return {row["path"]: row["securityFileStatus"] for row in answer.json() if row["type"] == "file"}


def test_a_tree_with_more_told_says_what_was_found_in_pickles(alice, make_repo):
    make_repo(alice, files=FILES)
    found = statuses(Wire().get(TREE))
    assert {path: status["status"] for path, status in found.items()} == {
        ".gitattributes": "unscanned", "README.md": "unscanned", "bad.pt": "unsafe", "good.pt": "safe",
        "odd.pkl": "suspicious", "none.bin": "unscanned", "zip.bin": "error",
    }  # fmt: skip
    assert found["bad.pt"]["pickleImportScan"] == {
        "status": "unsafe",
        "pickleImports": [{"module": "os", "name": "system", "safety": "dangerous"}],
    }
    assert found["good.pt"]["pickleImportScan"]["pickleImports"][0]["safety"] == "innocuous"
    assert found["good.pt"]["avScan"] == {"status": "unscanned"}
    asked = Wire().post("/api/models/alice/bert/paths-info/main", {"paths": ["bad.pt"], "expand": True})
    assert statuses(asked) == {"bad.pt": found["bad.pt"]}
    assert "securityFileStatus" not in Wire().get(TREE.partition("?")[0]).json()[0]


def test_a_revision_names_its_files_with_something_to_know_of(alice, make_repo):
    make_repo(alice, files={path: data for path, data in FILES.items() if path != "none.bin"})
    shown = Wire().get("/api/models/alice/bert?securityStatus=True").json()["securityRepoStatus"]
    assert shown == {
        "scansDone": True,
        "filesWithIssues": [
            {"path": "bad.pt", "level": "unsafe"},
            {"path": "odd.pkl", "level": "suspicious"},
            {"path": "zip.bin", "level": "error"},
        ],
    }


def test_what_there_was_no_time_for_is_called_unscanned(alice, make_repo, monkeypatch):
    make_repo(alice, files=FILES)
    monkeypatch.setattr(security, "SECONDS", 0)
    assert {status["status"] for status in statuses(Wire().get(TREE)).values()} == {"unscanned"}
    assert not Wire().get("/api/models/alice/bert?securityStatus=1").json()["securityRepoStatus"]["scansDone"]


def test_nothing_is_told_of_files_that_one_may_not_download(alice, make_repo, token_of):
    repo = make_repo(alice, files=FILES)
    gating.set_gate(repo, by=alice, gate="manual")
    assert all("securityFileStatus" not in row for row in Wire().get(TREE).json())
    assert "securityRepoStatus" not in Wire().get("/api/models/alice/bert?securityStatus=true").json()
    assert statuses(Wire(token_of(alice)).get(TREE))["bad.pt"]["status"] == "unsafe"


def test_a_pickle_that_goes_on_behind_what_is_read_is_not_called_whole():
    harmless, long = pickle.dumps({"a": 1}), pickle.dumps("x" * 1000)
    data = base64.b64encode((harmless + long)[: len(harmless) + 500]).decode()
    assert json.loads(pickles.pickle_to_json(data))["is_whole"]
    assert not json.loads(pickles.pickle_to_json(data, is_cut=True))["is_whole"]


def test_of_many_pickles_in_one_file_none_is_left_out_unsaid(alice, make_repo):
    kept = io.BytesIO()
    with zipfile.ZipFile(kept, "w") as archive:
        for number in range(6):
            archive.writestr(f"archive/{number}.pkl", b"ccollections\nOrderedDict\n.")
    make_repo(alice, files={"many.pt": kept.getvalue()})
    assert statuses(Wire().get(TREE))["many.pt"]["status"] == "error"
