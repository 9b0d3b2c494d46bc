"""One turn of the relay, with the messages caught instead of sent."""

import logging
from datetime import timedelta

import pytest
from django.db import OperationalError
from django.utils import timezone
from redis.exceptions import ConnectionError as RedisGone

from models_hub import publishing
from portal.models import Duty, Event, Job, LeaseLost, User, WorkerNode
from portal.models.workers import RELAY
from worker import relay
from worker.relay import Relay

pytestmark = pytest.mark.django_db
LONG_AGO = timedelta(minutes=5)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The queues of workers that the relay has woken."""
    messages: list[str] = []

    def send_task(name: str, *, queue: str, **_options: object) -> None:
        assert name == "worker.wake"
        messages.append(queue)

    monkeypatch.setattr(relay.app, "send_task", send_task)
    return messages


def enqueue(**options: object) -> Job:
    return Job.enqueue("evaluate", spec={}, owner=None, title="A job", **options)  # type: ignore[arg-type]


def online(*queues: str, slots: int = 1, name: str = "one", **capabilities: object) -> None:
    WorkerNode.hello(name, queues=list(queues), slots=slots, capabilities=capabilities)


def test_a_worker_is_woken_once_for_a_due_job(sent: list[str]) -> None:
    online("cpu", "light", engine="2.1.0", kinds=["evaluate"], memory_mb=1000, gpus=[], store=True)
    enqueue(queue="light")
    Relay().turn()
    relay.wake_workers()
    assert sent == ["worker.one"]


def test_a_message_that_may_be_lost_is_sent_again(sent: list[str]) -> None:
    online("cpu")
    enqueue()
    relay.wake_workers()
    Job.objects.update(sent_at=timezone.now() - LONG_AGO)
    relay.wake_workers()
    assert sent == ["worker.one"] * 2


def test_nobody_is_woken_for_a_queue_that_nobody_serves(sent: list[str]) -> None:
    online("light")
    enqueue(queue="gpu")
    relay.wake_workers()
    assert sent == []


def test_a_worker_without_a_free_slot_is_not_woken_it_takes_the_next_by_itself(sent: list[str]) -> None:
    online("cpu", slots=2)
    for _ in range(30):
        enqueue()
    relay.wake_workers()
    assert sent == ["worker.one"] * 2
    for job in Job.objects.all()[:2]:
        Job.claim(job.pk, worker="one", lease=LONG_AGO)
    relay.wake_workers()
    assert len(sent) == 2


def test_only_workers_that_can_do_a_job_are_woken_for_it(sent: list[str]) -> None:
    online("cpu", name="small", memory_mb=1000)
    online("cpu", name="large", memory_mb=9000)
    enqueue(needs={"memory_mb": 4000})
    relay.wake_workers()
    assert sent == ["worker.large"]


def test_a_job_that_nobody_can_do_holds_up_no_other(sent: list[str]) -> None:
    online("cpu")
    enqueue(needs={"gpu": True}, priority=9)
    possible = enqueue()
    relay.wake_workers()
    assert sent == ["worker.one"]
    assert list(Job.objects.filter(sent_at__isnull=False)) == [possible]


def test_a_worker_that_drains_or_is_refused_is_not_woken(sent: list[str]) -> None:
    online("cpu", name="draining")
    WorkerNode.objects.get().drain(by=None)
    WorkerNode.hello("old", queues=["cpu"], slots=1, capabilities={}, refusal="Another version.")
    enqueue()
    relay.wake_workers()
    assert sent == []


def test_only_one_relay_acts(sent: list[str]) -> None:
    online("cpu")
    Duty.take(RELAY, holder="another", span=timedelta(seconds=30))
    enqueue()
    Relay().turn()
    assert sent == []


def test_a_job_of_a_silent_worker_is_taken_from_it(sent: list[str]) -> None:
    job = Job.claim(enqueue().pk, worker="dead", lease=timedelta(seconds=30))
    assert job is not None
    Job.objects.update(lease_until=timezone.now() - LONG_AGO)
    Relay().turn()
    job.refresh_from_db()
    assert (job.state, job.reason_code) == ("queued", "worker_lost")


@pytest.mark.parametrize(
    ("column", "code"), [("heard_at", "stalled"), ("started_at", "time_limit")], ids=["stands still", "takes too long"]
)
def test_a_job_that_is_stuck_is_failed_with_the_reason(sent: list[str], column: str, code: str) -> None:
    stuck, fine = (Job.claim(enqueue().pk, worker="one", lease=LONG_AGO) for _ in range(2))
    assert stuck is not None
    assert fine is not None
    Job.objects.filter(pk=stuck.pk).update(**{column: timezone.now() - timedelta(hours=3)})
    Relay().turn()
    stuck.refresh_from_db()
    fine.refresh_from_db()
    assert (stuck.state, stuck.reason_code, fine.state) == ("failed", code, "leased")
    assert " min" in stuck.reason_text
    with pytest.raises(LeaseLost):
        stuck.renew(LONG_AGO)


def test_without_redis_the_rest_goes_on_and_it_is_logged_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def gone(*_args: object, **_options: object) -> None:
        raise RedisGone("connection refused")

    monkeypatch.setattr(relay.app, "send_task", gone)
    online("cpu")
    job = enqueue()
    Event.record("repo.starred", subject="repo:1", by=None)
    actor = Relay()
    with caplog.at_level(logging.INFO):
        for _ in range(3):
            actor.turn()
    assert [record.levelname for record in caplog.records if "hand jobs" in record.message] == ["WARNING"]
    assert not Event.objects.undelivered().exists()
    job.refresh_from_db()
    assert job.sent_at is None
    monkeypatch.setattr(relay.app, "send_task", lambda *_args, **_options: None)
    actor.turn()
    assert "can hand jobs to workers again" in caplog.text


def test_without_the_database_it_waits_longer_and_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []

    class Clock:
        def wait(self, seconds: float) -> bool:
            pauses.append(seconds)
            return len(pauses) > 7

    def gone(*_args: object, **_options: object) -> None:
        raise OperationalError("server closed the connection")

    monkeypatch.setattr(Duty, "take", gone)
    monkeypatch.setattr(relay.connections, "close_all", lambda: None)
    actor = Relay()
    actor.over = Clock()  # type: ignore[assignment]
    actor.run()
    assert pauses == [1.0, 2.0, 4.0, 8.0, 15.0, 15.0, 15.0, 15.0]


def test_an_event_is_delivered_once(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    monkeypatch.setitem(relay.CONSUMERS, "test.happened", (lambda event: seen.append(event.pk),))
    event = Event.record("test.happened", subject="x:1", by=None)
    relay.deliver_events()
    relay.deliver_events()
    assert seen == [event.pk]


def test_a_reaction_that_fails_holds_up_no_other_event(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []

    def react(event: Event) -> None:
        if event.subject == "x:bad":
            raise ValueError("bug")
        seen.append(event.pk)

    monkeypatch.setitem(relay.CONSUMERS, "test.happened", (react,))
    Event.record("test.happened", subject="x:bad", by=None)
    good = Event.record("test.happened", subject="x:good", by=None)
    relay.deliver_events()
    assert seen == [good.pk]
    assert not Event.objects.undelivered().exists()


def test_jobs_that_read_a_deleted_repository_are_cancelled(alice: User, make_repo) -> None:
    gone, kept = make_repo(alice, "gone"), make_repo(alice, "kept")
    reads_gone = Job.enqueue("evaluate", spec={"reads": [kept.pk, gone.pk]}, owner=alice, title="")
    reads_kept = Job.enqueue("evaluate", spec={"reads": [kept.pk]}, owner=alice, title="")
    publishing.delete_repo(gone, by=alice)
    relay.deliver_events()
    reads_gone.refresh_from_db()
    reads_kept.refresh_from_db()
    assert (reads_gone.state, reads_kept.state) == ("cancelled", "queued")
    assert "deleted" in reads_gone.reason_text


def test_workers_not_seen_for_long_are_forgotten() -> None:
    online("cpu")
    WorkerNode.objects.update(seen_at=timezone.now() - timedelta(days=1))
    relay.sweep()
    assert not WorkerNode.objects.exists()
