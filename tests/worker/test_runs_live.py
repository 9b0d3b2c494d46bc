"""Runs on workers that are killed with -9 and have no access to the portal's storage: nothing is lost or done twice."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.live import ROOT, LivePortal

pytestmark = pytest.mark.live

PATIENCE = 240
TRIALS, BEFORE = 20, 14  # so many trials of a search, and so many of them were over before the workers began
ASK = """
import json
from models_hub import publishing
from models_hub.adapting import asking, studies, wishes
from models_hub.publishing import PutFile
from portal.models import User
from tests.evaluating import model_files
from tests.tuning import rows, wish
alice = User.objects.filter(username="alice").first() or User.objects.create_user("alice", "a@example.org", "x")
def put(kind, name, files):
    if not alice.namespace.repos.filter(kind=kind, name=name).exists():
        repo = publishing.create_repo(by=alice, namespace="alice", kind=kind, name=name)
        publishing.commit(repo=repo, by=alice, title="Add", changes=[
            PutFile(path, text.encode() if isinstance(text, str) else text) for path, text in files.items()])
put("dataset", "moods", {"train.jsonl": rows()})
"""


class Site(LivePortal):
    """A portal whose own worker trains nothing, and workers elsewhere that have its database and broker alone."""

    def __enter__(self) -> "Site":
        super().__enter__()
        self.workers: list[subprocess.Popen[bytes]] = []
        return self

    def stop(self) -> None:
        for worker in self.workers:
            self.kill_worker(worker)
        super().stop()

    def have_two_workers(self) -> None:
        alive = [worker for worker in self.workers if worker.poll() is None]
        self.workers = [*alive, *(self._far_worker() for _missing in range(2 - len(alive)))]

    def _far_worker(self) -> subprocess.Popen[bytes]:
        far = self.folder / "far"
        far.mkdir(exist_ok=True)
        redis = self.script("from django.conf import settings; print(settings.REDIS_URL)").strip()
        with (self.folder / "far.log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "manage.py", "run_worker"],
                cwd=ROOT, stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
                env={
                    **self.env, "DATA_DIR": str(far), "DATABASE_URL": f"sqlite:///{self.data}/portal.sqlite3",
                    "REDIS_URL": redis, "PORTAL_URL": self.url, "WORKER_QUEUES": "cpu",
                },
            )  # fmt: skip

    def kill_worker(self, worker: subprocess.Popen[bytes]) -> None:
        if worker.poll() is None:
            os.killpg(worker.pid, signal.SIGKILL)
            worker.wait(10)

    def kill_worker_named(self, name: str) -> None:
        [worker] = [one for one in self.workers if name.endswith(f"-{one.pid}")]
        self.kill_worker(worker)

    def asked(self, code: str) -> Any:
        return json.loads(self.script(ASK + code))

    def until(self, holds: Callable[[], Any], what: str) -> Any:
        deadline = time.monotonic() + PATIENCE
        while not (found := holds()):
            assert time.monotonic() < deadline, f"waited in vain until {what}\n{self.logs()}"
            time.sleep(0.2)
        return found

    def logs(self) -> str:
        jobs = self.script("from portal.models import Job\nfor job in Job.objects.all(): print(job, vars(job))")
        return f"{jobs[-6000:]}\n{self.log()[-4000:]}\n{(self.folder / 'far.log').read_text()[-4000:]}"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("site")
    options = {
        "PORTAL_FAKE_ENGINE": "1", "JOB_LEASE_SECONDS": "3", "WORKER_QUEUES": "light", "SECRET_KEY": "shared",
        "WEB_PROCESSES": "1", "RUNS_PER_DAY": "0",
    }  # fmt: skip
    with Site(folder, with_worker=True, **options) as made:
        yield made


def curve_of(site: Site, run: int) -> list[list[float]]:
    found: list[list[float]] = site.asked(f"""
from models_hub.models import RunPoint
points = RunPoint.objects.filter(run={run}, kind="step").order_by("seq").values_list("data", flat=True)
print(json.dumps([[point["step"], point["loss"], point["lr"]] for point in points]))
""")
    return found


def test_a_run_whose_worker_is_killed_ends_on_the_curve_of_one_that_was_not(site: Site) -> None:
    site.have_two_workers()
    killed, whole = site.asked("""
put("model", "slow", model_files(seconds=5))
print(json.dumps([asking.ask(wishes.read(wish(base="alice/slow", target=f"alice/{name}")), by=alice).pk
    for name in ("killed", "whole")]))
""")
    worker = site.until(
        lambda: site.asked(f"""
from models_hub.models import Run
run = Run.objects.select_related("job").get(pk={killed})
is_past = run.checkpoint_step == 5 and run.points.filter(data__step__gte=7).exists()
print(json.dumps(run.job.worker if is_past else ""))
"""),
        "the run is past its checkpoint",
    )
    site.kill_worker_named(worker)
    ends = site.until(
        lambda: site.asked(f"""
from models_hub.models import Run
runs = Run.objects.filter(pk__in={[killed, whole]}, finished_at__isnull=False).order_by("pk")
print(json.dumps([[run.result.full_name, run.job.kind, run.scores["after"]["primary"], run.value] for run in runs]
    if len(runs) == 2 else []))
"""),
        "both runs have ended",
    )
    # The workers that trained could not publish; the portal's own did.
    assert [end[:2] for end in ends] == [["alice/killed", "publish_run"], ["alice/whole", "publish_run"]]
    assert ends[0][2:] == ends[1][2:]
    assert [step for step, *_rest in curve_of(site, killed)] == list(range(1, 11))
    assert curve_of(site, killed) == curve_of(site, whole)
    losses, models = site.asked(f"""
from portal.models import Event, Job
from models_hub.models import Repo
losses = list(Job.objects.filter(kind="finetune", spec__run={killed}).values_list("losses", flat=True))
print(json.dumps([losses, Repo.objects.filter(name__in=("killed", "whole")).count()]))
""")
    assert losses == [1]
    assert models == 2
    assert not list((site.folder / "far").glob("*/blobs/*"))


def test_a_search_of_twenty_trials_survives_the_loss_of_a_worker(site: Site) -> None:
    site.have_two_workers()
    study = site.asked(f"""
put("model", "quick", model_files())
space = {{"lr": {{"type": "float", "low": 1e-5, "high": 1e-1, "log": True}}}}
plan = {{"trials": {TRIALS}, "parallel": 2, "sampler": "random", "pruner": "none"}}
asked = wishes.read(wish(base="alice/quick", target="alice/searched", test_share=0.0))
study = studies.ask(asked, space, plan, by=alice)
from django.utils import timezone
from models_hub.models import Run
for number in range(1, {BEFORE} + 1):
    Run.objects.create(owner=alice, title="before", study=study, number=number, target=asked.target, task=asked.task,
        value=0.1, options={{"params": {{"lr": 1e-5}}}}, finished_at=timezone.now())
print(json.dumps(study.pk))
""")
    worker = site.until(
        lambda: site.asked(f"""
from models_hub.models import Run
at_work = Run.objects.filter(study={study}, job__state="running").values_list("job__worker", flat=True).first()
over = Run.objects.filter(study={study}, finished_at__isnull=False).count()
print(json.dumps(at_work if over > {BEFORE} else ""))
"""),
        "a trial is over and another one runs",
    )
    site.kill_worker_named(worker)
    found = site.until(
        lambda: site.asked(f"""
from models_hub.models import Study
study = Study.objects.get(pk={study})
values = list(study.runs.values_list("value", flat=True))
best = studies.best_of(study)
kept = list(study.runs.filter(checkpoint__isnull=False).values_list("pk", flat=True))
numbers = list(study.runs.order_by("number").values_list("number", flat=True))
print(json.dumps([values, best.value, kept == [best.pk], numbers] if study.state == "finished" else []))
"""),
        "the search has ended",
    )
    values, best, is_best_kept, numbers = found
    assert numbers == list(range(1, TRIALS + 1))
    assert None not in values
    assert best == max(values)
    assert is_best_kept
