"""manage.py run_portal: one command starts everything, says where it is, and leaves nothing behind."""

import re
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests

from tests.live import ROOT, LivePortal, csrf_of
from tests.loaded import Loaded

pytestmark = pytest.mark.live


@pytest.fixture
def portal(tmp_path: Path):
    with LivePortal(tmp_path, with_worker=True, ADMIN_PASSWORD="") as made:
        yield made


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory):
    """One that nobody stops, at an address of version 6, for tests that only look at it."""
    portal = LivePortal(tmp_path_factory.mktemp("running"), with_worker=True, HOST="::1")
    portal.url = f"http://[::1]:{portal.port}"
    with portal:
        yield portal


def processes_of(portal: LivePortal) -> list[str]:
    """Command lines of all processes that work on this portal's data."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            environment, command = (folder / "environ").read_bytes(), (folder / "cmdline").read_bytes()
            # Redis writes its title over its environment, and names its socket there.
            if f"DATA_DIR={portal.data}\0".encode() in environment or str(portal.data).encode() in command:
                found.append(command.replace(b"\0", b" ").decode())
        except OSError:
            continue
    return [command for command in found if command]


def second(portal: LivePortal, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", "run_portal"],
        cwd=ROOT, env={**portal.env, **env}, capture_output=True, text=True, timeout=180, check=False,
    )  # fmt: skip


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory):
    """A portal that is loaded with its pages, which the checks of each start look at."""
    folder = tmp_path_factory.mktemp("loaded")
    with Loaded(folder, LivePortal(folder, with_worker=True).env, "portal.config.urls") as made:
        yield made


def test_it_stops_every_part_and_prints_a_password_that_works_only_once(portal: LivePortal):
    [password] = re.findall(r"administrator +password: (\S+)", portal.log())
    session = requests.Session()
    page = session.get(f"{portal.url}/accounts/login/", timeout=30)
    form = {"csrfmiddlewaretoken": csrf_of(page.text), "login": "administrator", "password": password}
    session.post(f"{portal.url}/accounts/login/", data=form, timeout=30)
    assert session.get(f"{portal.url}/admin/", timeout=30).status_code == 200
    portal.stop()
    until = time.monotonic() + 60  # what was killed may still be listed for a moment
    while processes_of(portal) and time.monotonic() < until:
        time.sleep(0.1)
    assert processes_of(portal) == []
    portal.start()
    assert portal.log().count("password:") == 1


def test_it_runs_every_part(running: LivePortal):
    until = time.monotonic() + 60  # the pages answer before the others have begun
    parts = ("redis-server", "gunicorn", "run_relay", "run_worker")
    while missing := [name for name in parts if name not in " ".join(processes_of(running))]:
        assert time.monotonic() < until, missing
        time.sleep(0.1)


def test_a_second_portal_over_the_same_data_is_refused(running: LivePortal):
    refused = second(running, PORT="0")
    assert refused.returncode != 0
    assert "already runs" in refused.stderr
    assert "DATA_DIR" in refused.stderr


def test_a_port_in_use_is_named(tmp_path: Path):
    portal = LivePortal(tmp_path, with_worker=True)
    portal.data.mkdir(parents=True)
    with socket.create_server(("127.0.0.1", portal.port)):
        refused = second(portal)
    assert refused.returncode != 0
    assert f"Port {portal.port}" in refused.stderr
    assert "PORT" in refused.stderr


@pytest.mark.parametrize(
    ("env", "said"),
    [
        ({"PORT": "99999"}, "PORT must be a number from 1 to 65535, not 99999."),
        ({"PORT": "http"}, "PORT must be a whole number, not 'http'."),
        ({"HOST": "no.such.host.invalid"}, "set HOST to an address of this machine"),
        ({"HOST": "192.0.2.1"}, "set HOST to an address of this machine"),
    ],
)
def test_an_address_that_cannot_be_used_is_one_line_and_not_a_traceback(loaded: Loaded, tmp_path: Path, env, said: str):
    out, err = tmp_path / "out", tmp_path / "err"
    code = f"import os, runpy, sys; os.environ.update({env!r}); sys.argv[:] = ['manage.py', 'run_portal']"
    ended = loaded.start(f"{code}; runpy.run_path('manage.py', run_name='__main__')", out=out, err=err).wait(180)
    assert ended != 0
    assert said in err.read_text()
    assert "Traceback" not in err.read_text()
    assert "password" not in out.read_text()  # it would not be shown again


@pytest.mark.parametrize("place", ["/dev/null/data", "/proc/portal"])
def test_a_folder_that_cannot_be_used_is_one_line_and_not_a_traceback(tmp_path: Path, place: str):
    refused = second(LivePortal(tmp_path, with_worker=True), DATA_DIR=place)
    assert refused.returncode != 0
    assert "set DATA_DIR to a folder of yours." in refused.stderr
    assert "Traceback" not in refused.stderr


def test_it_listens_on_an_address_of_version_6_too(running: LivePortal):
    assert requests.get(f"{running.url}/healthz", timeout=30).ok
    deadline = time.monotonic() + 90
    while f"answers at {running.url} after" not in running.log():
        assert time.monotonic() < deadline, running.log()
        time.sleep(0.2)


def test_the_doctor_finds_a_running_portal_well(running: LivePortal):
    said = running.manage("doctor")
    assert "FAIL" not in said
    for name in ("Python", "Database", "Redis: answers", "Static files", "Sandbox", "Workers"):
        assert name in said


def test_the_doctor_says_how_to_mend_each_fault(tmp_path: Path):
    portal = LivePortal(tmp_path, STATIC_ROOT=str(tmp_path / "none"), REDIS_URL="redis://127.0.0.1:1/0")
    done = subprocess.run(
        [sys.executable, "manage.py", "doctor"],
        cwd=ROOT, env=portal.env, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode != 0
    for remedy in ("manage.py migrate", "manage.py collectstatic", "Check REDIS_URL"):
        assert remedy in done.stdout
    assert re.search(r"[3-9] things to mend", done.stderr)


def test_static_files_are_hashed_compressed_and_kept(live_portal: LivePortal):
    page = requests.get(live_portal.url, timeout=30).text
    [address] = re.findall(r'href="(/static/vendor/tabler/tabler\.min\.[0-9a-f]{12}\.css)"', page)
    answer = requests.get(live_portal.url + address, headers={"Accept-Encoding": "br"}, stream=True, timeout=30)
    assert answer.headers["Content-Encoding"] == "br"
    assert "immutable" in answer.headers["Cache-Control"]
    policy = requests.get(live_portal.url, timeout=30).headers["Content-Security-Policy"]
    assert "script-src 'self';" in policy + ";"
