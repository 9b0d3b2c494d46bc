"""A worker in a network of its own and without the portal's disk: killed again and again, it does each job once."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from ipaddress import IPv4Address
from pathlib import Path

import pytest

from tests.live import ROOT, free_port
from tests.servers import absent, need
from tests.worker import postgres
from tests.worker.workshop import Workshop

pytestmark = pytest.mark.live

# Four addresses of this process: another run of the tests on this machine has others.
FIRST = IPv4Address("10.213.0.0") + os.getpid() % 2**14 * 4
HERE, THERE = str(FIRST + 1), str(FIRST + 2)
JOBS, KILLS = 40, 10


@contextmanager
def network() -> Iterator[str]:
    """Make another network namespace, joined to this one by a cable; yields its name."""
    [ip] = need("ip")
    name = f"far{os.getpid()}"
    commands = (
        f"netns add {name}",
        f"link add {name}a type veth peer name {name}b netns {name}",
        f"addr add {HERE}/30 dev {name}a",
        f"link set {name}a up",
        f"-n {name} addr add {THERE}/30 dev {name}b",
        f"-n {name} link set {name}b up",
        f"-n {name} link set lo up",
    )
    try:
        for command in commands:
            done = subprocess.run([ip, *command.split()], capture_output=True, text=True, timeout=10, check=False)
            if done.returncode:
                absent(f"needs to make network namespaces: {done.stderr.strip()}")
        yield name
    finally:
        subprocess.run([ip, "link", "del", f"{name}a"], capture_output=True, timeout=10, check=False)
        subprocess.run([ip, "netns", "del", name], capture_output=True, timeout=10, check=False)


class FarWorkshop(Workshop):
    """The portal here, its workers in the other network with nothing but addresses and keys."""

    def __init__(self, folder: Path, *, namespace: str, database: str) -> None:
        self.namespace = namespace
        self.port, self.redis_port = free_port(), free_port()
        super().__init__(
            folder,
            DATABASE_URL=database,
            REDIS_URL=f"redis://{HERE}:{self.redis_port}/0",
            SECRET_KEY="a key that portal and workers share",
            ALLOWED_HOSTS=HERE,
            HOST=HERE,
            PORT=str(self.port),
            WEB_PROCESSES="1",
            STATIC_ROOT=str(folder / "static"),
        )

    def serve(self) -> None:
        program = shutil.which("redis-server")
        assert program is not None
        options = ("--port", str(self.redis_port), "--bind", HERE, "--protected-mode", "no", "--save", "")
        self.start(program, *options, "--dir", str(self.folder))
        self.start(sys.executable, "-m", "gunicorn", "-c", "portal/config/gunicorn.py", "portal.config.wsgi")
        self.relay()

    def far_worker(self) -> subprocess.Popen[bytes]:
        """Start a worker that sees another network and an empty folder in the place of the portal's data."""
        far = self.folder / "far"
        far.mkdir(exist_ok=True)
        hidden = f'mount -t tmpfs none "{self.data}" && exec "$0" manage.py run_worker'
        with (self.folder / "far_worker.log").open("ab") as log:
            process = subprocess.Popen(
                ["ip", "netns", "exec", self.namespace, "unshare", "-m", "sh", "-c", hidden, sys.executable],
                cwd=ROOT, stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
                env={**self.env, "DATA_DIR": str(far), "PORTAL_URL": f"http://{HERE}:{self.port}"},
            )  # fmt: skip
        self.processes.append(process)
        return process

    def count(self, condition: str) -> int:
        """Count jobs, without the seconds that a process of the portal takes to start."""
        [binary] = need("psql")
        sql = f"SELECT count(*) FROM portal_job WHERE {condition}"
        asked = subprocess.run(
            [binary, self.env["DATABASE_URL"], "-Atc", sql], capture_output=True, text=True, timeout=20, check=True
        )
        return int(asked.stdout)

    def works(self, worker: subprocess.Popen[bytes]) -> bool:
        """Whether this worker has a job in hand."""
        return self.count(f"state IN ('leased', 'running') AND worker LIKE '%-{worker.pid}'") > 0

    def logs(self) -> str:
        return "\n".join(f"== {path.name}\n{path.read_text()[-3000:]}" for path in sorted(self.folder.glob("*.log")))


@pytest.fixture
def workshop(tmp_path: Path) -> Iterator[FarWorkshop]:
    need("unshare", "redis-server", "psql")
    with (
        network() as namespace,
        postgres.cluster(HERE, free_port()) as url,
        FarWorkshop(tmp_path, namespace=namespace, database=url) as workshop,
    ):
        workshop.serve()
        yield workshop


def ask_for_mixed_jobs(workshop: FarWorkshop) -> None:
    """Evaluations short and longer, and some that must fail because of their model."""
    workshop.evaluations(JOBS - 12)
    workshop.evaluations(8, seconds=1)
    workshop.evaluations(4, error="weights_incomplete")


def ends(workshop: FarWorkshop) -> dict[str, int]:
    """How often each job ended, and how many scores there are."""
    told: dict[str, int] = workshop.script("""
from collections import Counter
from leaderboard.models import Evaluation
from portal.models import Event, Job
kinds = ("job.succeeded", "job.failed", "job.cancelled")
counts = Counter(Event.objects.filter(kind__in=kinds).values_list("subject", flat=True))
states = Counter(Job.objects.values_list("state", flat=True))
print(json.dumps({"jobs": len(counts), "most": max(counts.values()), "scores": Evaluation.objects.finished().count(),
    "completed": Event.objects.filter(kind="evaluation.completed").count(), **states}))
""")
    return told


def test_far_workers_killed_ten_times_do_each_job_once(workshop: FarWorkshop) -> None:
    ask_for_mixed_jobs(workshop)
    worker = workshop.far_worker()
    for kill in range(1, KILLS + 1):
        following = workshop.far_worker()
        workshop.until(partial(workshop.works, worker), f"the worker works before the {kill}. kill")
        os.killpg(worker.pid, signal.SIGKILL)
        worker.wait(10)
        worker = following
    workshop.until(lambda: workshop.count("state NOT IN ('succeeded', 'failed')") == 0, "all jobs have ended", 240)
    assert ends(workshop) == {
        "jobs": JOBS, "most": 1, "scores": JOBS - 4, "completed": JOBS - 4, "succeeded": JOBS - 4, "failed": 4,
    }  # fmt: skip
    assert workshop.count("losses > 0") >= KILLS / 2
    assert not (workshop.data / "scratch").exists()  # all was done without the portal's disk
