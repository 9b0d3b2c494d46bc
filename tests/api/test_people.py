"""/api/v1/me, /people and /organizations."""

from collections.abc import Callable

import pytest

from portal.models import AccessToken, Organization, User
from tests.api.conftest import Caller

pytestmark = pytest.mark.django_db
Api = Callable[..., Caller]


def test_a_person_reads_and_changes_the_own_profile(api: Api, alice: User) -> None:
    call = api(alice)
    assert call("GET", "me").json()["name"] == "alice"
    assert call("PATCH", "me", {"about": "I train models."}).json()["about"] == "I train models."
    assert api(None)("GET", "people/alice").json()["about"] == "I train models."
    assert api(None)("GET", "me").status_code == 401


def test_nothing_of_an_address_is_told(api: Api, alice: User) -> None:
    assert "example.org" not in api(None)("GET", "people/alice").content.decode()


def test_somebody_is_followed_and_no_longer(api: Api, alice: User, charlie: User) -> None:
    call = api(charlie)
    for _time in range(2):
        assert call("PUT", "me/following/alice").status_code == 204
    assert [row["name"] for row in call("GET", "people/alice/followers").json()["results"]] == ["charlie"]
    assert call("DELETE", "me/following/alice").status_code == 204
    assert call("GET", "people/alice/followers").json()["results"] == []


def test_an_organization_is_founded_and_described(api: Api, alice: User, charlie: User) -> None:
    call = api(alice)
    assert call("POST", "organizations", {"name": "lab", "title": "The Lab"}).status_code == 201
    assert call("PATCH", "organizations/lab", {"about": "Small things."}).json()["about"] == "Small things."
    assert api(charlie)("PATCH", "organizations/lab", {"about": "Mine."}).status_code == 403


def test_roles_are_given_by_admins(api: Api, alice: User, bob: User, team: Organization) -> None:
    assert api(bob)("PUT", "organizations/team/members/bob", {"role": "admin"}).status_code == 403
    assert api(alice)("PUT", "organizations/team/members/bob", {"role": "read"}).json()["role"] == "read"
    assert api(bob)("DELETE", "organizations/team/members/bob").status_code == 204
    rows = api(None)("GET", "organizations/team/members").json()["results"]
    assert [(row["person"]["name"], row["role"]) for row in rows] == [("alice", "admin")]


def test_a_limited_token_does_not_touch_accounts(api: Api, alice: User, team: Organization) -> None:
    secret = AccessToken.issue_fine_grained(user=alice, name="few", grants=[], permissions=["collections"])[1]
    call = api(None, headers={"authorization": f"Bearer {secret}"})
    assert call("PATCH", "me", {"about": "x"}).status_code == 403
    assert call("POST", "organizations", {"name": "lab"}).status_code == 403
    assert call("PATCH", "organizations/team", {"about": "x"}).status_code == 403
    assert call("PUT", "me/following/team").status_code == 403


def test_hidden_members_are_told_to_members_alone(api: Api, alice: User, bob: User, team: Organization) -> None:
    Organization.objects.update(members_public=False)
    for path in ("people/bob", "organizations/team/members"):
        assert "bob" in api(alice)("GET", path).content.decode()
    assert api(None)("GET", "people/bob").json()["organizations"] == []
    assert api(None)("GET", "organizations/team/members").json()["results"] == []
