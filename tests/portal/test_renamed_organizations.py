"""An organization takes another name, and what bore the old one leads on."""

import pytest
from django.test import Client
from django.urls import reverse

from models_hub.models import Repo
from portal.models import AuditEntry, Event, FormerName, Membership, Namespace, Organization
from tests.conftest import PASSWORD
from worker.consumers import renamed_accounts

ADDRESS = "/organizations/team/name"


def confirmed(name: str) -> Client:
    client = Client()
    client.post(reverse("account_login"), {"login": name, "password": PASSWORD})
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    return client


@pytest.fixture
def lead(alice, team) -> Client:
    """Alice, who leads the team and has just given her password."""
    return confirmed("alice")


def test_pages_and_repositories_lead_on_from_the_old_name(lead, alice, make_repo):
    make_repo(alice, namespace="team")
    assert lead.post(ADDRESS, {"name": "crew"})["Location"] == "/organizations/crew/rules"
    anonymous = Client()
    assert anonymous.get("/team")["Location"] == "/crew"
    assert anonymous.get("/team/bert")["Location"].endswith("/crew/bert")
    assert anonymous.get("/crew/bert").status_code == 200


@pytest.mark.parametrize("page", ["profile", "members", "rules", "storage", "deleted"])
def test_its_own_pages_are_found_by_the_old_name_too(lead, page):
    lead.post(ADDRESS, {"name": "crew"})
    assert f"/organizations/crew/{page}" in lead.get(f"/organizations/team/{page}").text


@pytest.mark.parametrize(
    "address",
    [
        "/api/organizations/team/overview",
        "/api/organizations/team/members",
        "/api/v1/organizations/team",
        "/api/v1/organizations/team/members",
    ],
)
def test_programs_find_it_by_the_old_name(lead, client, address):
    lead.post(ADDRESS, {"name": "crew"})
    assert client.get(address).status_code == 200


def test_members_keep_their_roles_and_the_new_name_is_written_to(lead, bob, make_repo):
    lead.post(ADDRESS, {"name": "crew"})
    assert make_repo(bob, "new", namespace="crew").full_name == "crew/new"
    assert Membership.objects.filter(organization__name="crew").count() == 2


def test_the_old_name_is_given_to_nobody_else_and_may_be_taken_back(lead):
    lead.post(ADDRESS, {"name": "crew"})
    assert not Namespace.is_free("TEAM")
    assert lead.post("/organizations/new", {"name": "Team"}).status_code == 409
    lead.post("/organizations/crew/name", {"name": "team"})
    assert list(FormerName.objects.values_list("lower", flat=True)) == ["crew"]


@pytest.mark.parametrize(
    ("name", "status"), [("bob", 409), ("BOB", 409), ("models", 400), ("a--b", 400), ("", 400), ("x" * 97, 400)]
)
def test_a_name_that_cannot_be_had_changes_nothing(lead, name, status):
    assert lead.post(ADDRESS, {"name": name}).status_code == status
    assert Organization.objects.get().name == Namespace.objects.get(organization__isnull=False).name == "team"


def test_it_is_renamed_only_some_times_a_year(lead):
    for before, name in (("team", "one"), ("one", "two"), ("two", "three")):
        assert lead.post(f"/organizations/{before}/name", {"name": name}).status_code == 302
    page = lead.post("/organizations/three/name", {"name": "four"})
    assert page.status_code == 409
    assert "3 times a year" in page.text


@pytest.mark.parametrize("who", ["bob", "charlie"])
def test_only_its_admins_rename_it(team, charlie, who):
    assert confirmed(who).post(ADDRESS, {"name": "crew"}).status_code == 403
    assert Organization.objects.get().name == "team"


def test_it_asks_an_old_session_for_the_password_and_nobody_to_sign_in(as_user, alice, team, client):
    assert "reauthenticate" in as_user(alice).post(ADDRESS, {"name": "crew"})["Location"]
    assert client.post(ADDRESS, {"name": "crew"})["Location"].startswith("/accounts/login/")
    assert Organization.objects.get().name == "team"


def test_it_stands_on_the_audit_list_and_the_names_are_indexed_anew(lead, alice, make_repo, client):
    repo = make_repo(alice, namespace="team")
    lead.post(ADDRESS, {"name": "newcrewname"})
    assert AuditEntry.objects.filter(account=alice, kind="organization.renamed", details__before="team").exists()
    assert repo.pk not in Repo.objects.matching("team").values_list("pk", flat=True)
    renamed_accounts.index(Event.objects.get(kind="organization.renamed"))
    assert "newcrewname/bert" in client.get("/models?search=newcrewname").text
