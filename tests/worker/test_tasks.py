"""A job from claim to end: what happens inside becomes a state with a reason."""

import threading
import time
from collections.abc import Callable

import pytest
from django.db import DatabaseError

from models_hub.storage import DiskFull
from portal.errors import NotFound
from portal.models import Job, LeaseLost, User
from worker import attempts, running
from worker.attempts import Attempt, JobFailed, TryAgain
from worker.engine.contracts import EngineError
from worker.tasks import wake

pytestmark = pytest.mark.django_db
Work = Callable[[Attempt], None]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Callable[[Work], Job]:
    """Run a job of a kind that does `work`, as Celery would."""

    def run(work: Work) -> Job:
        monkeypatch.setitem(running.KINDS, "test", work)
        job = Job.enqueue("test", spec={}, owner=None, title="A job")
        wake()
        job.refresh_from_db()
        return job

    return run


def raising(error: BaseException) -> Work:
    def work(attempt: Attempt) -> None:
        raise error

    return work


def test_work_that_finishes_is_a_success(run) -> None:
    job = run(lambda attempt: attempt.job.finish({"answer": 42}))
    assert (job.state, job.result, job.progress) == ("succeeded", {"answer": 42}, 1)


@pytest.mark.parametrize(
    ("error", "state", "code"),
    [
        (EngineError("bad_config", "config.json is odd"), "failed", "bad_config"),
        (JobFailed("no", code="gone"), "failed", "gone"),
        (NotFound("not there"), "failed", "not_found"),
        (TryAgain("later", code="no_sandbox"), "queued", "no_sandbox"),
        (ZeroDivisionError("bug"), "queued", "worker_error"),
        (OSError(28, "No space left on device"), "queued", "no_space"),
        (DiskFull("The portal’s disk is full"), "queued", "no_space"),
        (OSError(5, "Input/output error"), "queued", "worker_error"),
    ],
)
def test_an_error_is_a_failure_or_another_attempt(run, error: BaseException, state: str, code: str) -> None:
    job = run(raising(error))
    assert (job.state, job.reason_code) == (state, code)


def test_a_reason_is_filled_with_its_values(run) -> None:
    job = run(raising(JobFailed("More than %(limit)d MB.", code="out_of_memory", data={"limit": 64})))
    assert job.reason_text == "More than 64 MB."


def test_a_kind_that_this_worker_does_not_know_waits_for_one_that_does() -> None:
    job = Job.enqueue("from the future", spec={}, owner=None, title="")
    wake()
    job.refresh_from_db()
    assert (job.state, job.reason_code) == ("queued", "unknown_kind")


def test_a_message_that_comes_again_changes_nothing(run) -> None:
    wake()
    job = run(lambda attempt: attempt.job.finish({}))
    wake()
    assert Job.objects.get(pk=job.pk).attempt == 1


def test_progress_is_written_at_most_twice_a_second_and_the_log_with_it(run, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[float] = []
    report = Job.report

    def spy(job: Job, progress: float, message: str = "", **data: object) -> None:
        written.append(progress)
        report(job, progress, message, **data)

    monkeypatch.setattr(Job, "report", spy)

    def work(attempt: Attempt) -> None:
        for step in range(1000):
            attempt.report(step / 1000, f"step {step}")
            attempt.log(f"line {step}")
        attempt.show()
        attempt.job.finish({})

    started = time.monotonic()
    job = run(work)
    assert len(written) <= 3 + 2 * (time.monotonic() - started)
    assert job.lines.count() == 1000


def test_a_cancelled_job_ends_as_cancelled(run, alice: User) -> None:
    def work(attempt: Attempt) -> None:
        Job.objects.get(pk=attempt.job.pk).cancel(by=alice)
        attempt._renew()
        attempt.check()

    assert run(work).state == "cancelled"


def test_losing_the_lease_ends_the_attempt_and_changes_nothing(run) -> None:
    def work(attempt: Attempt) -> None:
        Job.objects.filter(pk=attempt.job.pk).update(fence=9, worker="another")
        attempt.report(0.5, "half")
        attempt.show()
        attempt.check()

    job = run(work)
    assert (job.state, job.worker, job.message) == ("running", "another", "")


def test_a_stale_result_is_refused(run) -> None:
    def work(attempt: Attempt) -> None:
        Job.objects.filter(pk=attempt.job.pk).update(fence=9, worker="another")
        with pytest.raises(LeaseLost):
            attempt.job.finish({"stale": True})
        attempt.job.finish({"stale": True})

    assert run(work).result == {}


def test_a_lease_that_cannot_be_renewed_stops_the_work_when_it_has_run_out(
    run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(_job: Job, _lease: object, **_options: object) -> None:
        raise DatabaseError("gone")

    def work(attempt: Attempt) -> None:
        monkeypatch.setattr(Job, "renew", gone)
        monkeypatch.setattr(attempts.connections, "close_all", lambda: None)
        attempt._renew()
        assert attempt.should_stop() is None
        attempt._renewed -= 31
        attempt._renew()
        assert attempt.should_stop() == "lease_lost"
        attempt.check()

    assert run(work).state == "running"


def test_a_shutdown_gives_running_jobs_back_and_starts_no_other(run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Attempt, "_shutting_down", threading.Event())

    def work(attempt: Attempt) -> None:
        Attempt.shut_down()
        attempt.check()

    job = run(work)
    assert (job.state, job.attempt, job.reason_code) == ("queued", 0, "worker_stopped")
    wake()
    job.refresh_from_db()
    assert job.fence == 1
