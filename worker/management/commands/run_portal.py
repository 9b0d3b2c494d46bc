"""manage.py run_portal: the whole portal with one command."""

import errno
import fcntl
import os
import secrets
import signal
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import requests
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from models_hub.models import Repo
from portal.config import env
from portal.models import User
from worker import embedded_redis
from worker.supervising import Supervisor

PORTS_TO_TRY = 20
LAST_PORT = 65535
ADMIN_NAME = "administrator"  # “admin” is an address of the site


class Command(BaseCommand):
    help = "Run web, relay, worker and the embedded Redis; prints the address, restarts what dies, stops on Ctrl-C."

    def handle(self, *args: Any, **options: Any) -> None:
        started = time.monotonic()
        sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
        with _alone(Path(settings.DATA_DIR)):
            host, port = _address()
            self._prepare()
            supervisor = Supervisor(env={**os.environ, "HOST": host, "PORT": str(port), "PYTHONUNBUFFERED": "1"})
            _stop_on_signals(supervisor)
            try:
                self._start(supervisor)
                url = _url(host, port)
                if supervisor.watch(until=lambda: _answers(url)):
                    self.stdout.write(f"\n  The portal answers at {url} after {time.monotonic() - started:.1f} s.\n")
                    self.stdout.write("  Ctrl-C stops it.\n\n")
                    self._load_demo(supervisor, url)
                supervisor.watch()
            finally:
                supervisor.stop()

    def _prepare(self) -> None:
        call_command("migrate", verbosity=0, interactive=False)
        call_command("createcachetable", verbosity=0)
        call_command("found_forum", verbosity=0)
        if not (Path(settings.STATIC_ROOT) / "staticfiles.json").is_file():
            call_command("collectstatic", verbosity=0, interactive=False)
        if not User.objects.filter(is_superuser=True).exists():
            password = env.text("ADMIN_PASSWORD") or secrets.token_urlsafe(12)
            User.objects.create_superuser(ADMIN_NAME, env.text("ADMIN_EMAIL", "admin@localhost.localdomain"), password)
            shown = "the one in ADMIN_PASSWORD" if env.text("ADMIN_PASSWORD") else password
            self.stdout.write(f"\n  Administrator: {ADMIN_NAME}   password: {shown}   (shown only this once)\n")

    def _start(self, supervisor: Supervisor) -> None:
        if embedded_redis.is_embedded():
            server = embedded_redis.executable()
            if server is None:
                raise CommandError("No redis-server was found: install Redis, or set REDIS_URL.")
            supervisor.start("redis", embedded_redis.command(server, env.redis_socket()))
        manage = [sys.executable, str(settings.BASE_DIR / "manage.py")]
        gunicorn = [sys.executable, "-m", "gunicorn", "-c", "portal/config/gunicorn.py", "portal.config.wsgi"]
        supervisor.start("web", gunicorn)
        supervisor.start("relay", [*manage, "run_relay"])
        supervisor.start("worker", [*manage, "run_worker"])
        if settings.SSH_PORT:
            supervisor.start("ssh", [*manage, "run_ssh"])

    def _load_demo(self, supervisor: Supervisor, url: str) -> None:
        if env.flag("NO_DEMO"):
            return
        unfinished = (Path(settings.DATA_DIR) / "demo" / "unfinished").exists()
        if unfinished or not Repo.objects.exists():
            command = [sys.executable, str(settings.BASE_DIR / "manage.py"), "load_demo", "--url", url]
            supervisor.start("demo", command, once=True)


@contextmanager
def _alone(data: Path) -> Iterator[None]:
    """Hold the data folder's lock: two portals over one folder would share a Redis socket and ports."""
    folder = data / "run"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "portal.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise CommandError(f"A portal already runs over {data}: stop it, or set another DATA_DIR.") from error
        yield


def _address() -> tuple[str, int]:
    """Return host and port; without PORT the first free port from 8000 on."""
    host, wanted = env.text("HOST", "127.0.0.1"), env.number("PORT", 0)
    if not 0 <= wanted <= LAST_PORT:
        raise CommandError(f"PORT must be a number from 1 to {LAST_PORT}, not {wanted}.")
    for port in [wanted] if wanted else range(8000, 8000 + PORTS_TO_TRY):
        if _is_free(host, port):
            return host, port
    if wanted:
        raise CommandError(f"Port {wanted} of {host} is in use: stop what uses it, or set PORT to another one.")
    raise CommandError(f"Ports 8000 to {8000 + PORTS_TO_TRY - 1} of {host} are all in use: set PORT.")


def _is_free(host: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return False
            raise CommandError(
                f"Port {port} of {host} cannot be listened on ({error.strerror}): set HOST to an address of this "
                "machine, and PORT to one that you may use."
            ) from error
    return True


def _url(host: str, port: int) -> str:
    """Return the address by which a person on this machine reaches the portal."""
    if host in {"127.0.0.1", "0.0.0.0", "::"}:  # noqa: S104 - compared, not listened on
        host = "localhost"
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def _stop_on_signals(supervisor: Supervisor) -> None:
    def ask_to_stop(number: int, frame: FrameType | None) -> None:
        supervisor.stopping.set()

    signal.signal(signal.SIGINT, ask_to_stop)
    signal.signal(signal.SIGTERM, ask_to_stop)


def _answers(url: str) -> bool:
    # A proxy of the environment has no business between a machine and itself.
    with requests.Session() as session:
        session.trust_env = False
        try:
            return session.get(f"{url}/healthz", timeout=2).ok
        except requests.RequestException:
            return False
