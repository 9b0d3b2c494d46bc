"""Founding an organization, presenting it, and managing who is in it."""

import pytest
from allauth.mfa.models import Authenticator
from django.core import mail
from django.urls import reverse
from django.utils import timezone

from portal import permissions, proving_domains
from portal.models import Domain, Invitation, Membership, Organization, User
from tests.conftest import PASSWORD

MEMBERS = "/organizations/team/members"
PROFILE = "/organizations/team/profile"


def role_of(name: str) -> str | None:
    return Membership.objects.filter(user__username=name).values_list("role", flat=True).first()


def test_founding_makes_one_an_admin_and_leads_to_the_members(as_user, alice):
    answer = as_user(alice).post("/organizations/new", {"name": "tiny-lab", "title": "Tiny Lab"})
    assert answer["Location"] == "/organizations/tiny-lab/members"
    assert role_of("alice") == "admin"


@pytest.mark.parametrize(
    ("name", "status", "said"),
    [
        ("alice", 409, "taken"),
        ("ALICE", 409, "taken"),
        ("models", 400, "reserved"),
        ("a--b", 400, "may not contain"),
        ("", 400, "required"),
    ],
)
def test_a_name_that_cannot_be_had_is_refused_with_the_reason(as_user, alice, name, status, said):
    answer = as_user(alice).post("/organizations/new", {"name": name})
    assert answer.status_code == status
    assert said in answer.text
    assert not Organization.objects.exists()


def test_anonymous_readers_are_sent_to_sign_in(client, team):
    for path in ("/organizations/new", MEMBERS, PROFILE, "/settings/organizations"):
        assert client.get(path)["Location"].startswith("/accounts/login/")


def test_admins_see_the_tools_and_other_members_only_the_list(as_user, alice, bob, team):
    assert "Invite somebody" in as_user(alice).get(MEMBERS).text
    page = as_user(bob).get(MEMBERS).text
    assert "alice" in page
    assert "Invite somebody" not in page


def test_strangers_may_see_an_organization_but_not_its_tools(as_user, charlie, team):
    browser = as_user(charlie)
    assert browser.get(MEMBERS).status_code == 403
    assert browser.get(PROFILE).status_code == 403
    assert browser.post(MEMBERS, {"whom": "charlie", "role": "admin"}).status_code == 403
    assert role_of("charlie") is None


def test_an_admin_invites_by_name_whatever_its_case_and_the_person_accepts(as_user, alice, charlie, team):
    assert as_user(alice).post(MEMBERS, {"whom": "Charlie", "role": "read"}).status_code == 302
    assert role_of("charlie") is None
    browser = as_user(charlie)
    assert "The Team" in browser.get("/settings/organizations").text
    browser.post(f"/settings/invitations/{Invitation.objects.get().pk}")
    assert role_of("charlie") == "read"


def test_an_invitation_by_mail_is_opened_by_its_link_alone(as_user, alice, charlie, team):
    as_user(alice).post(MEMBERS, {"whom": "new@example.org", "role": "write"})
    path = "/join/" + mail.outbox[0].body.split("/join/")[1].split()[0]
    browser = as_user(charlie)
    assert "The Team" in browser.get(path).text
    browser.post(path)
    assert role_of("charlie") == "write"
    assert browser.get(path).status_code == 404


def test_an_address_with_an_account_is_invited_like_any_other(as_user, alice, charlie, team):
    browser = as_user(alice)
    known = browser.post(MEMBERS, {"whom": "charlie@example.org", "role": "read"}, follow=True)
    assert "charlie@example.org is invited" in known.text
    assert (
        "unknown@example.org is invited"
        in browser.post(MEMBERS, {"whom": "unknown@example.org", "role": "read"}, follow=True).text
    )


def test_nobody_else_answers_an_invitation_by_name(as_user, alice, charlie, morgan, team):
    Invitation.send(team, by=alice, role="read", user=charlie)
    assert as_user(morgan).post(f"/settings/invitations/{Invitation.objects.get().pk}").status_code == 404


def test_an_invitation_ends_with_its_days_when_declined_and_when_withdrawn(as_user, alice, charlie, team):
    for end in ("expire", "decline", "withdraw"):
        invitation, secret = Invitation.send(team, by=alice, role="read", user=charlie)
        if end == "expire":
            Invitation.objects.filter(pk=invitation.pk).update(expires_at=timezone.now())
        elif end == "decline":
            as_user(charlie).post(f"/join/{secret}", {"decline": "1"})
        else:
            as_user(alice).post(f"/organizations/team/invitations/{invitation.pk}/withdrawal")
        assert as_user(charlie).post(f"/join/{secret}").status_code == 404
    assert role_of("charlie") is None


def test_only_admins_invite_and_withdraw(as_user, alice, bob, charlie, team):
    invitation, _secret = Invitation.send(team, by=alice, role="read", user=charlie)
    assert as_user(bob).post(MEMBERS, {"whom": "morgan@example.org", "role": "read"}).status_code == 403
    path = f"/organizations/team/invitations/{invitation.pk}/withdrawal"
    assert as_user(bob).post(path).status_code == 403


def require_mfa(team: Organization) -> None:
    Organization.objects.filter(pk=team.pk).update(requires_mfa=True)
    team.refresh_from_db()


def test_members_without_a_second_factor_only_read_where_one_is_asked_for(as_user, alice, bob, make_repo, team):
    repo = make_repo(alice, namespace="team", private=True)
    require_mfa(team)
    assert team.role_of(bob) == "read"
    assert not permissions.can_write_in(bob, repo.namespace)
    assert "asks for two-factor authentication" in as_user(bob).get(MEMBERS).text
    Authenticator.objects.create(user=bob, type="totp", data={})
    assert team.role_of(bob) == "write"
    assert permissions.writers_among(repo.namespace, [alice.pk, bob.pk]) == {bob.pk}


def test_who_has_no_second_factor_cannot_ask_others_for_one(as_user, alice, team):
    answer = as_user(alice).post("/organizations/team/rules", {"requires_mfa": "on", "members_public": "on"})
    assert answer.status_code == 409
    assert "your own account first" in answer.text


def test_members_can_be_hidden_from_strangers(as_user, alice, bob, charlie, team):
    as_user(alice).post("/organizations/team/rules", {})
    assert 'href="/bob"' not in as_user(charlie).get("/team").text
    assert 'href="/team"' not in as_user(None).get("/bob").text
    assert 'href="/bob"' in as_user(alice).get("/team").text


def test_handing_over_asks_for_the_password_and_swaps_the_roles(as_user, alice, bob, team):
    browser = as_user(alice)
    path = "/organizations/team/handover"
    assert "reauthenticate" in browser.post(path, {"username": "bob"})["Location"]
    browser.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    browser.post(path, {"username": "bob"})
    assert (role_of("alice"), role_of("bob")) == ("write", "admin")


def test_a_domain_is_verified_by_its_record_or_file_and_shown(as_user, alice, client, team, monkeypatch):
    browser = as_user(alice)
    browser.post("/organizations/team/domains", {"name": "Example.org"})
    domain = Domain.objects.get()
    monkeypatch.setattr(proving_domains, "_file", lambda name: [])
    monkeypatch.setattr(proving_domains, "_records", lambda name: ["another"])
    browser.post(f"/organizations/team/domains/{domain.pk}/check")
    assert "example.org" not in client.get("/team").text
    monkeypatch.setattr(proving_domains, "_records", lambda name: [domain.proof])
    browser.post(f"/organizations/team/domains/{domain.pk}/check")
    assert "example.org" in client.get("/team").text
    monkeypatch.setattr(proving_domains, "_records", lambda name: [])
    browser.post(f"/organizations/team/domains/{domain.pk}/check")
    assert "example.org" not in client.get("/team").text


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "a b.org", "x", "http://example.org", "-a.org"])
def test_what_is_no_domain_is_refused(as_user, alice, team, name):
    assert as_user(alice).post("/organizations/team/domains", {"name": name}).status_code == 400


def test_strangers_and_writers_see_no_rules(as_user, bob, charlie, team):
    for person in (bob, charlie):
        assert as_user(person).get("/organizations/team/rules").status_code == 403


def test_nobody_is_added_by_a_name_that_nobody_has(as_user, alice, team):
    answer = as_user(alice).post(MEMBERS, {"whom": "nobody", "role": "read"})
    assert answer.status_code == 400
    assert "Nobody here has this account name" in answer.text


def test_a_writer_may_not_add_change_or_remove(as_user, bob, charlie, team):
    browser = as_user(bob)
    assert browser.post(MEMBERS, {"whom": "charlie", "role": "read"}).status_code == 403
    assert browser.post(f"{MEMBERS}/bob/role", {"role": "admin"}).status_code == 403
    assert browser.post(f"{MEMBERS}/alice/removal").status_code == 403
    assert (role_of("alice"), role_of("bob"), role_of("charlie")) == ("admin", "write", None)


def test_an_admin_changes_a_role(as_user, alice, team):
    as_user(alice).post(f"{MEMBERS}/bob/role", {"role": "admin"})
    assert role_of("bob") == "admin"


def test_a_role_that_does_not_exist_is_refused(as_user, alice, team):
    assert as_user(alice).post(f"{MEMBERS}/bob/role", {"role": "owner"}).status_code == 400
    assert as_user(alice).post(f"{MEMBERS}/bob/role").status_code == 400
    assert role_of("bob") == "write"


def test_an_admin_removes_a_member(as_user, alice, team):
    as_user(alice).post(f"{MEMBERS}/bob/removal")
    assert role_of("bob") is None


def test_a_member_leaves(as_user, bob, team):
    answer = as_user(bob).post(f"{MEMBERS}/bob/removal", follow=True)
    assert "You have left team" in answer.text
    assert role_of("bob") is None


@pytest.mark.parametrize(("action", "data"), [("removal", {}), ("role", {"role": "read"})])
def test_the_last_admin_stays_and_is_told_why(as_user, alice, team, action, data):
    answer = as_user(alice).post(f"{MEMBERS}/alice/{action}", data, follow=True)
    assert "needs at least one admin" in answer.text
    assert role_of("alice") == "admin"


def test_an_admin_may_go_when_another_one_stays(as_user, alice, bob, team):
    team.add(bob, role=Membership.Role.ADMIN, by=alice)
    as_user(alice).post(f"{MEMBERS}/alice/removal")
    assert role_of("alice") is None


def test_who_is_not_a_member_cannot_be_changed(as_user, alice, charlie, team):
    assert as_user(alice).post(f"{MEMBERS}/charlie/removal").status_code == 404
    assert as_user(alice).post(f"{MEMBERS}/charlie/role", {"role": "read"}).status_code == 404


def test_an_admin_changes_how_it_is_presented(as_user, alice, client, team):
    as_user(alice).post(PROFILE, {"title": "A Better Team", "about": "We shrink models."})
    page = client.get("/team").text
    assert "A Better Team" in page
    assert "We shrink models." in page


def test_a_text_that_is_too_long_is_refused(as_user, alice, team):
    assert as_user(alice).post(PROFILE, {"title": "x" * 121}).status_code == 400


def test_ones_organizations_are_listed_with_the_role(as_user, bob, charlie, team):
    assert "The Team" in as_user(bob).get("/settings/organizations").text
    assert "The Team" not in as_user(charlie).get("/settings/organizations").text


def test_an_organization_that_does_not_exist_is_not_found(as_user, alice):
    assert as_user(alice).get("/organizations/nobody/members").status_code == 404
    assert as_user(alice).get("/organizations/alice/members").status_code == 404


def test_wrong_methods_are_refused(as_user, alice, team):
    browser = as_user(alice)
    assert browser.get(f"{MEMBERS}/bob/removal").status_code == 405
    assert browser.get(f"{MEMBERS}/bob/role").status_code == 405
    assert browser.post("/settings/organizations").status_code == 405


def test_many_members_cost_no_more_queries(as_user, alice, team, django_assert_max_num_queries):
    for n in range(20):
        team.add(User.objects.create_user(f"member{n}"), role="read", by=alice)
    browser = as_user(alice)
    with django_assert_max_num_queries(6):
        browser.get(MEMBERS)


def test_many_organizations_cost_no_more_queries(as_user, alice, django_assert_max_num_queries):
    for n in range(20):
        Organization.found(name=f"team{n}", by=alice)
    browser = as_user(alice)
    with django_assert_max_num_queries(4):
        browser.get("/settings/organizations")
