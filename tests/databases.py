"""Migrated databases, made once for the migrations as they are: migrating takes seconds, copying next to none."""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parent.parent
KEPT = ROOT / "build" / "databases"
APPS = ("portal", "models_hub", "forum", "leaderboard", "worker")
# One for each database, and those of a branch that somebody else works on at the same time.
KEPT_NUMBER = 6


def sqlite() -> Path:
    """Return an SQLite file with all tables; copy it, and leave it as it is."""
    return _kept("sqlite3", _migrated_sqlite)


def postgresql(version: str, make: Callable[[Path], None]) -> Path:
    """Return the data folder of a stopped cluster with all tables, which `make` makes if there is none yet."""
    return _kept(f"postgresql-{version}", make)


def migrate(env: dict[str, str]) -> None:
    """Make all tables of the database that this environment names, those of caches too."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("DJANGO_", "PORTAL_", "DATABASE_"))}
    env = {**clean, "DJANGO_SETTINGS_MODULE": "portal.config.settings.base", **env}
    for command in (["migrate", "-v0"], ["createcachetable"]):
        subprocess.run([sys.executable, "manage.py", *command], cwd=ROOT, env=env, check=True, timeout=180)


def _migrated_sqlite(path: Path) -> None:
    import sqlite3

    with TemporaryDirectory(prefix="portal-migrated-") as folder:
        migrate({"DATA_DIR": folder})
        made = Path(folder) / "portal.sqlite3"
        connection = sqlite3.connect(made)
        connection.execute("PRAGMA journal_mode=DELETE")  # one file, without a log beside it
        connection.close()
        shutil.copyfile(made, path)


def _kept(name: str, make: Callable[[Path], None]) -> Path:
    path = KEPT / f"{_digest()}.{name}"
    if not path.exists():
        with _alone():
            if not path.exists():
                unfinished = path.with_suffix(f".{os.getpid()}")
                make(unfinished)
                unfinished.rename(path)
                _forget_old()
    return path


def _digest() -> str:
    """Digest all that decides about the tables and the rows that come with them."""
    known = hashlib.sha256()
    sources = [path for app in APPS for part in ("migrations", "models") for path in (ROOT / app / part).glob("*.py")]
    for path in (ROOT / "constraints.txt", *sorted(sources)):
        known.update(b"%s\0%d\0" % (str(path.relative_to(ROOT)).encode(), path.stat().st_size))
        known.update(path.read_bytes())
    return known.hexdigest()[:16]


@contextmanager
def _alone() -> Iterator[None]:
    KEPT.mkdir(parents=True, exist_ok=True)
    with (KEPT / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _forget_old() -> None:
    made = sorted((path for path in KEPT.iterdir() if path.name != "lock"), key=lambda path: path.stat().st_mtime)
    for path in made[:-KEPT_NUMBER]:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
