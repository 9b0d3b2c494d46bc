"""/api/v1/…/restorations."""

from collections.abc import Callable

import pytest

from models_hub import gating, publishing, referencing
from models_hub.changes import PutFile
from models_hub.models import Repo
from portal.models import User
from tests.api.conftest import Caller

pytestmark = pytest.mark.django_db
Api = Callable[..., Caller]
WHERE = "models/alice/bert"


@pytest.fixture
def model(alice: User, make_repo: Callable[..., Repo]) -> Repo:
    """A model with a tag `v1`, after which both of its files changed."""
    repo = make_repo(alice, "bert", files={"a.txt": "one\n", "docs/b.txt": "one\n"})
    referencing.create_tag(repo, by=alice, name="v1")
    changes = [PutFile("a.txt", b"two\n"), PutFile("docs/b.txt", b"two\n")]
    publishing.commit(repo=repo, by=alice, title="Two", changes=changes)
    return repo


def test_a_version_is_brought_back_once(api: Api, model: Repo, alice: User) -> None:
    call = api(alice)
    first, again = (
        call("POST", f"{WHERE}/restorations", {"revision": "v1"}, idempotency_key="restore") for _time in range(2)
    )
    assert (first.status_code, first.json()["pull_request"]) == (201, None)
    assert first.json()["commit"]["title"].startswith("Restore the version of ")
    assert first.json() == again.json()
    assert call("GET", f"{WHERE}/compare/v1..main").json()["count"] == 0


def test_strangers_propose_a_part_of_it(api: Api, model: Repo, charlie: User) -> None:
    call, wish = api(charlie), {"revision": "v1", "path": "docs", "title": "Back"}
    assert call("POST", f"{WHERE}/restorations", wish).status_code == 403
    made = call("POST", f"{WHERE}/restorations", {**wish, "as_pull_request": True}).json()
    assert (made["pull_request"], made["commit"]["title"]) == (1, "Back")
    [changed] = call("GET", f"{WHERE}/compare/main..refs/pr/1").json()["files"]
    assert changed["path"] == "docs/b.txt"


def test_a_branch_that_moved_on_and_what_never_was_are_refused(api: Api, model: Repo, alice: User) -> None:
    call = api(alice)
    wish = {"revision": "v1", "parent": "0" * 40}
    assert call("POST", f"{WHERE}/restorations", wish).status_code == 412
    assert call("POST", f"{WHERE}/restorations", {"revision": "nowhere"}).status_code == 404
    assert call("POST", f"{WHERE}/restorations", {"revision": "v1", "path": "missing"}).status_code == 404


def test_the_gate_comes_first(api: Api, model: Repo, alice: User, charlie: User) -> None:
    gating.set_gate(model, by=alice, gate="manual")
    wish = {"revision": "v1", "as_pull_request": True}
    assert api(charlie)("POST", f"{WHERE}/restorations", wish).status_code == 403
