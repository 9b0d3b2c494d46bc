"""The account as a whole: name, picture, export, end, and the list of what happened to it."""

import io
import json
import zipfile
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from forum import discussing
from forum.models import Post
from models_hub.models import Repo
from portal.models import AccountExport, AuditEntry, Avatar, FormerName, Job, Namespace, Organization, User
from tests.conftest import PASSWORD
from tests.forum import pictures
from tests.worker.performing import perform
from worker import closing_accounts
from worker.attempts import Attempt
from worker.jobs import export_account


def confirmed(client: Client, name: str) -> Client:
    client.post(reverse("account_login"), {"login": name, "password": PASSWORD})
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    return client


@pytest.fixture
def browser(client, alice):
    """Alice, who has just given her password."""
    return confirmed(client, "alice")


def kinds(user: User) -> list[str]:
    return list(AuditEntry.objects.filter(account=user).order_by("id").values_list("kind", flat=True))


def test_sensitive_steps_ask_an_old_session_for_the_password(as_user, alice):
    old = as_user(alice)
    for step in ("name", "deletion", "exports"):
        assert "reauthenticate" in old.post(f"/settings/account/{step}", {"name": "eve", "typed": "alice"})["Location"]
    assert User.objects.get().username == "alice"


@pytest.mark.parametrize("page", ["account", "audit"])
def test_pages_are_for_people_who_are_signed_in(client, db, page):
    assert client.get(f"/settings/{page}")["Location"].startswith("/accounts/login/")


def test_a_new_name_leads_on_from_pages_and_repositories_of_the_old_one(browser, alice, make_repo):
    make_repo(alice)
    browser.post("/settings/account/name", {"name": "alicia"})
    anonymous = Client()
    assert anonymous.get("/alice")["Location"] == "/alicia"
    assert anonymous.get("/alice/bert")["Location"].endswith("/alicia/bert")
    assert anonymous.get("/alicia/bert").status_code == 200


def test_nobody_takes_a_name_that_somebody_had_but_its_bearer_may_go_back(browser, alice, bob):
    browser.post("/settings/account/name", {"name": "alicia"})
    assert not Namespace.is_free("Alice")
    browser.post("/settings/account/name", {"name": "alice"})
    assert User.objects.get(pk=alice.pk).username == "alice"
    assert list(FormerName.objects.values_list("lower", flat=True)) == ["alicia"]


@pytest.mark.parametrize(("name", "status"), [("bob", 409), ("BOB", 409), ("models", 400), ("a--b", 400), ("", 400)])
def test_a_name_that_cannot_be_had_changes_nothing(browser, alice, bob, name, status):
    assert browser.post("/settings/account/name", {"name": name}).status_code == status
    assert User.objects.get(pk=alice.pk).username == "alice"


def test_preferences_hold_in_every_browser(browser, alice):
    browser.post("/settings/account/preferences", {"language": "zh-hans", "theme": "dark"})
    other = Client()
    other.post(reverse("account_login"), {"login": "alice", "password": PASSWORD})
    page = other.get("/settings/account").text
    assert '<html lang="zh-hans" data-theme="dark">' in page


def test_a_picture_is_cleaned_shown_and_removed(browser, alice, client):
    data = pictures.telling()["png"]
    browser.post("/settings/avatar", {"picture": io.BytesIO(data)})
    answer = Client().get("/avatars/alice")
    assert answer["Content-Type"] == "image/png"
    assert pictures.SECRET not in answer.content
    assert "sandbox" in answer["Content-Security-Policy"]
    assert Client().get("/avatars/alice", headers={"if-none-match": answer["ETag"]}).status_code == 304
    browser.post("/settings/avatar", {"remove": "on"})
    assert Client().get("/avatars/alice")["Content-Type"] == "image/svg+xml"


@pytest.mark.parametrize("address", ["/avatars/alice", "/avatars/ALICE", "/avatars/alice.svg", "/avatars/former"])
def test_every_address_of_a_picture_has_the_one_that_was_chosen(client, alice, address):
    FormerName.objects.create(namespace=alice.namespace, lower="former")
    Avatar.choose(alice.namespace, pictures.PNG)
    assert client.get(address)["Content-Type"] == "image/png"


def test_a_name_that_ends_like_a_picture_has_its_own(client, alice):
    User.objects.create_user("alice.svg")
    Avatar.choose(alice.namespace, pictures.PNG)
    assert client.get("/avatars/alice.svg")["Content-Type"] == "image/svg+xml"


def test_programs_are_given_the_address_of_the_chosen_picture(client, alice):
    Avatar.choose(alice.namespace, pictures.PNG)
    told = client.get("/api/users/alice/overview").json()["avatarUrl"]
    assert client.get(told.removeprefix("http://testserver"))["Content-Type"] == "image/png"


@pytest.mark.parametrize("data", [b"<svg onload=alert(1)>", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"x" * 600_000])
def test_what_is_no_picture_is_refused(browser, alice, data):
    browser.post("/settings/avatar", {"picture": io.BytesIO(data)})
    assert not Avatar.objects.exists()


@pytest.mark.parametrize("link", ["javascript:alert(1)", "ftp://example.org", "https://e.org\n" * 6])
def test_links_lead_to_the_web_alone(browser, alice, link):
    answer = browser.post("/settings/profile", {"language": "en", "links": link})
    assert answer.status_code == 400


def test_deleting_needs_the_name_typed(browser, alice):
    assert browser.post("/settings/account/deletion", {"typed": "alic"}).status_code == 400
    assert User.objects.get().deletion_due_at is None


def test_the_only_admin_of_an_organization_stays(browser, alice, team):
    assert browser.post("/settings/account/deletion", {"typed": "alice"}).status_code == 409


def test_an_account_to_be_deleted_is_signed_out_its_tokens_rest_and_signing_in_keeps_it(browser, alice, token_of):
    header = {"authorization": f"Bearer {token_of(alice)}"}
    browser.post("/settings/account/deletion", {"typed": "alice"})
    assert browser.get("/settings/account").status_code == 302
    assert Client().get("/api/whoami-v2", headers=header).status_code == 401
    answer = browser.post(reverse("account_login"), {"login": "alice", "password": PASSWORD}, follow=True)
    assert "no longer to be deleted" in answer.text
    assert Client().get("/api/whoami-v2", headers=header).status_code == 200


def test_after_its_days_an_account_goes_with_its_repositories_and_leaves_its_posts(alice, bob, make_repo):
    theirs = make_repo(bob)
    make_repo(alice, "mine", files={"a.txt": "x"})
    discussing.open_discussion(repo=theirs, by=alice, title="Hello", text="A word that stays.")
    User.objects.filter(pk=alice.pk).update(deletion_due_at=timezone.now() + timedelta(days=1))
    assert closing_accounts.close_due() == 0
    User.objects.filter(pk=alice.pk).update(deletion_due_at=timezone.now() - timedelta(days=1))
    assert closing_accounts.close_due() == 1
    perform(Job.objects.get(kind="end_account").pk)
    assert not User.objects.filter(pk=alice.pk).exists()
    assert list(Repo.objects.values_list("name", flat=True)) == ["bert"]
    assert Post.objects.filter(text="A word that stays.", author=None).exists()


def exported(alice: User) -> AccountExport:
    export = AccountExport.ask(by=alice)
    job = Job.claim(export.job_id, worker="test", lease=timedelta(minutes=1))
    export_account.run(Attempt(job))
    export.refresh_from_db()
    return export


def test_an_export_holds_ones_own_data_without_secrets(browser, alice, bob, make_repo, token_of, settings, tmp_path):
    settings.DATA_DIR = tmp_path
    make_repo(bob, "hidden", private=True)
    make_repo(alice, "mine", private=True, files={"a.txt": "x"})
    secret = token_of(alice)
    export = exported(alice)
    answer = browser.get(f"/settings/account/exports/{export.pk}")
    file = zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content)))
    whole = "".join(file.read(name).decode() for name in file.namelist())
    assert json.loads(file.read("repositories.json"))[0]["name"] == "mine"
    assert json.loads(file.read("account.json"))[0]["email"] == "alice@example.org"
    assert "hidden" not in whole
    assert secret not in whole
    assert alice.password not in whole


def test_an_export_is_for_its_owner_alone_and_for_some_days(browser, alice, bob, settings, tmp_path):
    settings.DATA_DIR = tmp_path
    export = exported(alice)
    other = confirmed(Client(), "bob")
    assert other.get(f"/settings/account/exports/{export.pk}").status_code == 404
    AccountExport.objects.update(expires_at=timezone.now() - timedelta(minutes=1))
    assert browser.get(f"/settings/account/exports/{export.pk}").status_code == 404
    AccountExport.forget_over()
    assert not export.path.exists()


def test_only_one_export_is_made_at_a_time(browser, alice):
    browser.post("/settings/account/exports")
    browser.post("/settings/account/exports")
    assert AccountExport.objects.count() == 1


def test_the_audit_list_says_what_happened_and_from_where(client, alice, make_repo):
    login = reverse("account_login")
    client.post(login, {"login": "alice", "password": "wrong"}, headers={"user-agent": "Firefox on Linux"})
    client.post(login, {"login": "alice", "password": PASSWORD})
    client.post("/settings/tokens", {"name": "laptop", "role": "read"})
    repo = make_repo(alice)
    client.post(f"/{repo.path}/settings/visibility", {"private": "on"})
    Organization.found(name="lab", by=alice)
    found = kinds(alice)
    for kind in ("session.refused", "session.began", "token.created", "organization.founded"):
        assert kind in found
    page = client.get("/settings/audit").text
    assert "Failed sign-in" in page
    assert "127.0.0.1" in page
    assert "Firefox, Linux" in page
    assert "laptop" in page


def test_the_audit_list_is_ones_own_and_old_rows_go(as_user, alice, bob):
    AuditEntry.note("password.changed", account=bob, by=bob)
    assert "Password changed" not in as_user(alice).get("/settings/audit").text
    AuditEntry.objects.update(created_at=timezone.now() - timedelta(days=4000))
    AuditEntry.forget_over()
    assert not AuditEntry.objects.exists()


def test_a_token_from_another_address_is_noted_once(alice, token_of):
    header = {"authorization": f"Bearer {token_of(alice)}"}
    for address in ("10.0.0.1", "10.0.0.2", "10.0.0.2", "10.0.0.1", "10.0.0.2"):
        Client().get("/api/whoami-v2", headers=header, REMOTE_ADDR=address)
        alice.tokens.update(last_used_at=None)
    noted = AuditEntry.objects.filter(kind="token.used_elsewhere")
    assert sorted(noted.values_list("address", flat=True)) == ["10.0.0.1", "10.0.0.2"]
