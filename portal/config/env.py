"""The one place where the process environment is read."""

import errno
import hashlib
import os
import secrets
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

from portal.kept_once import kept_once

BASE_DIR = Path(__file__).resolve().parent.parent.parent
SOCKET_PATH_LIMIT = 100  # the kernel's limit for a Unix socket path is 108 bytes


class MissingSetting(Exception):
    """A setting that this installation needs has no value, or one that cannot be used."""


def text(name: str, default: str = "") -> str:
    """Return variable `name`, or the content of the file that `name`_FILE points to."""
    if value := os.environ.get(name):
        return value
    if path := os.environ.get(f"{name}_FILE"):
        return Path(path).read_text(encoding="utf-8").strip()
    return default


def required(name: str) -> str:
    value = text(name)
    if not value:
        raise MissingSetting(f"Set {name} (or {name}_FILE) in the environment.")
    return value


def flag(name: str, default: bool = False) -> bool:
    return text(name, "1" if default else "0").strip().lower() in {"1", "true", "yes", "on"}


def number(name: str, default: int) -> int:
    value = text(name)
    try:
        return int(value) if value else default
    except ValueError as error:
        raise MissingSetting(f"{name} must be a whole number, not {value!r}.") from error


def names(name: str, default: str = "") -> list[str]:
    return [part.strip() for part in text(name, default).split(",") if part.strip()]


def host_names(public_url: str) -> str:
    """Return the names that a portal with this address answers to: its own and the machine's, or any without one."""
    host = urlsplit(public_url).hostname
    return f"{f'[{host}]' if ':' in host else host},localhost,127.0.0.1,[::1]" if host else "*"


def data_dir() -> Path:
    return Path(text("DATA_DIR", str(BASE_DIR / "data"))).resolve()


def writable(folder: Path) -> Path:
    """Return a folder of the data folder, made if need be, that files can be written to."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        reason = "" if os.access(folder, os.W_OK | os.X_OK) else os.strerror(errno.EACCES)
    except OSError as error:
        reason = error.strerror or str(error)
    if reason:
        raise MissingSetting(f"{folder} cannot be written to ({reason}): set DATA_DIR to a folder of yours.")
    return folder


def secret_key() -> str:
    """Return SECRET_KEY, else one generated once and kept in the data folder."""
    if value := text("SECRET_KEY"):
        return value
    path = data_dir() / "secret_key"
    path.parent.mkdir(parents=True, exist_ok=True)
    return kept_once(path, lambda: secrets.token_urlsafe(48).encode()).decode("ascii").strip()


def database_url() -> str:
    return text("DATABASE_URL", f"sqlite:///{data_dir() / 'portal.sqlite3'}")


def redis_socket() -> Path:
    """Return where the embedded Redis listens: in the data folder, else in a private temporary one.

    A deep data folder would exceed the kernel's limit for socket paths.
    """
    path = data_dir() / "run" / "redis.sock"
    if len(os.fsencode(path)) <= SOCKET_PATH_LIMIT:
        return path
    digest = hashlib.sha256(os.fsencode(path)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"portal-redis-{os.getuid()}-{digest}" / "redis.sock"


def redis_url() -> str:
    return text("REDIS_URL", f"unix://{redis_socket()}")


def broker_url() -> str:
    """Return the same Redis in the form that Celery's transport reads."""
    url = redis_url()
    return "redis+socket://" + url.removeprefix("unix://") if url.startswith("unix://") else url
