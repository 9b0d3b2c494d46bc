"""A relay, workers and a Redis in processes of their own, for tests that kill, stop and starve them."""

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests import databases
from tests.live import ROOT
from tests.loaded import Fork, Loaded

PATIENCE = 90
SCRIPT_SECONDS = 180
COMMANDS = "worker.management.commands"


class Workshop:
    """One data folder with its processes. Nothing here talks to the test's own database."""

    def __init__(self, folder: Path, **env: str) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.data.mkdir()
        self.socket = folder / "redis.sock"
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("DJANGO_", "HF_", "PORTAL_"))}
        self.env = {
            **clean,
            "DJANGO_SETTINGS_MODULE": "portal.config.settings.base",
            "DATA_DIR": str(self.data),
            "REDIS_URL": f"unix://{self.socket}",
            "PORTAL_FAKE_ENGINE": "1",
            "JOB_LEASE_SECONDS": "3",
            "WORKER_SLOTS": "2",
            **env,
        }
        self.processes: list[subprocess.Popen[bytes] | Fork] = []
        self._loaded: Loaded | None = None
        self._copy_database()

    def _copy_database(self) -> None:
        if "DATABASE_URL" not in self.env:
            shutil.copyfile(databases.sqlite(), self.data / "portal.sqlite3")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        if self._loaded is not None:
            self._loaded.__exit__(kind, error, trace)

    def stop(self) -> None:
        """Kill all its processes."""
        for process in self.processes:
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.kill()
                process.wait(10)
        self.processes.clear()

    def clear(self) -> None:
        """Stop, and be as new, but for the portal that is loaded already."""
        self.stop()
        for path in (*self.data.glob("portal.sqlite3*"), *self.data.glob("*/*"), *self.folder.glob("*.log")):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        self.socket.unlink(missing_ok=True)
        self._copy_database()

    @property
    def loaded(self) -> Loaded:
        if self._loaded is None:
            self._loaded = Loaded(self.folder, self.env, f"{COMMANDS}.run_relay", f"{COMMANDS}.run_worker")
        return self._loaded

    def run(self, *arguments: str, input: str | None = None) -> str:
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=ROOT, env=self.env, input=input, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"{arguments}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def script(self, code: str) -> Any:
        """Run code in a process of this installation; it answers by printing JSON as its last line."""
        return json.loads(self.loaded.run("import json\n" + code, SCRIPT_SECONDS).strip().splitlines()[-1])

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        name = arguments[-1].rsplit("/", 1)[-1]
        with (self.folder / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                arguments, cwd=ROOT, env=self.env, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
            )
        self.processes.append(process)
        return process

    def redis(self) -> subprocess.Popen[bytes]:
        program = shutil.which("redis-server")
        assert program is not None
        options = ("--port", "0", "--unixsocket", str(self.socket), "--save", "", "--appendonly", "no")
        process = self.start(program, *options, "--dir", str(self.folder))
        self.until(self.socket.exists, "Redis listens")
        return process

    def flush_redis(self) -> None:
        program = shutil.which("redis-cli")
        assert program is not None
        subprocess.run([program, "-s", str(self.socket), "FLUSHALL"], check=True, capture_output=True, timeout=10)

    def manage(self, command: str) -> Fork:
        """Start a command of manage.py in the portal that is loaded."""
        log = self.folder / f"{command}.log"
        code = f"from django.core.management import execute_from_command_line as run\nrun(['manage.py', {command!r}])"
        process = self.loaded.start(code, out=log, err=log)
        self.processes.append(process)
        return process

    def relay(self) -> Fork:
        return self.manage("run_relay")

    def worker(self) -> Fork:
        return self.manage("run_worker")

    def query(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        connection = sqlite3.connect(self.data / "portal.sqlite3", timeout=20)
        try:
            return connection.execute(sql, values).fetchall()
        finally:
            connection.close()

    def job(self, job_id: int) -> dict[str, Any]:
        names = ("state", "attempt", "losses", "fence", "worker", "reason_code", "reason", "progress")
        rows = self.query(f"SELECT {', '.join(names)} FROM portal_job WHERE id = ?", job_id)
        return dict(zip(names, rows[0], strict=True))

    def until(self, holds: Callable[[], object], what: str, patience: float = PATIENCE) -> None:
        deadline = time.monotonic() + patience
        while not holds():
            assert time.monotonic() < deadline, f"waited in vain until {what}\n{self.logs()}"
            time.sleep(0.1)

    def until_state(self, jobs: Sequence[int], *states: str, patience: float = PATIENCE) -> None:
        self.until(lambda: all(self.job(job)["state"] in states for job in jobs), f"{jobs} are {states}", patience)

    def logs(self) -> str:
        jobs = self.query("SELECT id, state, attempt, fence, reason_code, reason, message FROM portal_job")
        texts = [f"== {path.name}\n{path.read_text()[-3000:]}" for path in sorted(self.folder.glob("*.log"))]
        return "\n".join([*map(str, jobs), *texts])

    def evaluations(self, count: int = 1, **fake_engine: object) -> list[int]:
        """Ask for evaluations of `count` different models and return the ids of their jobs."""
        return list(
            self.script(f"""
from leaderboard import benchmarks, submitting
from models_hub import publishing
from models_hub.publishing import PutFile
from portal.models import User
from tests.evaluating import dataset_files, model_files
def put(repo, files):
    publishing.commit(repo=repo, by=alice, title="Add", changes=[
        PutFile(path, text.encode() if isinstance(text, str) else text) for path, text in files.items()])
    repo.refresh_from_db()
    return repo
def create(kind, name):
    return publishing.create_repo(by=alice, namespace="alice", kind=kind, name=name)
alice = User.objects.filter(username="alice").first() or User.objects.create_user("alice", "a@example.org", "x")
data = alice.namespace.repos.filter(kind="dataset").first() or put(create("dataset", "mood"), dataset_files())
benchmark = benchmarks.register(data, by=alice)[0]
first = alice.namespace.repos.count()
models = [put(create("model", f"bert{{first + i}}"), model_files(float(first + i), **{fake_engine!r}))
    for i in range({count})]
print(json.dumps([submitting.submit(model, benchmark, by=alice)[0].job_id for model in models]))
""")
        )
