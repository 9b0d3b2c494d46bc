"""Real relays and workers that are killed, stopped and robbed of their Redis: every job ends once."""

import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.worker.workshop import Workshop

pytestmark = pytest.mark.live
FOREIGN_MIGRATION = """
from django.db.migrations.recorder import MigrationRecorder
MigrationRecorder.Migration.objects.create(app="portal", name="9999_of_tomorrow")
print("null")
"""
# What failed waits for half a minute before it is tried again.
AT_ONCE = """
from portal.models import Job
Job.objects.update(not_before=None)
print("null")
"""


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workshop]:
    with Workshop(tmp_path_factory.mktemp("workshop")) as workshop:
        yield workshop


@pytest.fixture
def workshop(shared: Workshop) -> Workshop:
    shared.clear()
    return shared


def ended_once(workshop: Workshop, jobs: list[int]) -> None:
    """Each job has one success event and each evaluation one score."""
    for job in jobs:
        successes = "SELECT count(*) FROM portal_event WHERE kind = 'job.succeeded' AND subject = ?"
        assert workshop.query(successes, f"job:{job}") == [(1,)]
    scores = "SELECT count(*) FROM portal_event WHERE kind = 'evaluation.completed'"
    assert workshop.query(scores) == [(len(jobs),)]


def test_jobs_run_and_the_worker_stays_light(workshop: Workshop) -> None:
    workshop.redis()
    workshop.start(sys.executable, "manage.py", "run_relay")
    worker = workshop.start(sys.executable, "manage.py", "run_worker")
    jobs = workshop.evaluations(3)
    workshop.until_state(jobs, "succeeded")
    ended_once(workshop, jobs)
    status = Path(f"/proc/{worker.pid}/status").read_text()
    resident_kb = int(status.split("VmRSS:")[1].split()[0])
    assert resident_kb < 160 * 1024, f"the worker holds {resident_kb} kB"
    assert "libtorch" not in Path(f"/proc/{worker.pid}/maps").read_text()


def children_at_work(workshop: Workshop) -> list[int]:
    """The engine processes that were given a spec in this installation's scratch folder."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes()
        except OSError:
            continue
        if str(workshop.data / "scratch").encode() in command:
            found.append(int(folder.name))
    return found


def scratch_folders(workshop: Workshop) -> list[Path]:
    return list((workshop.data / "scratch").glob("job-*"))


def is_answering(workshop: Workshop, job: int) -> bool:
    """The job's model is answering questions: past the preparation, before the score."""
    return workshop.job(job)["state"] == "running" and 0.05 < workshop.job(job)["progress"] < 0.95


def test_a_worker_killed_in_mid_evaluation_loses_and_doubles_nothing(workshop: Workshop) -> None:
    workshop.redis()
    workshop.relay()
    worker = workshop.worker()
    [job] = workshop.evaluations(1, seconds=5)
    workshop.until(lambda: is_answering(workshop, job), "the model answers")
    worker.kill()
    workshop.until(lambda: not children_at_work(workshop), "the dead worker's child is gone")
    assert scratch_folders(workshop)
    second = workshop.worker()
    workshop.until_state([job], "succeeded")
    assert workshop.job(job)["attempt"] == 2
    assert workshop.job(job)["losses"] == 1
    ended_once(workshop, [job])
    workshop.until(lambda: not scratch_folders(workshop), "the scratch folders are gone")
    assert second.poll() is None


def test_redis_may_lose_everything_with_jobs_queued(workshop: Workshop) -> None:
    redis = workshop.redis()
    workshop.relay()
    workshop.worker()
    jobs = workshop.evaluations(8, seconds=0.5)
    begun = "SELECT count(*) FROM portal_job WHERE state != 'queued'"
    workshop.until(lambda: workshop.query(begun)[0][0] >= 2, "both slots are busy and the others wait")
    workshop.flush_redis()
    workshop.until_state(jobs[:2], "succeeded")
    redis.kill()
    redis.wait(10)
    workshop.socket.unlink(missing_ok=True)
    time.sleep(2)
    workshop.redis()
    workshop.until_state(jobs, "succeeded")
    ended_once(workshop, jobs)


def test_a_message_that_comes_again_and_late_has_one_effect(workshop: Workshop) -> None:
    workshop.redis()
    workshop.relay()
    workshop.worker()
    workshop.until(lambda: workshop.query("SELECT name FROM portal_workernode"), "the worker has announced itself")
    jobs = workshop.evaluations(3, seconds=0.5)
    send = """
from portal.config.celery import app
from portal.models import WorkerNode
for _ in range(9):
    app.send_task("worker.wake", queue=f"worker.{WorkerNode.objects.get().name}")
print("null")
"""
    workshop.script(send)
    workshop.until_state(jobs, "succeeded")
    workshop.script(send)
    time.sleep(2)
    ended_once(workshop, jobs)
    assert [workshop.job(job)["attempt"] for job in jobs] == [1, 1, 1]


def test_a_worker_that_slept_past_its_lease_writes_nothing(workshop: Workshop) -> None:
    workshop.redis()
    workshop.relay()
    sleeper = workshop.worker()
    [job] = workshop.evaluations(1, seconds=8)
    workshop.until(lambda: is_answering(workshop, job), "the model answers")
    sleeper.send_signal(signal.SIGSTOP)
    first = workshop.job(job)
    workshop.worker()
    workshop.until(lambda: workshop.job(job)["fence"] > first["fence"], "another worker has taken over")
    sleeper.send_signal(signal.SIGCONT)
    workshop.until_state([job], "succeeded")
    assert workshop.job(job)["worker"] != first["worker"]
    ended_once(workshop, [job])
    workshop.until(lambda: not children_at_work(workshop), "no child is left")


def test_cancelling_a_running_job_kills_its_child_within_two_seconds(workshop: Workshop) -> None:
    workshop.redis()
    workshop.relay()
    workshop.worker()
    [job, other] = workshop.evaluations(2, seconds=60)
    workshop.until(lambda: is_answering(workshop, job) and is_answering(workshop, other), "both models answer")
    before = len(children_at_work(workshop))
    cancel = "from portal.models import Job\nJob.objects.get(pk={}).cancel(by=None)\nprint('null')"
    workshop.script(cancel.format(job))
    workshop.until_state([job], "cancelled")
    assert workshop.job(job)["reason"] == "Cancelled on request."
    workshop.until(lambda: 0 < len(children_at_work(workshop)) < before, "one child is left")
    assert workshop.job(other)["state"] == "running"
    workshop.script(cancel.format(other))
    workshop.until_state([other], "cancelled")
    took = "SELECT min(julianday(finished_at) - julianday(cancel_requested_at)) * 86400 FROM portal_job"
    assert workshop.query(took)[0][0] < 2  # the quicker of the two, as the machine is busy with other tests


def test_a_drained_worker_ends_what_it_runs_and_takes_jobs_again_when_told(workshop: Workshop) -> None:
    workshop.redis()
    workshop.relay()
    worker = workshop.worker()
    [running] = workshop.evaluations(1, seconds=3)
    workshop.until(lambda: is_answering(workshop, running), "the model answers")
    worker.send_signal(signal.SIGUSR1)
    draining = "SELECT draining FROM portal_workernode"
    workshop.until(lambda: workshop.query(draining) == [(1,)], "its row says so")
    [waiting] = workshop.evaluations(1)
    workshop.until_state([running], "succeeded")
    time.sleep(2)
    assert workshop.job(waiting)["state"] == "queued"
    [(name,)] = workshop.query("SELECT name FROM portal_workernode")
    assert "takes jobs again" in workshop.run("manage.py", "drain_worker", name, "--resume")
    worker.send_signal(signal.SIGUSR2)  # the signal that began it is its own matter
    workshop.until_state([waiting], "succeeded")


def test_a_worker_of_another_version_stops_with_a_message(workshop: Workshop) -> None:
    workshop.script(FOREIGN_MIGRATION)
    worker = workshop.worker()
    assert worker.wait(60) == 1
    said = (workshop.folder / "run_worker.log").read_text()
    assert "The database is of another version of the portal than this worker: portal.9999_of_tomorrow." in said
    assert workshop.query("SELECT slots, refusal != '' FROM portal_workernode") == [(0, 1)]


def test_a_job_that_takes_its_worker_with_it_again_and_again_is_stopped(workshop: Workshop) -> None:
    workshop.redis()
    workshop.relay()
    [poison] = workshop.evaluations(1, seconds=60)
    for _ in range(3):
        worker = workshop.worker()
        workshop.until(lambda: is_answering(workshop, poison), "the model answers")
        worker.kill()
        workshop.until_state([poison], "queued", "failed")
        workshop.script(AT_ONCE)
    assert workshop.job(poison)["state"] == "failed"
    assert workshop.job(poison)["reason_code"] == "crashed"
    workshop.worker()
    [healthy] = workshop.evaluations(1)
    workshop.until_state([healthy], "succeeded")


def test_a_worker_that_is_stopped_gives_its_jobs_back(workshop: Workshop) -> None:
    workshop.redis()
    workshop.relay()
    worker = workshop.worker()
    [job] = workshop.evaluations(1, seconds=8)
    workshop.until(lambda: is_answering(workshop, job), "the model answers")
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(60) == 0
    assert not children_at_work(workshop)
    assert not scratch_folders(workshop)
    assert (workshop.job(job)["state"], workshop.job(job)["attempt"]) == ("queued", 0)
    assert workshop.query("SELECT count(*) FROM portal_workernode") == [(0,)]
    workshop.worker()
    workshop.until_state([job], "succeeded")
    assert workshop.job(job)["attempt"] == 1
    ended_once(workshop, [job])


def test_a_second_relay_takes_over_from_a_dead_one(workshop: Workshop) -> None:
    workshop.redis()
    first = workshop.relay()
    holder = "SELECT holder FROM portal_duty WHERE name = 'relay'"
    workshop.until(lambda: workshop.query(holder), "the first relay acts")
    second = workshop.relay()
    workshop.worker()
    time.sleep(3)
    assert workshop.query(holder)[0][0].endswith(f"-{first.pid}")
    first.kill()
    [job] = workshop.evaluations(1)
    workshop.until_state([job], "succeeded")
    assert workshop.query(holder)[0][0].endswith(f"-{second.pid}")
    second.send_signal(signal.SIGTERM)
    assert second.wait(60) == 0
    assert workshop.query("SELECT until FROM portal_duty WHERE name = 'relay'") == [(None,)]
