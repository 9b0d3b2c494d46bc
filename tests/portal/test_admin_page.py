"""The administration: look and search; what it does, the verbs of the domain do."""

import pytest
from allauth.mfa.models import Authenticator
from django.contrib import admin
from django.db import connection
from django.test.utils import CaptureQueriesContext

from forum import discussing
from portal import deciding, moderating
from portal.models import AccessToken, Event, Job, LogEntry, User, WorkerNode
from tests.conftest import PASSWORD


@pytest.fixture(autouse=True)
def guarded(settings):
    settings.ADMIN_SECOND_FACTOR = True


@pytest.fixture
def root(db):
    root = User.objects.create_superuser("root", "root@example.org", PASSWORD)
    Authenticator.objects.create(user=root, type="totp", data={})
    return root


@pytest.fixture
def rows(alice, team):
    """One row at least of each kind."""
    AccessToken.issue(user=alice, name="laptop", role="write")
    Job.enqueue("evaluate", spec={}, owner=alice, title="Evaluate")
    Event.record("job.cancelled", subject="job:1", by=alice)
    WorkerNode.hello("w1", queues=["cpu"], slots=1, capabilities={})


LISTS = ["user", "organization", "namespace", "accesstoken", "job", "event", "workernode"]


@pytest.mark.parametrize("name", LISTS)
def test_every_list_opens_and_can_be_searched(as_user, root, rows, name):
    assert as_user(root).get(f"/admin/portal/{name}/").status_code == 200
    assert as_user(root).get(f"/admin/portal/{name}/?q=a").status_code == 200


@pytest.mark.parametrize("name", LISTS)
def test_rows_are_looked_at_and_not_edited_by_hand(as_user, root, rows, name):
    browser = as_user(root)
    row = {"user": User, "accesstoken": AccessToken, "job": Job, "event": Event, "workernode": WorkerNode}.get(name)
    assert browser.get(f"/admin/portal/{name}/add/").status_code == 403
    if row is not None:
        path = f"/admin/portal/{name}/{row.objects.first().pk}/"
        assert browser.get(f"{path}change/").status_code == 200
        assert browser.post(f"{path}change/", {}).status_code == 403
        assert browser.post(f"{path}delete/", {"post": "yes"}).status_code == 403


def test_no_secret_is_shown(as_user, root, rows, alice):
    token = AccessToken.objects.get()
    browser = as_user(root)
    assert token.digest not in browser.get(f"/admin/portal/accesstoken/{token.pk}/change/").text
    assert alice.password not in browser.get(f"/admin/portal/user/{alice.pk}/change/").text


def act(browser, name, action, pk):
    return browser.post(f"/admin/portal/{name}/", {"action": action, "_selected_action": pk}, follow=True)


def test_tokens_are_revoked(as_user, root, rows):
    act(as_user(root), "accesstoken", "revoke_tokens", AccessToken.objects.get().pk)
    assert not AccessToken.objects.live().exists()


def test_jobs_are_cancelled_and_those_that_are_over_are_counted(as_user, root, rows, alice):
    job, browser = Job.objects.get(), as_user(root)
    act(browser, "job", "cancel_jobs", job.pk)
    assert Job.objects.get().state == Job.State.CANCELLED
    Job.objects.update(state=Job.State.SUCCEEDED)
    assert "1 job was over already" in act(browser, "job", "cancel_jobs", job.pk).text


def test_staff_without_the_permission_see_nothing(as_user, morgan, rows):
    Authenticator.objects.create(user=morgan, type="totp", data={})
    assert as_user(morgan).get("/admin/portal/accesstoken/").status_code == 403


def test_signing_in_goes_through_the_page_with_limits(client, db):
    answer = client.get("/admin/", follow=True)
    assert answer.redirect_chain[-1][0].startswith("/accounts/login/?next=")


def test_people_who_are_not_staff_stay_outside(as_user, alice):
    assert as_user(alice).get("/admin/", follow=True).status_code == 403


def test_staff_without_a_second_factor_are_led_to_set_one_up(as_user, root):
    root.authenticator_set.all().delete()
    answer = as_user(root).get("/admin/portal/user/", follow=True)
    assert answer.redirect_chain[-1][0] == "/accounts/2fa/"
    assert "asks for a second factor" in answer.text


def paths() -> list[str]:
    return [f"/admin/{model._meta.app_label}/{model._meta.model_name}/" for model in admin.site._registry]


def test_strangers_see_none_of_the_lists(as_user, client, alice):
    browser = as_user(alice)
    for path in paths():
        assert client.get(path).status_code == 302, path
        assert browser.get(path, follow=True).status_code == 403, path


def test_every_list_opens_with_as_many_queries_however_long_it_is(as_user, root, alice, bob, make_repo):
    """Rows of one kind after the other are doubled where a verb makes them; the rest is opened and searched."""
    browser = as_user(root)
    repo = make_repo(alice)

    def say() -> None:
        topic = discussing.open_discussion(repo=repo, by=bob, title="Hello", text="A word about it.")
        case = moderating.report(f"topic:{topic.pk}", by=alice, reason="spam")
        deciding.decide(case, by=root, action="nudge", version=case.version, text="Please do not.")

    def counted(path: str) -> int:
        with CaptureQueriesContext(connection) as asked:
            assert browser.get(path).status_code == 200, path
        return len(asked)

    say()
    browser.get("/admin/")
    before = {path: counted(path) for path in paths()}
    for _more in range(3):
        say()
    after = {path: counted(path) for path in paths()}
    assert {path: (before[path], n) for path, n in after.items() if n > before[path] and before[path] > 9} == {}
    assert max(after.values()) < 14
    for path in paths():
        assert browser.get(f"{path}?q=a").status_code == 200, path


def test_ledgers_are_looked_at_and_never_changed(as_user, root, alice):
    moderating.note("word.added", by=root, target="word:1")
    path = f"/admin/portal/logentry/{LogEntry.objects.get().pk}/"
    browser = as_user(root)
    assert browser.get(f"{path}change/").status_code == 200
    assert browser.post(f"{path}change/", {"action": "other"}).status_code == 403
    assert browser.post(f"{path}delete/", {"post": "yes"}).status_code == 403


def test_what_opens_accounts_is_not_there(as_user, root):
    names = {model.__name__ for model in admin.site._registry}
    assert not names & {"Authenticator", "SocialToken", "SocialApp", "UserSession", "EmailConfirmation"}
    for path in ("/admin/portal/invitation/", "/admin/models_hub/webhook/"):
        assert as_user(root).get(path).status_code == 200


def test_the_policy_of_its_pages_is_that_of_all_pages(as_user, root, client):
    page = as_user(root).get("/admin/")
    assert page["Content-Security-Policy"] == client.get("/")["Content-Security-Policy"]
    assert "<style" not in page.text
    assert all(' src="' in one for one in page.text.split("<script")[1:])
