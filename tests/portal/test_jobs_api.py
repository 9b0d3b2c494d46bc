"""/api/v1/jobs."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from portal.models import Job, User

pytestmark = pytest.mark.django_db
AsUser = Callable[[User | None], Client]


def enqueue(owner: User | None, **options: object) -> Job:
    return Job.enqueue("evaluate", spec={}, owner=owner, title="A job", **options)  # type: ignore[arg-type]


def start(job: Job) -> Job:
    claimed = Job.claim(job.pk, worker="one", lease=timedelta(seconds=30))
    assert claimed is not None
    return claimed


def test_a_person_lists_own_jobs_newest_first(as_user: AsUser, alice: User, charlie: User) -> None:
    first, second = enqueue(alice), enqueue(alice)
    enqueue(charlie)
    answer = as_user(alice).get("/api/v1/jobs").json()
    assert [job["id"] for job in answer["results"]] == [second.pk, first.pk]
    assert "no worker serves" in answer["results"][0]["explanation"]


def test_the_list_is_narrowed_down_by_state(as_user: AsUser, alice: User) -> None:
    enqueue(alice)
    running = start(enqueue(alice))
    answer = as_user(alice).get("/api/v1/jobs?state=leased").json()
    assert [job["id"] for job in answer["results"]] == [running.pk]


def test_the_list_goes_on_at_its_next_address(as_user: AsUser, alice: User) -> None:
    jobs = [enqueue(alice).pk for _ in range(3)]
    browser = as_user(alice)
    page = browser.get("/api/v1/jobs?limit=2").json()
    rest = browser.get(page["next"]).json()
    assert [job["id"] for job in page["results"] + rest["results"]] == jobs[::-1]
    assert rest["next"] is None


def test_the_list_costs_the_same_for_two_jobs_and_for_many(
    as_user: AsUser, alice: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(30):
        enqueue(alice)
    browser = as_user(alice)
    with django_assert_max_num_queries(6):
        browser.get("/api/v1/jobs")


def test_a_job_tells_all_about_itself(as_user: AsUser, alice: User) -> None:
    job = start(enqueue(alice))
    job.report(0.5, "half way")
    answer = as_user(alice).get(f"/api/v1/jobs/{job.pk}").json()
    assert (answer["state"], answer["progress"], answer["explanation"]) == ("running", 0.5, "half way")


def test_a_strangers_job_is_not_there(as_user: AsUser, alice: User, charlie: User) -> None:
    job = enqueue(alice)
    for method, path in (("get", ""), ("get", "/log"), ("post", "/cancellation")):
        answer = getattr(as_user(charlie), method)(f"/api/v1/jobs/{job.pk}{path}")
        missing = getattr(as_user(charlie), method)(f"/api/v1/jobs/987654321{path}")
        assert answer.status_code == missing.status_code == 404
        assert answer.json() == missing.json()


def test_nobody_sees_no_jobs(as_user: AsUser, alice: User) -> None:
    job = enqueue(alice)
    for path in ("", f"/{job.pk}", f"/{job.pk}/log"):
        answer = as_user(None).get(f"/api/v1/jobs{path}")
        assert (answer.status_code, answer.json()["code"]) == (401, "sign_in_required")


def test_an_owner_cancels(as_user: AsUser, alice: User) -> None:
    job = enqueue(alice)
    answer = as_user(alice).post(f"/api/v1/jobs/{job.pk}/cancellation")
    assert (answer.status_code, answer.json()["state"]) == (202, "cancelled")


def test_a_moderator_cancels_any_job(as_user: AsUser, alice: User, morgan: User) -> None:
    job = enqueue(alice)
    assert as_user(morgan).post(f"/api/v1/jobs/{job.pk}/cancellation").status_code == 202


def test_what_is_over_is_not_cancelled(as_user: AsUser, alice: User) -> None:
    job = start(enqueue(alice))
    job.finish({})
    answer = as_user(alice).post(f"/api/v1/jobs/{job.pk}/cancellation")
    assert (answer.status_code, answer.json()["code"]) == (409, "job_finished")


def test_a_read_token_looks_and_does_not_cancel(client: Client, alice: User, token_of: Callable[..., str]) -> None:
    job = enqueue(alice)
    header = {"Authorization": f"Bearer {token_of(alice, 'read')}"}
    assert client.get(f"/api/v1/jobs/{job.pk}", headers=header).status_code == 200
    assert client.post(f"/api/v1/jobs/{job.pk}/cancellation", headers=header).status_code == 403
    job.refresh_from_db()
    assert job.state == "queued"


def test_cancelling_from_a_browser_needs_the_csrf_token(alice: User) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(alice, backend="allauth.account.auth_backends.AuthenticationBackend")
    assert browser.post(f"/api/v1/jobs/{enqueue(alice).pk}/cancellation").status_code == 403


def test_the_log_goes_on_where_the_reader_stopped(as_user: AsUser, alice: User) -> None:
    job = start(enqueue(alice))
    job.log("one", "two")
    browser = as_user(alice)
    seen = browser.get(f"/api/v1/jobs/{job.pk}/log").json()
    job.log("three")
    rest = browser.get(f"/api/v1/jobs/{job.pk}/log?after={seen['lines'][-1]['seq']}").json()
    assert [line["text"] for line in seen["lines"]] == ["one", "two"]
    assert [line["text"] for line in rest["lines"]] == ["three"]
    assert not rest["is_finished"]


@pytest.mark.parametrize("after", ["x", "-1", "1.5", "9" * 30, "٣"])
def test_a_bad_place_in_the_log_is_refused(as_user: AsUser, alice: User, after: str) -> None:
    answer = as_user(alice).get(f"/api/v1/jobs/{enqueue(alice).pk}/log", {"after": after})
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")


def test_a_job_is_not_changed_by_other_methods(as_user: AsUser, alice: User) -> None:
    job = enqueue(alice)
    assert as_user(alice).delete(f"/api/v1/jobs/{job.pk}").status_code == 405
    assert as_user(alice).get(f"/api/v1/jobs/{job.pk}/cancellation").status_code == 405
