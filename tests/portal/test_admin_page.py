"""The administration: look and search; what it does, the verbs of the domain do."""

import pytest

from portal.models import AccessToken, Event, Job, User, WorkerNode
from tests.conftest import PASSWORD


@pytest.fixture
def root(db):
    return User.objects.create_superuser("root", "root@example.org", PASSWORD)


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
    assert as_user(morgan).get("/admin/portal/accesstoken/").status_code == 403


def test_signing_in_goes_through_the_page_with_limits(client, db):
    answer = client.get("/admin/", follow=True)
    assert answer.redirect_chain[-1][0].startswith("/accounts/login/?next=")


def test_people_who_are_not_staff_stay_outside(as_user, alice):
    assert as_user(alice).get("/admin/", follow=True).status_code == 403
