"""Jobs as people see them: state, reason, place in the queue, log; live and without JavaScript."""

from datetime import timedelta

import pytest

from portal.models import Duty, Job, WorkerNode
from portal.models.workers import RELAY

LEASE = timedelta(minutes=5)
HTMX = {"hx-request": "true"}


def enqueue(owner, title="Evaluate alice/bert", **spec) -> Job:
    return Job.enqueue("evaluate", spec=spec, owner=owner, title=title)


def start(job: Job) -> Job:
    return Job.claim(job.pk, worker="w1", lease=LEASE)


@pytest.fixture
def online(db):
    """A worker and the relay are there."""
    WorkerNode.hello("w1", queues=["cpu"], slots=2, capabilities={"isolation": "bubblewrap"})
    Duty.take(RELAY, holder="r1", span=LEASE)


@pytest.fixture
def job(alice):
    return enqueue(alice)


def test_a_job_leads_to_what_it_is_for(as_user, alice, morgan):
    cancelled = enqueue(alice, url="/runs/7")
    cancelled.cancel(by=alice)
    assert 'id="job-subject" href="/runs/7"' in as_user(alice).get(f"/jobs/{cancelled.pk}").text
    assert "/runs/7" not in as_user(morgan).get(f"/jobs/{cancelled.pk}").text
    assert "job-subject" not in as_user(alice).get(f"/jobs/{enqueue(alice, url='//elsewhere.example').pk}").text


def test_the_list_shows_ones_own_jobs_newest_first(as_user, alice, bob):
    enqueue(alice, "First")
    enqueue(bob, "Of somebody else")
    enqueue(alice, "Second")
    page = as_user(alice).get("/jobs").text
    assert page.index("Second") < page.index("First")
    assert "Of somebody else" not in page


def test_an_empty_list_says_what_to_do(as_user, alice):
    assert "Choose a model to evaluate" in as_user(alice).get("/jobs").text


def test_older_jobs_are_a_page_away(as_user, alice):
    jobs = [enqueue(alice, f"Title {n:03}") for n in range(31)]
    browser = as_user(alice)
    first = browser.get("/jobs").text
    assert "Title 000" not in first
    assert f"?before={jobs[1].pk}" in first
    assert "Title 000" in browser.get(f"/jobs?before={jobs[1].pk}").text


@pytest.mark.parametrize("before", ["x", "-1", "9" * 40, "1.5", "²"])
def test_a_nonsense_page_is_the_first_one(as_user, job, alice, before):
    assert as_user(alice).get("/jobs", {"before": before}).status_code == 200


def test_staff_see_everybodys_jobs_and_the_workers(as_user, morgan, job, online):
    page = as_user(morgan).get("/jobs?all=1").text
    assert f"#{job.pk}" in page
    assert "bubblewrap" in page


def test_staff_do_not_read_what_the_jobs_of_others_are_about(as_user, morgan, job):
    start(job).log("reading alice/bert")
    for address in ("/jobs?all=1", f"/jobs/{job.pk}", f"/api/v1/jobs/{job.pk}", "/api/v1/jobs"):
        assert "alice/bert" not in as_user(morgan).get(address).text
    assert as_user(morgan).get(f"/api/v1/jobs/{job.pk}/log").status_code == 403
    morgan.is_superuser = True
    morgan.save()
    assert "Evaluate alice/bert" in as_user(morgan).get("/jobs?all=1").text


def test_staff_are_told_when_no_worker_is_online(as_user, morgan):
    assert "No worker is online" in as_user(morgan).get("/jobs?all=1").text


def test_others_may_not_see_everybodys_jobs(as_user, charlie, job):
    answer = as_user(charlie).get("/jobs?all=1")
    assert answer.status_code == 403
    assert "Evaluate alice/bert" not in answer.text


def test_many_jobs_cost_no_more_queries(as_user, morgan, alice, online, django_assert_max_num_queries):
    for _ in range(25):
        enqueue(alice)
    browser = as_user(morgan)
    with django_assert_max_num_queries(4):
        browser.get("/jobs?all=1")


def test_a_job_is_its_owners_and_the_staffs(as_user, alice, morgan, charlie, job):
    assert as_user(alice).get(f"/jobs/{job.pk}").status_code == 200
    assert as_user(morgan).get(f"/jobs/{job.pk}").status_code == 200
    assert as_user(charlie).get(f"/jobs/{job.pk}").status_code == 404
    assert as_user(charlie).get(f"/jobs/{job.pk + 1}").status_code == 404
    assert as_user(None).get(f"/jobs/{job.pk}").status_code == 302


@pytest.mark.parametrize("number", ["0", "9" * 30])
def test_a_job_that_does_not_exist_is_not_found(as_user, alice, number):
    assert as_user(alice).get(f"/jobs/{number}").status_code == 404


def test_a_waiting_job_tells_how_many_are_ahead(as_user, alice, bob, online):
    for _ in range(3):
        enqueue(alice)
    assert "3 jobs are ahead" in as_user(alice).get(f"/jobs/{enqueue(alice).pk}").text


def test_many_jobs_of_somebody_else_delay_by_one(as_user, alice, bob, online):
    for _ in range(3):
        enqueue(bob)
    assert "1 job is ahead" in as_user(alice).get(f"/jobs/{enqueue(alice).pk}").text


def test_a_waiting_job_tells_that_no_worker_is_there(as_user, alice, job):
    assert "no worker serves the queue" in as_user(alice).get(f"/jobs/{job.pk}").text


def test_a_running_job_shows_progress_attempt_warning_and_log(as_user, alice, job):
    running = start(job)
    running.report(0.42, "Predicting")
    running.warn("There is no sandbox here.")
    running.log("batch 1", "<b>batch 2</b>")
    page = as_user(alice).get(f"/jobs/{job.pk}").text
    for text in (
        'aria-valuenow="42"',
        "Predicting",
        "attempt 1 of 3",
        "no sandbox here",
        "batch 1",
        "&lt;b&gt;batch 2",
    ):
        assert text in page


def test_the_log_shows_its_end(as_user, alice, job):
    start(job).log(*(f"line {n:04}" for n in range(300)))
    page = as_user(alice).get(f"/jobs/{job.pk}").text
    assert "line 0299" in page
    assert "line 0099" not in page
    assert "the last 200 lines" in page


def test_a_failed_job_tells_why(as_user, alice, job):
    start(job).fail(code="missing_tokenizer", reason="The model has no tokenizer.")
    assert "The model has no tokenizer." in as_user(alice).get(f"/jobs/{job.pk}").text


def test_a_finished_job_leads_to_its_result(as_user, alice, job):
    start(job).finish({"evaluation": 7})
    assert 'href="/evaluations/7"' in as_user(alice).get(f"/jobs/{job.pk}").text


def test_htmx_gets_the_moving_part_alone(as_user, alice, job):
    answer = as_user(alice).get(f"/jobs/{job.pk}", headers=HTMX)
    assert answer.status_code == 200
    assert answer.text.lstrip().startswith('<div id="job-state"')
    assert 'hx-trigger="every 2s"' in answer.text
    assert "HX-Request" in answer["Vary"]


def test_polling_after_signing_out_leads_to_the_sign_in_page_and_back(client, job):
    path = f"/jobs/{job.pk}"
    answer = client.get(path, headers={**HTMX, "hx-current-url": f"http://testserver{path}"})
    assert answer.status_code == 401
    assert answer["HX-Redirect"] == f"/accounts/login/?next=http%3A%2F%2Ftestserver%2Fjobs%2F{job.pk}"


def test_polling_stops_when_the_job_is_over(as_user, alice, job):
    start(job).finish({})
    answer = as_user(alice).get(f"/jobs/{job.pk}", headers=HTMX)
    assert answer.status_code == 286
    assert "hx-trigger" not in answer.text


def test_the_page_reloads_itself_without_javascript_until_the_job_is_over(as_user, alice, job):
    browser = as_user(alice)
    assert 'http-equiv="refresh"' in browser.get(f"/jobs/{job.pk}").text
    job.cancel(by=alice)
    assert 'http-equiv="refresh"' not in browser.get(f"/jobs/{job.pk}").text


def test_a_page_of_a_job_is_never_kept(as_user, alice, job):
    assert "no-store" in as_user(alice).get(f"/jobs/{job.pk}")["Cache-Control"]


def test_the_owner_cancels_a_waiting_job(as_user, alice, job):
    assert "is cancelled" in as_user(alice).post(f"/jobs/{job.pk}/cancellation", follow=True).text
    assert Job.objects.get(pk=job.pk).state == Job.State.CANCELLED


def test_a_running_job_is_asked_to_stop(as_user, morgan, job):
    start(job)
    assert "Stopping" in as_user(morgan).post(f"/jobs/{job.pk}/cancellation", follow=True).text
    assert Job.objects.get(pk=job.pk).cancel_requested_at


def test_a_job_that_is_over_cannot_be_cancelled_and_the_page_says_so(as_user, alice, job):
    start(job).finish({})
    assert "over already" in as_user(alice).post(f"/jobs/{job.pk}/cancellation", follow=True).text


def test_strangers_cannot_cancel(as_user, charlie, job):
    assert as_user(charlie).post(f"/jobs/{job.pk}/cancellation").status_code == 404
    assert as_user(None).post(f"/jobs/{job.pk}/cancellation").status_code == 302
    assert Job.objects.get(pk=job.pk).state == Job.State.QUEUED


def test_wrong_methods_are_refused(as_user, alice, job):
    browser = as_user(alice)
    assert browser.post("/jobs").status_code == 405
    assert browser.post(f"/jobs/{job.pk}").status_code == 405
    assert browser.get(f"/jobs/{job.pk}/cancellation").status_code == 405


def test_the_owner_puts_a_waiting_job_first_and_nobody_elses(as_user, alice, morgan, job):
    later = Job.enqueue("evaluate", spec={}, owner=alice, title="later")
    assert as_user(alice).post(f"/jobs/{later.pk}/precedence").status_code == 302
    assert as_user(morgan).post(f"/jobs/{job.pk}/precedence").status_code == 403
    later.refresh_from_db()
    assert later.priority > job.priority


def test_staff_raise_a_waiting_job_and_put_it_back(as_user, alice, bob, morgan, job):
    client = as_user(morgan)
    client.post(f"/jobs/{job.pk}/raising", {"raised": "1"})
    job.refresh_from_db()
    assert job.is_raised
    assert "put first by staff" in client.get(f"/jobs/{job.pk}").text
    assert "put first by staff" in client.get("/jobs?all=1").text
    client.post(f"/jobs/{job.pk}/raising", {"raised": "0"})
    job.refresh_from_db()
    assert not job.is_raised
    assert as_user(alice).post(f"/jobs/{job.pk}/raising", {"raised": "1"}).status_code == 403
    assert as_user(bob).post(f"/jobs/{job.pk}/raising", {"raised": "1"}).status_code == 404
    assert "job-raise" not in as_user(alice).get(f"/jobs/{job.pk}").text
