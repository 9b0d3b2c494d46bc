"""/api/v1/organizations/…/invitations, /domains, /rules and one's own invitations; the audit list; likes."""

from collections.abc import Callable

import pytest
from django.core import mail

from models_hub import liking
from models_hub.models import Repo
from portal import proving_domains
from portal.models import AccessToken, Domain, Invitation, Organization, User
from tests.api.conftest import Caller

pytestmark = pytest.mark.django_db
Api = Callable[..., Caller]


def test_somebody_is_invited_and_joins(api: Api, alice: User, charlie: User, team: Organization) -> None:
    sent = {"person": "Charlie", "role": "write"}
    made = api(alice)("POST", "organizations/team/invitations", sent, Idempotency_Key="k1")
    api(alice)("POST", "organizations/team/invitations", sent, Idempotency_Key="k1")
    assert (made.status_code, made.json()["whom"], len(mail.outbox)) == (201, "charlie", 1)
    [mine] = api(charlie)("GET", "me/invitations").json()["results"]
    assert (mine["organization"], mine["invited_by"]["name"]) == ("team", "alice")
    place = f"me/invitations/{mine['id']}/acceptance"
    assert api(alice)("POST", place).status_code == 404
    assert api(charlie)("POST", place, Idempotency_Key="k2").status_code == 204
    again = api(charlie)("POST", place, Idempotency_Key="k2")
    assert (again.status_code, again.headers["Idempotency-Replayed"]) == (204, "true")
    assert team.role_of(charlie) == "write"
    assert api(charlie)("POST", place).status_code == 404


def test_an_invitation_is_withdrawn_or_declined(api: Api, alice: User, charlie: User, team: Organization) -> None:
    call, place = api(alice), "organizations/team/invitations"
    first = call("POST", place, {"email": "dora@example.org"}).json()
    second = call("POST", place, {"person": "charlie"}).json()
    assert [row["whom"] for row in call("GET", place).json()["results"]] == ["charlie", "dora@example.org"]
    assert call("DELETE", f"{place}/{first['id']}").status_code == 204
    assert api(charlie)("DELETE", f"me/invitations/{second['id']}").status_code == 204
    assert call("GET", place).json()["results"] == []
    assert not Invitation.objects.pending().exists()
    for bad in ({}, {"person": "charlie", "email": "c@example.org"}, {"email": "none"}):
        assert call("POST", place, bad).status_code == 400
    assert call("POST", place, {"person": "nobody"}).status_code == 404
    assert call("POST", place, {"person": "bob"}).status_code == 409


def test_a_domain_is_claimed_checked_and_given_up(
    api: Api, alice: User, team: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    call, place = api(alice), "organizations/team/domains"
    made = call("POST", place, {"name": "Example.org"}).json()
    assert (made["name"], made["verified_at"]) == ("example.org", None)
    monkeypatch.setattr(proving_domains, "_records", lambda _name: [made["proof"]])
    assert call("POST", f"{place}/{made['id']}/check").json()["verified_at"] is not None
    assert [row["name"] for row in call("GET", place).json()["results"]] == ["example.org"]
    assert call("POST", place, {"name": "no domain"}).status_code == 400
    assert call("DELETE", f"{place}/{made['id']}").status_code == 204
    assert not Domain.objects.exists()


def test_rules_and_links_are_changed_one_by_one(api: Api, alice: User, team: Organization) -> None:
    call = api(alice)
    assert call("PATCH", "organizations/team/rules", {"members_public": True}).json() == {
        "requires_mfa": False, "members_public": True
    }  # fmt: skip
    assert call("GET", "organizations/team/rules").json()["members_public"]
    assert call("PATCH", "organizations/team/rules", {"requires_mfa": True}).status_code == 409
    links = ["https://example.org/"]
    assert call("PATCH", "organizations/team", {"links": links}).json()["links"] == links
    assert call("PATCH", "organizations/team", {"about": "Us"}).json()["links"] == links
    assert call("PATCH", "organizations/team", {"links": ["javascript:alert(1)"]}).status_code == 400


def test_only_admins_may(api: Api, alice: User, bob: User, team: Organization) -> None:
    domain = Domain.claim(team, "example.org", by=alice)
    invitation, _secret = Invitation.send(team, by=alice, role="read", email="dora@example.org")
    call, place = api(bob), "organizations/team"
    for method, address in (
        ("GET", "invitations"), ("POST", "invitations"), ("DELETE", f"invitations/{invitation.pk}"), ("GET", "domains"),
        ("POST", "domains"), ("DELETE", f"domains/{domain.pk}"), ("POST", f"domains/{domain.pk}/check"),
        ("GET", "rules"), ("PATCH", "rules"),
    ):  # fmt: skip
        assert call(method, f"{place}/{address}").status_code == 403, address
        assert api(None)(method, f"{place}/{address}").status_code == 401, address


def test_what_one_follows_likes_and_did_is_listed(
    api: Api, alice: User, charlie: User, team: Organization, make_repo: Callable[..., Repo]
) -> None:
    call = api(charlie)
    call("PUT", "me/following/alice")
    call("PUT", "me/following/team")
    followed = call("GET", "me/following").json()["results"]
    assert [(row["name"], row["is_organization"]) for row in followed] == [("team", True), ("alice", False)]
    liking.like(make_repo(alice, "bert"), by=charlie)
    hidden = make_repo(alice, "gpt")
    liking.like(hidden, by=charlie)
    Repo.objects.filter(pk=hidden.pk).update(private=True)
    assert [row["name"] for row in api(None)("GET", "people/charlie/likes").json()["results"]] == ["alice/bert"]
    User.objects.filter(pk=charlie.pk).update(shows_likes=False, shows_follows=False)
    for path in ("people/alice/followers", "people/team/followers"):
        assert api(None)("GET", path).json()["results"] == [], path
        assert [row["name"] for row in call("GET", path).json()["results"]] == ["charlie"], path
    assert api(None)("GET", "people/charlie/likes").json()["results"] == []
    assert api(None)("GET", "people/nobody/likes").status_code == 404
    AccessToken.issue(user=charlie, name="laptop", role="read")
    entries = call("GET", "me/audit").json()["results"]
    assert (entries[0]["text"], entries[0]["by"]) == ("Access token created", "charlie")
    assert api(alice)("GET", "me/audit").json()["results"] != entries
