"""gunicorn with the workers of portal/config/forking.py and an application of a few lines."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
import requests

from tests.live import ROOT, free_port

pytestmark = [pytest.mark.live, pytest.mark.skipif(sys.platform != "linux", reason="only Linux hands orphans over")]

SETTINGS = """
from portal.config import forking
together = forking.adopt_orphans()
workers, worker_class, threads, control_socket_disable = 2, "gthread", 2, True
on_starting, post_fork = forking.start_together, forking.join
"""
APPLICATION = """
import os, pathlib
with pathlib.Path("loads").open("a") as loads:
    loads.write(f"{os.getpid()}\\n")
def application(environ, start_response):
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]
"""


class Server:
    """gunicorn over a folder that has the application."""

    def __init__(self, folder: Path, application: str = APPLICATION) -> None:
        self.folder, self.port = folder, free_port()
        (folder / "settings.py").write_text(SETTINGS)
        (folder / "app.py").write_text(application)
        command = [sys.executable, "-m", "gunicorn", "-c", "settings.py", "-b", f"127.0.0.1:{self.port}", "app"]
        self.process = subprocess.Popen(command, cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT)})

    def workers(self) -> set[int]:
        return {child.pid for child in psutil.Process(self.process.pid).children()}

    def loads(self) -> list[int]:
        return [int(line) for line in (self.folder / "loads").read_text().split()]

    def answers(self) -> bool:
        try:
            return requests.get(f"http://127.0.0.1:{self.port}/", timeout=5).text == "ok"
        except requests.RequestException:
            return False


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    started = Server(tmp_path)
    try:
        until(started.answers)
        until(lambda: len(started.workers()) == 2)
        yield started
    finally:
        started.process.terminate()
        started.process.wait(20)


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_two_workers_share_what_one_process_loaded_and_that_one_is_gone(server: Server) -> None:
    [loader] = server.loads()
    assert loader not in server.workers() | {server.process.pid}
    until(lambda: not psutil.pid_exists(loader))
    assert {psutil.Process(pid).ppid() for pid in server.workers()} == {server.process.pid}


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_worker_that_ends_is_replaced_and_the_other_stays(server: Server, number: int) -> None:
    ends, stays = server.workers()
    os.kill(ends, number)
    until(lambda: len(server.workers() - {ends}) == 2)
    until(lambda: len(server.loads()) == 2)
    until(lambda: not psutil.pid_exists(server.loads()[-1]))
    assert stays in server.workers()
    assert server.answers()


def test_new_workers_take_the_place_of_the_old_ones_when_gunicorn_is_told_to_reload(server: Server) -> None:
    old = server.workers()
    server.process.send_signal(signal.SIGHUP)
    until(lambda: len(server.workers()) == 2 and not server.workers() & old)
    assert server.answers()


def test_no_worker_outlives_gunicorn(server: Server) -> None:
    workers = server.workers()
    server.process.kill()
    until(lambda: not any(psutil.pid_exists(pid) for pid in workers))


def test_an_application_that_cannot_be_loaded_ends_gunicorn(tmp_path: Path) -> None:
    broken = Server(tmp_path, "raise RuntimeError('no settings')")
    assert broken.process.wait(30) not in {0, -signal.SIGKILL}
