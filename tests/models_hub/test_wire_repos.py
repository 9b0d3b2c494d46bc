"""Repositories on the wire: create, delete, settings, info, lists."""

import json

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from models_hub import browsing, publishing
from models_hub.models import Repo
from models_hub.publishing import PutFile
from tests.models_hub.headers import LLAMA, TENSORS, gguf
from tests.models_hub.test_publishing import safetensors
from tests.models_hub.wire import LARGE, Wire

CARD = "---\nlicense: mit\nlanguage: zh\ntags:\n- tiny\nmodel-index: []\n---\n# Hi\n"


def test_whoami_tells_what_the_client_stores(alice, team, token_of):
    shown = Wire(token_of(alice)).get("/api/whoami-v2").json()
    assert (shown["type"], shown["name"], [o["name"] for o in shown["orgs"]]) == ("user", "alice", ["team"])
    assert shown["auth"]["accessToken"]["displayName"] == "test"
    assert shown["auth"]["accessToken"]["role"] == "write"
    assert Wire().get("/api/whoami-v2").status_code == 401


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"name": "m"}, ("model", "alice/m", False, "http://portal.example/alice/m")),
        ({"name": "m", "organization": None}, ("model", "alice/m", False, "http://portal.example/alice/m")),
        ({"name": "team/m"}, ("model", "team/m", False, "http://portal.example/team/m")),
        (
            {"name": "d", "organization": "team", "type": "dataset", "visibility": "private"},
            ("dataset", "team/d", True, "http://portal.example/datasets/team/d"),
        ),
        ({"name": "m", "private": True}, ("model", "alice/m", True, "http://portal.example/alice/m")),
        ({"name": "m", "visibility": "public"}, ("model", "alice/m", False, "http://portal.example/alice/m")),
    ],
)
def test_creating_a_repository(alice, team, token_of, body, expected):
    response = Wire(token_of(alice)).post("/api/repos/create", body)
    assert response.status_code == 200
    repo = Repo.objects.get()
    assert (repo.kind, repo.full_name, repo.private, response.json()["url"]) == expected


def test_a_repository_that_exists_is_named_in_the_conflict(alice, make_repo, token_of):
    make_repo(alice)
    response = Wire(token_of(alice)).post("/api/repos/create", {"name": "BERT"})
    assert response.status_code == 409
    assert response.json()["url"] == "http://portal.example/alice/bert"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"name": "x", "type": "space"}, 400), ({"name": "a--b"}, 400), ({"name": "x", "organization": "bob"}, 403),
        ({"name": "x", "visibility": "secret"}, 400), ({"name": "x", "private": "yes"}, 400), ({}, 400),
    ],
)  # fmt: skip
def test_a_wrong_wish_creates_nothing(alice, bob, token_of, body, status):
    assert Wire(token_of(alice)).post("/api/repos/create", body).status_code == status
    assert not Repo.objects.exists()


def test_deleting_a_repository(alice, charlie, make_repo, token_of):
    make_repo(alice)
    owner, stranger = Wire(token_of(alice)), Wire(token_of(charlie))
    assert stranger.call("DELETE", "/api/repos/delete", {"name": "bert", "organization": "alice"}).status_code == 403
    assert owner.call("DELETE", "/api/repos/delete", {"name": "bert", "type": "dataset"}).status_code == 404
    assert owner.call("DELETE", "/api/repos/delete", {"name": "bert"}).status_code == 200
    assert owner.call("DELETE", "/api/repos/delete", {"name": "bert"})["X-Error-Code"] == "RepoNotFound"


def test_settings_change_visibility(alice, make_repo, token_of):
    make_repo(alice)
    wire = Wire(token_of(alice))
    assert wire.call("PUT", "/api/models/alice/bert/settings", {"private": True}).status_code == 200
    assert Wire().get("/api/models/alice/bert").status_code == 401
    assert wire.call("PUT", "/api/models/alice/bert/settings", {"visibility": "public"}).status_code == 200
    assert Wire().get("/api/models/alice/bert").status_code == 200


def test_info_has_what_clients_read(alice, make_repo):
    config = json.dumps({"architectures": ["BertForMaskedLM"], "model_type": "bert"})
    files = {"README.md": CARD, "config.json": config, "model.safetensors": safetensors(w=[5]), "d/x.bin": LARGE}
    repo = make_repo(alice, files=files)
    info = Wire().get("/api/models/Alice/BERT?blobs=true").json()
    assert (info["id"], info["modelId"]) == ("alice/bert", "alice/bert")
    assert (info["author"], info["sha"]) == ("alice", repo.head)
    assert (info["pipeline_tag"], info["library_name"]) == ("fill-mask", "transformers")
    assert info["tags"] == ["transformers", "safetensors", "bert", "fill-mask", "tiny", "zh", "license:mit"]
    assert info["safetensors"] == {"parameters": {"F32": 5}, "total": 5}
    assert (info["cardData"]["license"], info["model-index"]) == ("mit", [])
    assert info["config"] == {"architectures": ["BertForMaskedLM"], "model_type": "bert"}
    assert info["transformersInfo"]["auto_model"] == "AutoModelForMaskedLM"
    assert (info["private"], info["gated"], info["disabled"]) == (False, False, False)
    assert len(info["lastModified"]) == len("2024-05-01T12:34:56.000Z")
    assert info["lastModified"].endswith("Z")
    siblings = {s["rfilename"]: s for s in info["siblings"]}
    assert list(siblings) == [".gitattributes", "README.md", "config.json", "d/x.bin", "model.safetensors"]
    assert siblings["d/x.bin"]["size"] == siblings["d/x.bin"]["lfs"]["size"] == len(LARGE)
    assert (siblings["d/x.bin"]["lfs"]["pointerSize"], "lfs" in siblings["README.md"]) == (128, False)
    plain = Wire().get("/api/models/alice/bert").json()
    assert plain["siblings"][1] == {"rfilename": "README.md"}


@pytest.mark.parametrize("card", ["", "---\nlibrary_name: transformers\n---\n"])
def test_an_adapter_is_found_by_its_base_model(alice, make_repo, card):
    adapter = json.dumps({"base_model_name_or_path": "alice/base", "peft_type": "LORA"})
    make_repo(alice, "adapter", files={"README.md": card or "# Adapter", "adapter_config.json": adapter})
    info = Wire().get("/api/models/alice/adapter").json()
    assert info["library_name"] == "peft"
    assert {"peft", "base_model:alice/base"} <= set(info["tags"])
    assert info["config"] == {"peft": {"base_model_name_or_path": "alice/base"}}
    assert Wire().get("/api/models/alice/adapter?expand=baseModels").json()["baseModels"] == ["alice/base"]
    assert [row["id"] for row in Wire().get("/api/models?filter=base_model:alice/base").json()] == ["alice/adapter"]


@pytest.mark.parametrize("base", ["/home/alice/base", "base", "../x", 5, ["a/b"]])
def test_an_adapter_of_no_repository_names_no_base(alice, make_repo, base):
    make_repo(alice, "adapter", files={"adapter_config.json": json.dumps({"base_model_name_or_path": base})})
    info = Wire().get("/api/models/alice/adapter").json()
    assert info["library_name"] == "peft"
    assert not any(tag.startswith("base_model:") for tag in info["tags"])


def test_info_of_an_older_revision_describes_that_revision(alice, make_repo):
    repo = make_repo(alice, files={"README.md": CARD})
    old = repo.head
    publishing.commit(repo=repo, by=alice, changes=[PutFile("README.md", b"---\nlicense: gpl\n---\n")], title="t")
    now, before = (Wire().get(f"/api/models/alice/bert/revision/{r}").json() for r in ("main", old))
    assert (now["cardData"]["license"], before["cardData"]["license"]) == ("gpl", "mit")
    assert (before["sha"], "license:mit" in before["tags"]) == (old, True)
    missing = Wire().get("/api/models/alice/bert/revision/nope")
    assert (missing.status_code, missing["X-Error-Code"]) == (404, "RevisionNotFound")


def test_a_slash_in_a_revision_is_one_segment(alice, make_repo, token_of):
    make_repo(alice, files={"a/b.txt": "x"})
    wire = Wire(token_of(alice))
    assert wire.post("/api/models/alice/bert/branch/feature%2Fx", {}).status_code == 201
    assert wire.get("/api/models/alice/bert/revision/feature%2Fx").status_code == 200
    assert wire.get("/api/models/alice/bert/tree/feature%2Fx/a").json()[0]["path"] == "a/b.txt"
    assert wire.get("/alice/bert/resolve/feature%2Fx/a/b.txt").status_code == 200
    assert wire.get("/alice/bert/resolve/feature%2Fx/a%2Fb.txt").status_code == 200
    assert wire.get("/api/models/alice/bert/revision/refs%2Fpr%2F1")["X-Error-Code"] == "RevisionNotFound"
    assert wire.get("/api/models/alice/bert/revision/refs%2Fheads%2Ffeature%2Fx").status_code == 200


def test_without_the_raw_path_references_of_the_hub_still_resolve(alice, make_repo, client):
    make_repo(alice)
    response = client.get("/api/models/alice/bert/revision/refs%2Fpr%2F1")
    assert response["X-Error-Code"] == "RevisionNotFound"
    assert client.get("/api/models/alice/bert/revision/main").status_code == 200


def test_expand_returns_the_asked_fields_alone(alice, make_repo):
    make_repo(alice, files={"README.md": CARD})
    shown = Wire().get("/api/models/alice/bert?expand=sha&expand=cardData&expand[]=likes").json()
    assert set(shown) == {"_id", "id", "sha", "cardData", "likes"}
    # InferenceClient takes the first of a list, and says that there is none where there is no list.
    none = Wire().get("/api/models/alice/bert?expand=inferenceProviderMapping").json()
    assert none["inferenceProviderMapping"] is None


MODEL_KEYS = (
    "author baseModels cardData childrenModelCount config createdAt disabled downloads downloadsAllTime evalResults "
    "gated gguf inference inferenceProviderMapping lastModified library_name likes mask_token model-index pipeline_tag "
    "private resourceGroup safetensors sha siblings spaces tags transformersInfo trendingScore usedStorage widgetData "
    "gitalyUid xetEnabled"
).split()
DATASET_KEYS = (
    "author cardData citation createdAt description disabled downloads downloadsAllTime gated lastModified likes "
    "mainSize paperswithcode_id private resourceGroup sha siblings tags trendingScore usedStorage gitalyUid xetEnabled"
).split()


@pytest.mark.parametrize(("kind", "keys"), [("models", MODEL_KEYS), ("datasets", DATASET_KEYS)])
def test_an_unknown_field_is_refused_before_anything_else(alice, make_repo, kind, keys):
    for path in (f"/api/{kind}/no/body", f"/api/{kind}"):
        response = Wire().get(f"{path}?expand=foo")
        assert (response.status_code, response.json()["error"]) == (400, f'"expand" must be one of [{", ".join(keys)}]')
    make_repo(alice, kind=kind.removesuffix("s"))
    every = "&".join(f"expand={key}" for key in keys)
    assert set(Wire().get(f"/api/{kind}/alice/bert?{every}").json()) == {"_id", "id", *keys}
    assert set(Wire().get(f"/api/{kind}?{every}").json()[0]) == {"_id", "id", *keys}


def ids(response):
    return [row["id"] for row in response.json()]


def test_lists_filter_sort_and_hide(alice, charlie, make_repo, token_of):
    make_repo(alice, "tiny-bert", files={"README.md": CARD})
    make_repo(alice, "secret", private=True)
    make_repo(charlie, "gpt", files={"README.md": "---\npipeline_tag: text-generation\n---\n"})
    make_repo(charlie, "words", kind="dataset", files={"README.md": "---\nlicense: mit\nlanguage: zh\n---\n"})
    wire = Wire()
    assert ids(wire.get("/api/models")) == ["charlie/gpt", "alice/tiny-bert"]
    assert ids(Wire(token_of(alice)).get("/api/models?author=alice")) == ["alice/secret", "alice/tiny-bert"]
    assert ids(wire.get("/api/models?search=TINY")) == ["alice/tiny-bert"]
    assert ids(wire.get("/api/models?filter=license:mit&filter=zh")) == ["alice/tiny-bert"]
    assert ids(wire.get("/api/models?filter=license:mit,en")) == []
    assert ids(wire.get("/api/models?pipeline_tag=text-generation")) == ["charlie/gpt"]
    assert ids(wire.get("/api/models?author=nobody")) == []
    assert ids(wire.get("/api/datasets?filter=language:zh")) == ["charlie/words"]
    assert ids(wire.get("/api/models?gated=true")) == []
    assert ids(wire.get("/api/models?gated=false&limit=1")) == ["charlie/gpt"]
    assert wire.get("/api/models?sort=color").status_code == 400
    assert wire.get("/api/models?num_parameters=many").status_code == 400


def test_lists_narrow_by_number_of_parameters(alice, make_repo):
    make_repo(alice, "small", files={"model.safetensors": safetensors(w=[10])})
    make_repo(alice, "large", files={"model.safetensors": safetensors(w=[3000])})
    assert ids(Wire().get("/api/models?num_parameters=min:1K")) == ["alice/large"]
    assert ids(Wire().get("/api/models?num_parameters=min:5,max:0.1K")) == ["alice/small"]


@pytest.mark.parametrize("sort", ["lastModified", "createdAt", "downloads", "likes", "trendingScore"])
def test_pages_follow_absolute_links_and_lose_nothing(alice, make_repo, sort):
    for n in range(7):
        repo = make_repo(alice, f"m{n}")
        Repo.objects.filter(pk=repo.pk).update(downloads=n % 3, likes=n % 2)
    seen, address = [], f"/api/models?sort={sort}&limit=3&filter="
    while address:
        response = Wire().get(address)
        seen += ids(response)
        link = response.get("Link", "")
        assert not link or link.startswith("<http://portal.example/api/models?")
        address = link.partition(">")[0].removeprefix("<http://portal.example")
    everything = ids(Wire().get(f"/api/models?sort={sort}"))
    assert seen == everything
    assert len(set(seen)) == 7


CURSORS = ["x", "AAAA", "W10", "WzEsMl0", "WyJ4IiwyXQ", "WzFd", "bnVsbA", "W251bGwsMV0", "=" * 9000]


@pytest.mark.parametrize("cursor", CURSORS)
def test_a_made_up_cursor_does_no_harm(alice, make_repo, cursor):
    make_repo(alice)
    assert Wire().get(f"/api/models?cursor={cursor}").status_code == 200
    assert Wire().get(f"/api/models/alice/bert/tree/main?cursor={cursor}").status_code == 200
    assert Wire().get(f"/api/models/alice/bert/commits/main?cursor={cursor}").status_code == 200


def test_a_list_costs_the_same_however_long(alice, make_repo, django_assert_num_queries):
    for n in range(12):
        make_repo(alice, f"m{n}", files={"README.md": CARD})
    for limit in (2, 12):
        with django_assert_num_queries(2):
            Wire().get(f"/api/models?limit={limit}&cardData=true&config=true")


def test_a_full_list_has_siblings(alice, make_repo):
    make_repo(alice, files={"a.txt": "x"})
    row = Wire().get("/api/models?full=true").json()[0]
    assert {"rfilename": "a.txt"} in row["siblings"]
    assert row["sha"] == browsing.resolve_revision(Repo.objects.get(), "main").oid


@pytest.mark.parametrize(
    ("content", "status", "warnings"),
    [
        (CARD, 200, 0), ("no metadata", 200, 1), ("", 200, 1), ("---\nmodel-index: foo\n---\n", 400, 0),
        ("---\na: [\n---\n", 400, 0), ("x" * 1_100_000, 400, 0), ("\ud800", 400, 0),
    ],
)  # fmt: skip
def test_the_card_check_is_always_json(db, content, status, warnings):
    response = Wire().post("/api/validate-yaml", {"content": content, "repoType": "model"})
    assert (response.status_code, len(response.json()["warnings"])) == (status, warnings)
    assert bool(response.json()["errors"]) == (status == 400)


def test_branches_and_tags_on_the_wire(alice, make_repo, token_of):
    repo = make_repo(alice)
    wire, base = Wire(token_of(alice)), "/api/models/alice/bert"
    assert wire.post(f"{base}/branch/dev", {"startingPoint": repo.head}).status_code == 201
    conflict = wire.post(f"{base}/branch/dev", {})
    assert (conflict.status_code, conflict.json()["error"]) == (409, "Reference refs/heads/dev already exists")
    assert wire.post(f"{base}/branch/dev2", {"startingPoint": "no"})["X-Error-Code"] == "RevisionNotFound"
    assert wire.post(f"{base}/tag/dev", {"tag": "v1", "message": "m"}).status_code == 201
    assert wire.post(f"{base}/tag/dev", {"tag": "v1"}).status_code == 409
    assert wire.post(f"{base}/tag/dev", {"tag": "a b"}).status_code == 400
    shown = wire.get(f"{base}/refs?include_prs=1").json()
    assert shown["tags"] == [{"name": "v1", "ref": "refs/tags/v1", "targetCommit": repo.head}]
    assert ([b["name"] for b in shown["branches"]], shown["pullRequests"]) == (["dev", "main"], [])
    assert wire.call("DELETE", f"{base}/branch/main").json()["error"] == "Cannot delete refs/heads/main"
    missing = wire.call("DELETE", f"{base}/branch/v1")
    assert (missing.status_code, missing.json()["error"]) == (404, "Invalid rev id")
    assert wire.call("DELETE", f"{base}/tag/dev")["X-Error-Code"] == "RevisionNotFound"
    assert wire.call("DELETE", f"{base}/tag/v1").status_code == 200
    assert wire.call("DELETE", f"{base}/branch/dev").status_code == 200


def test_names_of_files_are_told_without_looking_up_their_sizes(alice, make_repo):
    make_repo(alice, "bert", files={"a.txt": "a", "d/b.bin": LARGE})
    with CaptureQueriesContext(connection) as queries:
        shown = Wire().get("/api/models/alice/bert?expand=siblings").json()["siblings"]
    assert [row["rfilename"] for row in shown] == [".gitattributes", "a.txt", "d/b.bin"]
    assert not [query for query in queries if "models_hub_blob" in query["sql"]]


def test_a_gguf_header_is_told_to_clients(alice, make_repo):
    make_repo(alice, "tiny", files={"tiny.gguf": gguf(LLAMA, TENSORS)})
    info = Wire().get("/api/models/alice/tiny?expand=gguf&expand=safetensors").json()
    assert info["gguf"] == {"total": 77056, "architecture": "llama", "context_length": 2048}
    assert info["safetensors"] is None
