"""The supervisor keeps children alive, prefixes their logs and leaves none behind."""

import errno
import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from tests.live import ROOT
from worker.supervising import Supervisor

SLEEP = [sys.executable, "-c", "import time; print('ready', flush=True); time.sleep(60)"]


@pytest.fixture
def supervisor():
    lines: list[str] = []
    made = Supervisor(env=os.environ, write=lines.append, coloured=False)
    made.lines = lines  # type: ignore[attr-defined]
    yield made
    made.stop()


def wait_until(condition, seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def watching(supervisor: Supervisor) -> threading.Thread:
    thread = threading.Thread(target=supervisor.watch, daemon=True)
    thread.start()
    return thread


def test_a_child_that_dies_is_started_again(supervisor):
    child = supervisor.start("web", SLEEP)
    watching(supervisor)
    first = child.process.pid
    os.kill(first, signal.SIGKILL)
    wait_until(lambda: child.process.pid != first and child.process.poll() is None)


def test_a_child_that_keeps_dying_is_started_ever_more_slowly(supervisor):
    child = supervisor.start("bad", [sys.executable, "-c", "raise SystemExit(3)"])
    watching(supervisor)
    wait_until(lambda: child.delay >= 2.0)
    assert any("bad ended with status 3" in line for line in supervisor.lines)


def test_a_restart_that_the_machine_refuses_is_tried_again(
    supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    child = supervisor.start("web", [sys.executable, "-c", "raise SystemExit(3)"])

    def refuse(*_arguments: object, **_options: object) -> None:
        raise OSError(errno.ENOMEM, "Cannot allocate memory")

    with monkeypatch.context() as short:
        short.setattr(subprocess, "Popen", refuse)
        watcher = watching(supervisor)
        wait_until(lambda: any("cannot be started" in line for line in supervisor.lines))
    child.command = SLEEP
    wait_until(lambda: child.process is not None and child.process.poll() is None, seconds=15)
    assert watcher.is_alive()


def test_logs_that_find_no_room_end_nothing(supervisor: Supervisor) -> None:
    def full(_line: str) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    keep, supervisor.write = supervisor.write, full
    code = "import time\nwhile True: print('x', flush=True); time.sleep(0.1)"
    supervisor.start("web", [sys.executable, "-c", code])
    watcher = watching(supervisor)
    time.sleep(1)
    supervisor.write = keep
    wait_until(lambda: "web   | x" in supervisor.lines)
    assert watcher.is_alive()


def test_a_job_that_runs_once_is_not_started_again(supervisor):
    child = supervisor.start("demo", [sys.executable, "-c", "print('done')"], once=True)
    watching(supervisor)
    wait_until(lambda: child.done)
    assert [line for line in supervisor.lines if line.startswith("demo")] == ["demo  | done"]


def test_stopping_ends_every_child(supervisor):
    children = [supervisor.start(name, SLEEP) for name in ("redis", "web")]
    supervisor.stop()
    assert all(child.process.poll() is not None for child in children)


def test_killing_the_supervisor_ends_its_children():
    code = (
        "import os, sys, time\n"
        "from worker.supervising import Supervisor\n"
        "supervisor = Supervisor(env=os.environ)\n"
        f"child = supervisor.start('web', {SLEEP!r})\n"
        "print(child.process.pid, flush=True)\n"
        "supervisor.watch()\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True) as parent:
        pid = int(parent.stdout.readline())
        parent.kill()
        wait_until(lambda: not os.path.exists(f"/proc/{pid}") or _is_zombie(pid))


def _is_zombie(pid: int) -> bool:
    with open(f"/proc/{pid}/stat") as stat:
        return stat.read().rsplit(")", 1)[1].split()[0] == "Z"


def test_what_supervises_the_portal_loads_nothing_of_django():
    code = "import sys, worker.supervise; print(*{name.partition('.')[0] for name in sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert not {"django", "requests", "celery", "models_hub", "portal"} & set(done.stdout.split())
