"""A real portal in processes of its own, for tests that use real clients, browsers and kill -9."""

import atexit
import itertools
import json
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from functools import cache
from pathlib import Path
from types import TracebackType

import requests

from tests import databases

ROOT = Path(__file__).resolve().parent.parent
PASSWORD = "correct horse battery staple"
START_SECONDS = 90
SCRIPT_SECONDS = 180
# Runs what it is told, line by line, and says what that printed and how it failed.
SHELL = """
import contextlib, io, json, sys, traceback
import django
django.setup()
for line in sys.stdin:
    said, failure = io.StringIO(), ""
    try:
        with contextlib.redirect_stdout(said):
            exec(json.loads(line), {})
    except Exception:
        failure = traceback.format_exc()
    print(json.dumps([said.getvalue(), failure]), flush=True)
"""


# Below those that the system gives to connections: one of these would be taken between its choice here and its use, and
# while a portal that was killed starts again. Each process of the tests goes its own way through them.
_ports = itertools.cycle(range(10_000, 32_000))
for _skipped in range(os.getpid() * 211 % 22_000):
    next(_ports)


def free_port() -> int:
    for port in _ports:
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("0.0.0.0", port))
            return port
    raise AssertionError("there is always another")


@cache
def static_files() -> Path:
    """Return collected static files, made once for all portals of a test run."""
    if (made := _collected()) is not None:
        return made
    folder = Path(tempfile.mkdtemp(prefix="portal-static-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    subprocess.run(
        [sys.executable, "manage.py", "collectstatic", "--noinput", "-v0"],
        cwd=ROOT, check=True, timeout=180,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "portal.config.settings.base", "DATA_DIR": str(folder / "data"),
            "STATIC_ROOT": str(folder / "static")},
    )  # fmt: skip
    return folder / "static"


def _collected() -> Path | None:
    """Return the static files that `make setup` collected, unless one has changed since: compressing takes long."""
    manifest = ROOT / "build" / "static" / "staticfiles.json"
    code = [ROOT / "portal" / "npm_finder.py", ROOT / "portal" / "static_storage.py"]
    packages = [path for path in (ROOT / "package-lock.json", Path(sys.prefix) / ".ready") if path.exists()]
    sources = [*code, *packages, *(path for path in (ROOT / "static").rglob("*") if path.is_file())]
    if not manifest.exists() or any(path.stat().st_mtime > manifest.stat().st_mtime for path in sources):
        return None
    return manifest.parent


class LivePortal:
    """The web process (gunicorn, as in production) with its own data folder; optionally relay, worker and Redis."""

    def __init__(self, folder: Path, *, with_worker: bool = False, **env: str) -> None:
        self.folder = folder
        self.with_worker = with_worker
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.data = folder / "data"
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("HF_", "PORTAL_", "DJANGO_"))}
        self.env = {
            **clean,
            "DJANGO_SETTINGS_MODULE": "portal.config.settings.base",
            "DATA_DIR": str(self.data),
            "HOST": "127.0.0.1",
            "PORT": str(self.port),
            "NO_DEMO": "1",
            "ADMIN_PASSWORD": PASSWORD,
            "RATE_LIMITS": "0",
            **env,
        }
        self.process: subprocess.Popen[bytes] | None = None
        self._shell: subprocess.Popen[str] | None = None
        self.sessions: dict[str, requests.Session] = {}
        self.tokens: dict[tuple[str, str], str] = {}

    def __enter__(self) -> "LivePortal":
        self.data.mkdir(parents=True, exist_ok=True)
        self.env.setdefault("STATIC_ROOT", str(static_files()))
        if "DATABASE_URL" not in self.env and not (self.data / "portal.sqlite3").exists():
            shutil.copyfile(databases.sqlite(), self.data / "portal.sqlite3")
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        if self._shell is not None:
            with self._shell:  # which closes its input, so that it ends
                pass

    def start(self) -> None:
        """Start the processes and wait until the portal answers."""
        command = [sys.executable, "-m", "gunicorn", "-c", "portal/config/gunicorn.py", "portal.config.wsgi"]
        if self.with_worker:
            command = [sys.executable, "manage.py", "run_portal"]
        with (self.folder / "portal.log").open("ab") as log:
            self.process = subprocess.Popen(
                command, cwd=ROOT, env=self.env, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
            )
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                break
            try:
                if requests.get(f"{self.url}/healthz", timeout=20).ok:
                    return
            except requests.RequestException:
                time.sleep(0.1)
        raise AssertionError(f"The portal did not start:\n{self.log()[-3000:]}")

    def stop(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.kill()

    def kill(self) -> None:
        """kill -9 of the web process and all its workers."""
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(10)

    def log(self) -> str:
        return (self.folder / "portal.log").read_text(encoding="utf-8", errors="replace")

    def manage(self, *arguments: str, input: str | None = None) -> str:
        """Run manage.py against this portal's data and return what it printed."""
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT, env=self.env, input=input, capture_output=True, text=True, timeout=180, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"manage.py {' '.join(arguments)}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def script(self, code: str) -> str:
        """Run code against this portal's data and return what it printed; one process runs all of it."""
        if self._shell is None:
            with (self.folder / "script.log").open("ab") as log:
                self._shell = subprocess.Popen(
                    [sys.executable, "-c", SHELL], cwd=ROOT, env=self.env, text=True,
                    stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log,
                )  # fmt: skip
        assert self._shell.stdin is not None
        assert self._shell.stdout is not None
        print(json.dumps(code), file=self._shell.stdin, flush=True)
        assert select.select([self._shell.stdout], [], [], SCRIPT_SECONDS)[0], f"This took too long:\n{code}"
        said: str
        said, failure = json.loads(self._shell.stdout.readline())
        assert not failure, f"{code}\n{said}\n{failure}"
        return said

    def command(self, name: str) -> str:
        """Run a command of manage.py where scripts run, and return what it printed."""
        return self.script(f"from django.core.management import call_command\ncall_command({name!r})")

    def sign_up(self, name: str) -> requests.Session:
        """Create an account through the sign-up page, as a person does, and stay signed in."""
        session = requests.Session()
        page = session.get(f"{self.url}/accounts/signup/", timeout=30)
        answer = session.post(
            f"{self.url}/accounts/signup/",
            data={
                "csrfmiddlewaretoken": csrf_of(page.text),
                "username": name,
                "email": f"{name}@example.org",
                "password1": PASSWORD,
                "password2": PASSWORD,
            },
            timeout=30,
        )
        assert "sessionid" in session.cookies, answer.text[:2000]
        return session

    def user(self, name: str, role: str = "write") -> str:
        """Return an access token of a person, who is signed up at the first call."""
        if (name, role) not in self.tokens:
            session = self.sessions.get(name) or self.sessions.setdefault(name, self.sign_up(name))
            self.tokens[name, role] = self._issue(session, role)
        return self.tokens[name, role]

    def _issue(self, session: requests.Session, role: str) -> str:
        """Create a token on its page: a process of manage.py costs as much as thirty requests."""
        page = f"{self.url}/settings/tokens"
        form = {"csrfmiddlewaretoken": csrf_of(session.get(page, timeout=30).text), "name": "test", "role": role}
        answer = session.post(page, data=form, timeout=30)
        session.close()  # its connection: the person stays signed in
        found = re.search(r'id="secret" value="([^"]+)"', answer.text)
        assert found, answer.text[:2000]
        return found[1]


def csrf_of(page: str) -> str:
    match = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    assert match, page[:500]
    return match[1]
