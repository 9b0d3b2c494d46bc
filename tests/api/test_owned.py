"""/api/v1/deleted and /api/v1/storage: what an owner keeps."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from models_hub import quotas, trash
from models_hub.models import Deletion, Repo
from portal.models import AccessToken, Organization, User
from portal.models.tokens import Grant
from portal.reach import Level
from tests.api.conftest import Caller

pytestmark = pytest.mark.django_db
Api = Callable[..., Caller]
MakeRepo = Callable[..., Repo]


@pytest.fixture
def deletion(alice: User, make_repo: MakeRepo) -> Deletion:
    trash.delete(make_repo(alice, "bert", files={"a.txt": "one"}), by=alice)
    return Deletion.objects.get()


def test_a_deleted_one_is_listed_and_brought_back(api: Api, alice: User, make_repo: MakeRepo, deletion: Any) -> None:
    call, place = api(alice), f"deleted/alice/{deletion.pk}/restoration"
    [listed] = call("GET", "deleted/alice").json()["results"]
    assert (listed["name"], listed["kind"], listed["deleted_by"]) == ("alice/bert", "model", "alice")
    assert listed["gone_at"] > listed["deleted_at"]
    assert listed["bytes"] == quotas.held_by(deletion.repo) > 0
    make_repo(alice, "bert")
    assert call("POST", place).status_code == 409
    assert call("POST", place, {"name": "back"}).json()["name"] == "alice/back"
    assert call("GET", "deleted/alice").json()["results"] == []
    assert call("POST", place).status_code == 404


def test_it_is_gone_for_good_once_its_name_is_sent(api: Api, alice: User, deletion: Deletion) -> None:
    call, place = api(alice), f"deleted/alice/{deletion.pk}"
    assert call("DELETE", f"{place}?name=bert").status_code == call("DELETE", place).status_code == 400
    assert call("DELETE", f"{place}?name=alice/bert").status_code == 204
    assert not Repo.objects.exists()


def test_nobody_else_learns_of_what_was_deleted(api: Api, alice: User, charlie: User, deletion: Deletion) -> None:
    assert api(charlie)("GET", "deleted/alice").status_code == 403
    assert api(charlie)("POST", f"deleted/alice/{deletion.pk}/restoration").status_code == 403
    assert api(charlie)("POST", f"deleted/charlie/{deletion.pk}/restoration").status_code == 404
    assert api(None)("GET", "deleted/alice").status_code == 401


def test_a_list_of_deleted_ones_takes_as_many_questions_however_long(
    api: Api, alice: User, make_repo: MakeRepo, deletion: Deletion
) -> None:
    call, counts = api(alice), []
    call("GET", "deleted/alice")
    for name in ("two", "three"):
        with CaptureQueriesContext(connection) as asked:
            call("GET", "deleted/alice")
        counts.append(len(asked))
        trash.delete(make_repo(alice, name), by=alice)
    assert len(set(counts)) == 1


def test_storage_says_where_the_bytes_are(api: Api, alice: User, make_repo: MakeRepo, deletion: Deletion) -> None:
    make_repo(alice, "gpt", files={"b.txt": "two" * 100}, private=True)
    found = api(alice)("GET", "storage/alice").json()
    assert found["used"] == quotas.account_now(alice.namespace).used == found["large"] + found["git"]
    assert sum(one["bytes"] for one in found["repos"]) == found["used"]
    assert {one["name"]: (one["private"], one["is_deleted"]) for one in found["repos"]} == {
        "alice/gpt": (True, False), "alice/bert": (True, True)
    }  # fmt: skip
    assert found["next"] is None


def test_storage_is_for_who_belongs_there(
    api: Api, alice: User, bob: User, charlie: User, team: Organization, make_repo: MakeRepo
) -> None:
    repo = make_repo(alice, "bert")
    assert [api(user)("GET", "storage/team").status_code for user in (bob, charlie, None)] == [200, 403, 401]
    assert api(charlie)("GET", "storage/alice").status_code == api(charlie)("GET", "storage/nobody").status_code == 404
    given = Grant(repo.namespace, Level.MANAGE, "alice/bert", repo_id=repo.pk)
    secret = AccessToken.issue_fine_grained(user=alice, name="app", grants=[given], permissions=())[1]
    limited = api(None, headers={"authorization": f"Bearer {secret}"})
    assert (limited("GET", "storage/alice").status_code, limited("GET", "deleted/alice").status_code) == (404, 403)
