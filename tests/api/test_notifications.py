"""/api/v1/notifications."""

from collections.abc import Callable

import pytest

from portal import notifying
from portal.models import Inbox, User
from tests.api.conftest import Caller

pytestmark = pytest.mark.django_db
Api = Callable[..., Caller]


@pytest.fixture
def told(alice: User, bob: User) -> None:
    notifying.notify("follow", people=[alice], about=f"user:{bob.pk}", by=bob)
    notifying.notify("trust", people=[alice], about="", by=None, data={"before": 0, "after": 1, "path": "/trust"})


def test_the_inbox_is_read_and_filtered(api: Api, alice: User, told: None) -> None:
    call = api(alice)
    page = call("GET", "notifications").json()
    assert [(row["kind"], row["path"], row["people"]) for row in page["results"]] == [
        ("trust", "/trust", []),
        ("follow", "/bob", ["bob"]),
    ]
    assert page["next_before"] is None
    assert len(call("GET", "notifications?kind=follow&unread=true").json()["results"]) == 1
    assert call("GET", "notifications?before=x").status_code == 400
    assert api(None)("GET", "notifications").status_code == 401


def test_lines_are_taken_for_read(api: Api, alice: User, charlie: User, told: None) -> None:
    call = api(alice)
    first = call("GET", "notifications").json()["results"][0]["id"]
    assert api(charlie)("PUT", "notifications/reading", {"ids": [first]}).json() == {"unread": 0}
    assert call("GET", "notifications/unread").json() == {"unread": 2}
    assert call("PUT", "notifications/reading", {"ids": [first]}).json() == {"unread": 1}
    assert call("PUT", "notifications/reading", {}).json() == {"unread": 0}


def test_how_one_hears_of_things_is_chosen(api: Api, alice: User) -> None:
    call = api(alice)
    assert call("GET", "notifications/settings").json()["channels"]["reply"] == "mail"
    changed = call("PATCH", "notifications/settings", {"channels": {"reply": "nothing"}, "digest": "never"}).json()
    assert (changed["channels"]["reply"], changed["digest"]) == ("nothing", "never")
    assert Inbox.objects.get(user=alice).channels == {"reply": "nothing"}
    assert call("PATCH", "notifications/settings", {"channels": {"reply": "pigeon"}}).status_code == 400
