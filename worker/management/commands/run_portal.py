"""manage.py run_portal: the whole portal with one command."""

import errno
import fcntl
import os
import secrets
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from models_hub.models import Repo
from portal.config import env
from portal.models import User
from worker import embedded_redis, supervise

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
            environ = {**os.environ, "HOST": host, "PORT": str(port), "PYTHONUNBUFFERED": "1"}
            plan = supervise.Plan(_url(host, port), started, _processes(), once=_demo(_url(host, port)))
            supervise.become(plan, environ)

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


def _processes() -> dict[str, list[str]]:
    """Return the commands of what the portal consists of, in the order in which they start."""
    found: dict[str, list[str]] = {}
    if embedded_redis.is_embedded():
        server = embedded_redis.executable()
        if server is None:
            raise CommandError("No redis-server was found: install Redis, or set REDIS_URL.")
        found["redis"] = embedded_redis.command(server, env.redis_socket())
    manage = [sys.executable, str(settings.BASE_DIR / "manage.py")]
    found["web"] = [sys.executable, "-m", "gunicorn", "-c", "portal/config/gunicorn.py", "portal.config.wsgi"]
    found["relay"] = [*manage, "run_relay"]
    found["worker"] = [*manage, "run_worker"]
    if settings.SSH_PORT:
        found["ssh"] = [*manage, "run_ssh"]
    return found


def _demo(url: str) -> dict[str, list[str]]:
    """Return what loads the demo into a portal that is empty, or whose demo is not whole."""
    if env.flag("NO_DEMO"):
        return {}
    unfinished = (Path(settings.DATA_DIR) / "demo" / "unfinished").exists()
    if not unfinished and Repo.objects.exists():
        return {}
    return {"demo": [sys.executable, str(settings.BASE_DIR / "manage.py"), "load_demo", "--url", url]}


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
        # For the process that this one becomes; it does not hand the lock on.
        os.set_inheritable(lock.fileno(), True)  # noqa: FBT003
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
