"""Job rows: who may write them, what ends them, and what they say to people."""

from datetime import timedelta

import pytest
from django.utils import timezone, translation

from portal import fair_share
from portal.errors import Conflict
from portal.models import Checkpoint, Duty, Event, Job, LeaseLost, User, WorkerNode
from portal.models.jobs import MAX_LOG_LINES
from portal.models.workers import RELAY
from portal.waiting import explanation

pytestmark = pytest.mark.django_db
LEASE = timedelta(seconds=30)
LONG_AGO = timedelta(minutes=5)


def enqueue(owner: User | None = None, **options: object) -> Job:
    return Job.enqueue("evaluate", spec={}, owner=owner, title="A job", **options)  # type: ignore[arg-type]


def claim(job: Job, worker: str = "one") -> Job:
    claimed = Job.claim(job.pk, worker=worker, lease=LEASE)
    assert claimed is not None
    return claimed


def let_lease_run_out(job: Job) -> None:
    Job.objects.filter(pk=job.pk).update(lease_until=timezone.now() - LONG_AGO)


def online(*queues: str) -> None:
    WorkerNode.hello("one", queues=list(queues), slots=1, capabilities={})


def fresh(job: Job) -> Job:
    return Job.objects.get(pk=job.pk)


def test_a_job_is_claimed_once() -> None:
    job = enqueue()
    assert Job.claim(job.pk, worker="one", lease=LEASE) is not None
    assert Job.claim(job.pk, worker="two", lease=LEASE) is None


def test_a_job_is_not_claimed_before_its_time() -> None:
    job = enqueue()
    Job.objects.filter(pk=job.pk).update(not_before=timezone.now() + LONG_AGO)
    assert Job.claim(job.pk, worker="one", lease=LEASE) is None


@pytest.mark.parametrize(
    "write",
    [
        lambda job: job.report(0.5, "half"),
        lambda job: job.log("a line"),
        lambda job: job.warn("a warning"),
        lambda job: job.renew(LEASE),
        lambda job: job.finish({}),
    ],
    ids=["report", "log", "warn", "renew", "finish"],
)
def test_whoever_lost_the_lease_writes_nothing(write) -> None:
    old = claim(enqueue())
    let_lease_run_out(old)
    assert old.expire()
    Job.objects.filter(pk=old.pk).update(not_before=None)
    new = claim(old, worker="two")
    with pytest.raises(LeaseLost):
        write(old)
    now = fresh(new)
    assert (now.worker, now.progress, now.warning, now.line_count, now.state) == ("two", 0, "", 0, "leased")
    assert not old.fail(code="x", reason="y")
    assert not old.give_back(code="x", reason="y")
    assert not old.release()
    assert fresh(new).state == "leased"


def test_a_held_lease_does_not_expire() -> None:
    job = claim(enqueue())
    assert not job.expire()
    assert not Job.objects.expired().exists()


def test_a_job_that_fails_for_an_outside_cause_is_tried_again_later_and_not_for_ever() -> None:
    job = enqueue(max_attempts=2)
    assert claim(job).give_back(code="worker_error", reason="Oops.")
    again = fresh(job)
    assert (again.state, again.attempt) == ("queued", 1)
    assert again.not_before is not None
    assert again.not_before > timezone.now()
    Job.objects.filter(pk=job.pk).update(not_before=None)
    claim(job).give_back(code="worker_error", reason="Oops.")
    assert fresh(job).state == "failed"


def test_a_job_whose_worker_died_three_times_is_not_tried_again() -> None:
    job = enqueue(max_attempts=10)
    for state in ("queued", "queued", "failed"):
        held = claim(job)
        let_lease_run_out(held)
        held.expire()
        Job.objects.filter(pk=job.pk).update(not_before=None)
        assert fresh(job).state == state
    assert fresh(job).reason_code == "crashed"


def test_a_shutdown_of_the_worker_does_not_count_as_an_attempt() -> None:
    job = claim(enqueue(max_attempts=1))
    assert job.release()
    assert (fresh(job).state, fresh(job).attempt) == ("queued", 0)
    assert claim(job).attempt == 1


def test_a_queued_job_is_cancelled_at_once(alice: User) -> None:
    job = enqueue(alice)
    job.cancel(by=alice)
    assert (job.state, job.reason_text) == ("cancelled", "Cancelled on request.")
    assert Job.claim(job.pk, worker="one", lease=LEASE) is None
    assert Event.objects.get(kind="job.cancelled").payload["kind"] == "evaluate"


def test_a_running_job_is_asked_to_stop_and_then_cancelled(alice: User) -> None:
    job = claim(enqueue(alice))
    fresh(job).cancel(by=alice)
    assert fresh(job).state == "leased"
    assert explanation(fresh(job)) == "Stopping…"
    with pytest.raises(LeaseLost):
        job.renew(LEASE)
    job.give_back(code="cancelled", reason="")
    assert (fresh(job).state, fresh(job).reason_text) == ("cancelled", "Cancelled on request.")


def test_a_cancelled_job_of_a_dead_worker_is_not_tried_again(alice: User) -> None:
    job = claim(enqueue(alice))
    fresh(job).cancel(by=alice)
    let_lease_run_out(job)
    job.expire()
    assert fresh(job).state == "cancelled"


def test_what_is_over_cannot_be_cancelled_but_cancelling_twice_is_fine(alice: User) -> None:
    done = claim(enqueue(alice))
    done.finish({})
    with pytest.raises(Conflict):
        done.cancel(by=alice)
    job = enqueue(alice)
    job.cancel(by=alice)
    job.cancel(by=alice)
    assert Event.objects.filter(kind="job.cancelled").count() == 1


def test_a_flood_of_log_lines_is_cut_off_with_a_word_about_it() -> None:
    job = claim(enqueue())
    job.log(*(f"line {i}" for i in range(MAX_LOG_LINES - 1)))
    job.log("last", "too much", "far too much")
    job.log("never seen")
    texts = list(job.lines.order_by("pk").values_list("text", flat=True))
    assert len(texts) == MAX_LOG_LINES + 1
    assert texts[-2] == "last"
    assert texts[-1].startswith("… the log is cut off")


def test_a_line_is_bounded_and_holds_no_nul() -> None:
    job = claim(enqueue())
    job.log("a\x00b" + "c" * 5000)
    assert job.lines.get().text == "ab" + "c" * 1998


def test_the_same_work_asked_twice_is_one_job() -> None:
    assert enqueue(idempotency_key="k").pk == enqueue(idempotency_key="k").pk
    assert enqueue().pk != enqueue().pk


def test_a_waiting_job_says_that_no_worker_serves_its_queue() -> None:
    online("light")
    assert "no worker serves the queue “gpu”" in explanation(enqueue(queue="gpu"))


def test_a_worker_that_fell_silent_does_not_count(alice: User) -> None:
    online("cpu")
    WorkerNode.objects.update(seen_at=timezone.now() - LONG_AGO)
    assert "no worker serves" in explanation(enqueue())


def test_a_waiting_job_says_how_many_are_ahead_by_priority_and_age() -> None:
    online("cpu")
    enqueue()
    waiting = enqueue()
    enqueue(priority=5)
    enqueue(queue="light")
    assert explanation(waiting) == ("Waiting: 2 jobs are ahead. There is no estimate yet of when it starts.")


def test_the_next_job_says_when_nobody_hands_it_on() -> None:
    online("cpu")
    job = enqueue()
    assert "the relay" in explanation(job)
    Duty.take(RELAY, holder="me", span=LEASE)
    assert explanation(job) == "Next in line."


def test_a_job_that_waits_to_be_tried_again_says_why() -> None:
    job = claim(enqueue())
    job.give_back(code="x", reason="It failed with %(status)d.", status=7)
    assert "It failed with 7." in explanation(fresh(job))


def test_reasons_are_stored_in_english_and_shown_in_the_readers_language(alice: User) -> None:
    job = enqueue(alice)
    with translation.override("zh-hans"):
        job.cancel(by=alice)
    assert fresh(job).reason == "Cancelled on request."


def test_a_percent_sign_in_a_reason_of_the_engine_is_left_alone() -> None:
    job = claim(enqueue())
    job.fail(code="bad_data", reason="100 % of %(rows)s are wrong")
    assert fresh(job).reason_text == "100 % of %(rows)s are wrong"


def test_a_duty_is_held_by_one_process_until_it_falls_silent() -> None:
    assert Duty.take("sweep", holder="one", span=LEASE)
    assert not Duty.take("sweep", holder="two", span=LEASE)
    assert Duty.take("sweep", holder="one", span=LEASE)
    Duty.objects.update(until=timezone.now() - LONG_AGO)
    assert Duty.take("sweep", holder="two", span=LEASE)
    Duty.leave("sweep", holder="two")
    assert Duty.take("sweep", holder="one", span=LEASE)


def test_jobs_are_seen_by_their_owner_and_staff(alice: User, charlie: User, morgan: User) -> None:
    job = enqueue(alice)
    assert job in Job.objects.visible_to(alice)
    assert job in Job.objects.visible_to(morgan)
    assert job not in Job.objects.visible_to(charlie)


def test_what_an_attempt_saved_is_there_for_the_next_after_its_worker_died() -> None:
    job = claim(enqueue())
    Checkpoint.save_for(job, "rows", b"1 to 500")
    let_lease_run_out(job)
    assert job.expire()
    with pytest.raises(LeaseLost):
        Checkpoint.save_for(job, "rows", b"stale")
    Job.objects.filter(pk=job.pk).update(not_before=None)
    again = claim(job)
    assert Checkpoint.load_for(again) == {"rows": b"1 to 500"}
    Checkpoint.objects.filter(job=job).update(content=b"1 to 5oo")
    assert Checkpoint.load_for(again) == {}
    again.finish({})
    assert not Checkpoint.objects.exists()


def test_an_owner_puts_a_job_before_the_owners_others_alone(alice: User, bob: User) -> None:
    theirs, first, last = enqueue(bob), enqueue(alice), enqueue(alice)
    for _ in range(2):
        last.put_first(by=alice)
    assert [turn.job for turn in fair_share.line("cpu")] == [theirs.pk, last.pk, first.pk]
    assert Event.objects.filter(kind="job.put_first").count() == 1
