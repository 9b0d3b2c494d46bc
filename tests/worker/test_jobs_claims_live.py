"""Many processes claim, lose and finish jobs at once: on both databases each job ends exactly once."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.worker import postgres
from tests.worker.workshop import Workshop

pytestmark = pytest.mark.live

JOBS, WORKERS = 60, 4
# Each process tries every job; now and then it “dies”: it lets its lease run out instead of finishing.
CLAIMER = """
import random, time
from datetime import timedelta
from portal import fair_share
from portal.models import Job, LeaseLost
dice = random.Random(int(me))
def work(job):
    if dice.random() < 0.1:
        return
    job.report(0.5, "half")
    job.log("a line")
    try:
        job.finish({"by": me})
    except LeaseLost:
        pass
while Job.objects.unfinished().exists():
    for job in Job.objects.expired():
        job.expire()
    Job.objects.filter(state="queued").update(not_before=None)
    for pk, _kind, _needs in fair_share.line("cpu")[:20]:
        job = Job.claim(pk, worker=me, lease=timedelta(seconds=0.5))
        if job is not None:
            try:
                work(job)
            except LeaseLost:
                pass
    time.sleep(0.05)
"""


@pytest.fixture(params=["sqlite", "postgresql"])
def workshop(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Workshop]:
    if request.param == "sqlite":
        with Workshop(tmp_path) as workshop:
            yield workshop
        return
    with postgres.cluster() as url, Workshop(tmp_path, DATABASE_URL=url) as workshop:
        yield workshop


def test_every_job_ends_exactly_once(workshop: Workshop) -> None:
    workshop.script(f"""
from portal.models import Job
for _ in range({JOBS}):
    Job.enqueue("test", spec={{}}, owner=None, title="", max_attempts=50)
print("null")
""")
    log = workshop.folder / "claimers.log"
    claimers = [workshop.loaded.start(f"me = '{number}'{CLAIMER}", out=log, err=log) for number in range(WORKERS)]
    assert [claimer.wait(120) for claimer in claimers] == [0] * WORKERS
    jobs = workshop.script("""
from django.db.models import Count
from portal.models import Event, Job
ends = dict(Event.objects.filter(kind__in=("job.succeeded", "job.failed")).values_list("subject").annotate(Count("id")))
print(json.dumps([[job.state, job.reason_code, job.attempt, ends[f"job:{job.pk}"]] for job in Job.objects.all()]))
""")
    assert len(jobs) == JOBS
    for state, code, _attempt, ends in jobs:
        assert (state, code) in {("succeeded", ""), ("failed", "crashed")}
        assert ends == 1
    assert sum(state == "succeeded" for state, *_ in jobs) > JOBS / 2
    assert any(attempt > 1 for _state, _code, attempt, _ends in jobs), json.dumps(jobs)
