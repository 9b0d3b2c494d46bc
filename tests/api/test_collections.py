"""/api/v1/collections."""

from collections.abc import Callable

import pytest

from models_hub.models import Repo
from portal.models import User
from tests.api.conftest import Caller

pytestmark = pytest.mark.django_db
Api = Callable[..., Caller]


def test_a_collection_is_made_filled_and_deleted(api: Api, alice: User, make_repo: Callable[..., Repo]) -> None:
    make_repo(alice, "bert")
    call = api(alice)
    slug = call("POST", "collections", {"title": "Good ones"}).json()["slug"]
    item = call("POST", f"collections/{slug}/items", {"type": "model", "name": "alice/bert", "note": "fast"}).json()
    assert (item["name"], item["note"]) == ("alice/bert", "fast")
    assert call("PATCH", f"collections/{slug}/items/{item['id']}", {"note": "small"}).json()["note"] == "small"
    shown = call("PATCH", f"collections/{slug}", {"title": "Better ones"}).json()
    assert (shown["title"], shown["item_count"]) == ("Better ones", 1)
    assert call("DELETE", f"collections/{slug}/items/{item['id']}").status_code == 204
    assert call("DELETE", f"collections/{slug}").status_code == 204


def test_private_items_are_shown_to_those_who_may_see_them(
    api: Api, alice: User, charlie: User, make_repo: Callable[..., Repo]
) -> None:
    make_repo(alice, "secret", private=True)
    call = api(alice)
    slug = call("POST", "collections", {"title": "Mixed"}).json()["slug"]
    call("POST", f"collections/{slug}/items", {"type": "model", "name": "alice/secret"})
    assert call("GET", f"collections/{slug}").json()["item_count"] == 1
    seen = api(charlie)("GET", f"collections/{slug}").json()
    assert (seen["item_count"], seen["items"]) == (0, [])


def test_others_may_like_it_and_not_change_it(api: Api, alice: User, charlie: User) -> None:
    slug = api(alice)("POST", "collections", {"title": "Mine"}).json()["slug"]
    call = api(charlie)
    assert call("PUT", f"collections/{slug}/upvote").json()["upvotes"] == 1
    assert call("DELETE", f"collections/{slug}/upvote").json()["upvotes"] == 0
    assert call("PATCH", f"collections/{slug}", {"title": "Theirs"}).status_code == 403
    assert api(None)("PUT", f"collections/{slug}/upvote").status_code == 401


def test_the_list_shows_private_ones_to_their_owner_alone(api: Api, alice: User, charlie: User) -> None:
    api(alice)("POST", "collections", {"title": "Hidden", "private": True})
    api(alice)("POST", "collections", {"title": "Open"})
    assert [row["title"] for row in api(charlie)("GET", "collections").json()["results"]] == ["Open"]
    mine = api(alice)("GET", "collections?owner=alice").json()["results"]
    assert [row["title"] for row in mine] == ["Open", "Hidden"]
