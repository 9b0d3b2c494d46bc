"""One turn of the relay, with the messages caught instead of sent."""

import logging
from datetime import timedelta

import pytest
from django.db import OperationalError
from django.utils import timezone
from redis.exceptions import ConnectionError as RedisGone

from models_hub import publishing
from portal.models import Duty, Event, Job, User, WorkerNode
from portal.models.workers import RELAY
from worker import relay
from worker.relay import Relay

pytestmark = pytest.mark.django_db
LONG_AGO = timedelta(minutes=5)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, str]]:
    """The messages (job, queue) that the relay has sent."""
    messages: list[tuple[int, str]] = []

    def send_task(name: str, *, args: list[int], routing_key: str, **_options: object) -> None:
        assert name == "worker.run_job"
        messages.append((args[0], routing_key))

    monkeypatch.setattr(relay.app, "send_task", send_task)
    return messages


def enqueue(**options: object) -> Job:
    return Job.enqueue("evaluate", spec={}, owner=None, title="A job", **options)  # type: ignore[arg-type]


def online(*queues: str, slots: int = 1) -> None:
    WorkerNode.hello("one", queues=list(queues), slots=slots, capabilities={})


def test_a_due_job_is_sent_once_to_its_queue(sent: list[tuple[int, str]]) -> None:
    online("cpu", "light")
    job = enqueue(queue="light")
    Relay().turn()
    relay.send_due_jobs()
    assert sent == [(job.pk, "light")]


def test_a_message_that_may_be_lost_is_sent_again(sent: list[tuple[int, str]]) -> None:
    online("cpu")
    job = enqueue()
    relay.send_due_jobs()
    Job.objects.update(sent_at=timezone.now() - LONG_AGO)
    relay.send_due_jobs()
    assert sent == [(job.pk, "cpu")] * 2


def test_nothing_is_sent_to_a_queue_that_nobody_serves(sent: list[tuple[int, str]]) -> None:
    online("light")
    enqueue(queue="gpu")
    relay.send_due_jobs()
    assert sent == []


def test_a_long_queue_is_sent_bit_by_bit_and_urgent_jobs_first(sent: list[tuple[int, str]]) -> None:
    online("cpu")
    for _ in range(30):
        enqueue()
    urgent = enqueue(priority=9)
    relay.send_due_jobs()
    assert sent[0] == (urgent.pk, "cpu")
    assert len(sent) == 1 + relay.WINDOW


def test_only_one_relay_acts(sent: list[tuple[int, str]]) -> None:
    online("cpu")
    Duty.take(RELAY, holder="another", span=timedelta(seconds=30))
    enqueue()
    Relay().turn()
    assert sent == []


def test_a_job_of_a_silent_worker_is_taken_from_it(sent: list[tuple[int, str]]) -> None:
    job = Job.claim(enqueue().pk, worker="dead", lease=timedelta(seconds=30))
    assert job is not None
    Job.objects.update(lease_until=timezone.now() - LONG_AGO)
    Relay().turn()
    job.refresh_from_db()
    assert (job.state, job.reason_code) == ("queued", "worker_lost")


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
