"""Founding an organization, presenting it, and managing who is in it."""

import pytest

from portal.models import Membership, Organization, User

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
    assert "Add a member" in as_user(alice).get(MEMBERS).text
    page = as_user(bob).get(MEMBERS).text
    assert "alice" in page
    assert "Add a member" not in page


def test_strangers_may_see_an_organization_but_not_its_tools(as_user, charlie, team):
    browser = as_user(charlie)
    assert browser.get(MEMBERS).status_code == 403
    assert browser.get(PROFILE).status_code == 403
    assert browser.post(MEMBERS, {"username": "charlie", "role": "admin"}).status_code == 403
    assert role_of("charlie") is None


def test_an_admin_adds_a_member_by_name_whatever_its_case(as_user, alice, charlie, team):
    assert as_user(alice).post(MEMBERS, {"username": "Charlie", "role": "read"}).status_code == 302
    assert role_of("charlie") == "read"


def test_nobody_is_added_by_a_name_that_nobody_has(as_user, alice, team):
    answer = as_user(alice).post(MEMBERS, {"username": "nobody", "role": "read"})
    assert answer.status_code == 400
    assert "Nobody here has this account name" in answer.text


def test_a_writer_may_not_add_change_or_remove(as_user, bob, charlie, team):
    browser = as_user(bob)
    assert browser.post(MEMBERS, {"username": "charlie", "role": "read"}).status_code == 403
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
    with django_assert_max_num_queries(5):
        browser.get(MEMBERS)


def test_many_organizations_cost_no_more_queries(as_user, alice, django_assert_max_num_queries):
    for n in range(20):
        Organization.found(name=f"team{n}", by=alice)
    browser = as_user(alice)
    with django_assert_max_num_queries(3):
        browser.get("/settings/organizations")
