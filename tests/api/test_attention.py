"""/api/v1/…/watch, /downloads and /family, and /api/v1/saved-searches."""

from collections.abc import Callable

import pytest
from django.utils import timezone

from models_hub import attention
from models_hub.models import DownloadDay, Repo, SavedSearch
from models_hub.models.downloads import Client
from portal.models import AccessToken, User
from portal.models.tokens import Grant
from portal.reach import Level
from tests.api.conftest import Caller

pytestmark = pytest.mark.django_db
Api = Callable[..., Caller]
MakeRepo = Callable[..., Repo]


def test_a_model_is_watched_and_left(api: Api, alice: User, charlie: User, make_repo: MakeRepo) -> None:
    make_repo(alice, "bert")
    call = api(charlie)
    for method, watched in (("GET", False), ("PUT", True), ("PUT", True), ("GET", True), ("DELETE", False)):
        assert call(method, "models/alice/bert/watch").json() == {"watched": watched}
    assert api(None)("GET", "models/alice/bert/watch").json() == {"watched": False}
    assert api(None)("PUT", "models/alice/bert/watch").status_code == 401


def test_downloads_are_told_day_by_day_and_by_program(api: Api, alice: User, make_repo: MakeRepo) -> None:
    repo, today = make_repo(alice, "bert"), timezone.now().date()
    for client, count in ((Client.GIT, 3), (Client.LIBRARY, 6), (Client.BOT, 50)):
        DownloadDay.objects.create(repo=repo, day=today, client=client, count=count)
    found = api(None)("GET", "models/alice/bert/downloads").json()
    assert (found["total"], len(found["days"])) == (9, attention.DAYS)
    assert found["days"][-1] == {"day": today.isoformat(), "count": 9}
    assert found["clients"] == [{"client": "library", "count": 6}, {"client": "git", "count": 3}]
    assert found["apart"] == [{"client": "bot", "count": 50}]


def test_a_family_is_told_as_edges_without_what_is_private(
    api: Api, alice: User, charlie: User, make_repo: MakeRepo
) -> None:
    for name, base, private in (("base", "", False), ("middle", "base", True), ("focus", "middle", False),
                                ("child", "focus", False), ("hidden", "focus", True)):  # fmt: skip
        files = {"README.md": f"---\nbase_model: alice/{base}\nbase_model_relation: adapter\n---\n" if base else "#"}
        make_repo(alice, name, files=files, private=private)

    def edges(user: User) -> list[tuple[str, str, str, int, bool]]:
        found = api(user)("GET", "models/alice/focus/family").json()
        return [tuple(one.values()) for one in (*found["ancestors"], *found["descendants"])]

    up = ("alice/middle", "adapter", "alice/focus", 1)
    child = ("alice/focus", "adapter", "alice/child", 1, True)
    assert edges(charlie) == [(*up, False), child]
    assert sorted(edges(alice)) == sorted(
        [(*up, True), ("alice/base", "adapter", "alice/middle", 2, True), child,
         ("alice/focus", "adapter", "alice/hidden", 1, True)]
    )  # fmt: skip
    assert api(charlie)("GET", "models/alice/focus/family").json()["children"] == {"adapter": 1}
    assert api(charlie)("GET", "models/alice/middle/family").status_code == 404


def test_searches_are_kept_listed_and_forgotten(api: Api, alice: User, charlie: User, make_repo: MakeRepo) -> None:
    call, wish = api(alice), {"name": "Mine", "kind": "model", "query": "author=charlie&cursor=x"}
    made = call("POST", "saved-searches", wish)
    assert (made.status_code, made.json()["url"]) == (201, "/models?author=charlie")
    assert call("POST", "saved-searches", wish).status_code == 409
    make_repo(charlie, "bert")
    [listed] = call("GET", "saved-searches").json()["results"]
    assert (listed["id"], listed["new"]) == (made.json()["id"], 1)
    assert api(charlie)("GET", "saved-searches").json() == {"results": []}
    assert api(charlie)("DELETE", f"saved-searches/{listed['id']}").status_code == 404
    assert call("DELETE", f"saved-searches/{listed['id']}").status_code == 204
    assert not SavedSearch.objects.exists()


def test_a_limited_token_does_not_reach_searches(api: Api, alice: User, make_repo: MakeRepo) -> None:
    repo = make_repo(alice, "bert")
    given = Grant(repo.namespace, Level.MANAGE, "alice/bert", repo_id=repo.pk)
    secret = AccessToken.issue_fine_grained(user=alice, name="app", grants=[given], permissions=("collections",))[1]
    call = api(None, headers={"authorization": f"Bearer {secret}"})
    assert call("GET", "saved-searches").status_code == call("POST", "saved-searches", {}).status_code == 403
    assert api(None)("GET", "saved-searches").status_code == 401
