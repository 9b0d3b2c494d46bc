"""/api/v1/…/compare and /tensor-comparison."""

from collections.abc import Callable
from typing import Any

import pytest

from models_hub import gating, publishing, referencing, tensor_diffs
from models_hub.api import files
from models_hub.changes import PutFile
from models_hub.models import Repo
from portal.models import User
from tests.api.conftest import Caller
from tests.models_hub.test_compare_pages import CARD, floats, weights

pytestmark = pytest.mark.django_db
Api = Callable[..., Caller]
WHERE = "models/alice/bert/compare"


@pytest.fixture
def model(alice: User, make_repo: Callable[..., Repo]) -> Repo:
    """A model with a tag `v1`, after which everything changed."""
    before: dict[str, Any] = {
        "README.md": CARD % 0.8,
        "config.json": '{"hidden": 4}',
        "a.txt": "one\n",
        "model.safetensors": weights(same=floats(1, 2), moved=floats(3, 4, 0, 0), gone=floats(1)),
    }
    repo = make_repo(alice, "bert", files=before)
    referencing.create_tag(repo, by=alice, name="v1")
    after = {
        "README.md": (CARD % 0.85).replace("mit", "apache-2.0").encode(),
        "config.json": b'{"hidden": 8}',
        "a.txt": b"two\n",
        "model.safetensors": weights(same=floats(1, 2), moved=floats(3, 4, 5, 0)),
    }
    publishing.commit(
        repo=repo, by=alice, title="All of it", changes=[PutFile(name, content) for name, content in after.items()]
    )
    return repo


def test_lines_fields_keys_scores_and_tensors_are_compared(api: Api, model: Repo) -> None:
    found = api(None)("GET", f"{WHERE}/v1...main").json()
    assert (found["count"], found["ahead"], found["behind"], found["compared_with"]) == (4, 1, 0, found["base"]["id"])
    files = {one["path"]: one for one in found["files"]}
    assert files["a.txt"]["lines"][1:] == ["-one", "+two"]
    assert files["model.safetensors"]["lines"] is None
    assert [one["path"] for one in found["card"]["changes"]] == ["license"]
    assert found["configs"][0]["changes"] == [{"path": "hidden", "kind": "changed", "before": "4", "after": "8"}]
    assert found["scores"] == [{"dataset": "moods", "metric": "accuracy", "before": 0.8, "after": 0.85}]
    tensors = {one["name"]: (one["kind"], one["share"]) for one in found["tensors"]["changes"]}
    assert tensors == {"gone": ("removed", None), "moved": ("changed", 0.25)}
    assert (found["tensors"]["is_known"], found["tensors"]["same"]) == (True, 1)
    assert [one["title"] for one in found["commits"]] == ["All of it"]


def test_a_comparison_backwards_has_nothing_new(api: Api, model: Repo) -> None:
    assert api(None)("GET", f"{WHERE}/main...v1").json()["count"] == 0
    assert api(None)("GET", f"{WHERE}/main..v1").json()["count"] == 4
    assert api(None)("GET", f"{WHERE}/main...nowhere").status_code == 404


def test_large_weights_are_compared_by_a_job(api: Api, model: Repo, alice: User, monkeypatch: Any) -> None:
    monkeypatch.setattr(tensor_diffs, "AT_ONCE", 0)
    found = api(None)("GET", f"{WHERE}/v1...main").json()["tensors"]
    assert (found["is_known"], found["same"]) == (False, None)
    ask = "models/alice/bert/tensor-comparison/v1...main"
    assert api(None)("POST", ask).status_code == 401
    asked = api(alice)("POST", ask)
    assert (asked.status_code, asked.json()["kind"], asked.json()["state"]) == (202, "compare_tensors", "queued")


def test_files_of_a_gated_model_are_not_compared_for_strangers(
    api: Api, model: Repo, alice: User, charlie: User
) -> None:
    gating.set_gate(model, by=alice, gate="manual")
    assert api(charlie)("GET", f"{WHERE}/v1...main").status_code == 403
    assert api(charlie)("POST", "models/alice/bert/tensor-comparison/v1...main").status_code == 403


def test_half_characters_in_keys_break_nothing(api: Api, model: Repo, alice: User) -> None:
    odd = b'{"hidden": "\\ud800", "\\udfff": 1}'
    publishing.commit(repo=model, by=alice, title="Odd", changes=[PutFile("config.json", odd)])
    assert api(None)("GET", f"{WHERE}/v1...main").status_code == 200


def test_a_history_is_read_page_by_page(api: Api, model: Repo, alice: User, monkeypatch: Any) -> None:
    monkeypatch.setattr(files, "ON_PAGE", 2)
    publishing.commit(repo=model, by=alice, title="Third", changes=[PutFile("b.txt", b"b")])
    call, titles, place = api(None), [], "models/alice/bert/commits"
    while place:
        page = call("GET", place).json()
        titles.append([one["title"] for one in page["results"]])
        place = (page["next"] or "").partition("/api/v1/")[2]
    assert titles[0] == ["Third", "All of it"]
    assert titles[1][0] == "Add files"
    assert [len(one) for one in titles[:-1]] == [2] * (len(titles) - 1)


def test_a_history_may_be_that_of_a_path_or_of_a_tag(api: Api, model: Repo) -> None:
    def titles(query: str) -> list[str]:
        return [one["title"] for one in api(None)("GET", f"models/alice/bert/commits?{query}").json()["results"]]

    assert titles("path=a.txt") == ["All of it", "Add files"]
    assert titles("path=a.txt&revision=v1") == ["Add files"]
    assert api(None)("GET", "models/alice/bert/commits?revision=nowhere").status_code == 404
