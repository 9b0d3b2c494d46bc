"""From files of a repository to a kept table: a child process reads them within limits and is stopped beyond them."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import BoundedSemaphore, Timer
from typing import Any

from django.conf import settings
from django.core.cache import cache

from models_hub import browsing, contents, fetching
from models_hub.browsing import Entry
from models_hub.models import Repo
from models_hub.storage.disk import disk_full_is_said
from models_hub.tables import kept, texts
from models_hub.tables.formats import format_of
from models_hub.tables.texts import TableUnreadable
from portal.errors import QuotaExceeded

MB = 1024**2
RETRY_SECONDS = 600  # files that could not be read are not tried again at once
TURN_SECONDS = 5  # how long a page waits for its turn
MAX_DIRECT_COPY = 64 * MB  # a Parquet file is needed whole; one in pieces is put together first
MAX_LINE = 10_000
ROOT = Path(settings.BASE_DIR)
_CHILDREN = BoundedSemaphore(2)

Heard = Callable[[int, float], None]


@dataclass(frozen=True)
class Scope:
    """How much is read: what a reader of a page waits for, or what a job takes its time for."""

    name: str
    max_bytes: int
    max_rows: int
    max_values: int
    memory_mb: int
    cpu_seconds: float
    kill_cpu_seconds: int
    wall_seconds: int

    def limits(self) -> dict[str, Any]:
        """Return what the child is told of them."""
        return {name: value for name, value in asdict(self).items() if name not in ("name", "wall_seconds")}


DIRECT = Scope("direct", 16 * MB, 200_000, 4_000_000, 1024, 6, 20, 40)
WHOLE = Scope("whole", 1024 * MB, 5_000_000, 40_000_000, 4096, 1500, 1800, 3000)


@dataclass(frozen=True)
class Source:
    """Files of one revision of a repository that are one table, in order."""

    repo: Repo
    entries: Sequence[Entry]
    delimiter: str | None = None

    @property
    def size(self) -> int:
        return sum(entry.size for entry in self.entries)

    def key(self, scope: Scope) -> str:
        """Return the name of the table: it depends on the bytes, the names and the limits, on no repository."""
        files = [(entry.etag, entry.size, entry.path) for entry in self.entries]
        return kept.key_of([files, self.delimiter, scope.name, scope.limits()])


def table_of(source: Source) -> Path:
    """Return the fullest table there is of these files, reading as much as one waits for when there is none yet.

    Raises TableUnreadable.
    """
    return kept.find(source.key(WHOLE)) or kept.find(source.key(DIRECT)) or _read_now(source)


def _read_now(source: Source) -> Path:
    key = source.key(DIRECT)
    failed = cache.get(f"table:{key}")
    if failed:
        raise texts.failure(*failed)
    if not source.entries:
        raise texts.failure("empty")
    with kept.alone(key, TURN_SECONDS) as may_read:
        if made := kept.find(key):  # somebody else was faster
            return made
        if not may_read or not _CHILDREN.acquire(timeout=TURN_SECONDS):
            raise texts.failure("busy")
        try:
            return read(source, DIRECT)
        finally:
            _CHILDREN.release()


def read(source: Source, scope: Scope, heard: Heard = lambda _rows, _share: None) -> Path:
    """Read the files anew and keep the table. `heard` is told how many rows and which share, and may raise to end it.

    Raises TableUnreadable.
    """
    key = source.key(scope)
    try:
        with disk_full_is_said(), kept.workplace() as folder:
            sources = [_placed(source, entry, scope, folder / f"source-{n}") for n, entry in enumerate(source.entries)]
            _run({"sources": sources, "out": str(folder / "table"), **scope.limits()}, scope, heard)
            return kept.keep(key, folder / "table")
    except QuotaExceeded as error:
        raise texts.failure("no_space") from error
    except TableUnreadable as error:
        reason = error.data["reason"]
        if scope is DIRECT and reason not in ("busy", "no_space"):
            cache.set(f"table:{key}", (reason, error.data.get("facts")), RETRY_SECONDS)
        raise


def _placed(source: Source, entry: Entry, scope: Scope, target: Path) -> dict[str, Any]:
    """Return what the child reads of a file: where it lies as one, or where its beginning was copied to."""
    is_parquet = format_of(entry.path) == "parquet"
    asked = {"name": entry.path, "format": format_of(entry.path), "delimiter": source.delimiter}
    blob = entry.blob
    if blob is not None and blob.awaited_by:
        if scope is DIRECT:
            raise texts.failure("awaited")
        blob = fetching.ensure(blob)
    if blob is not None and (file := contents.open_whole(blob)) is not None:
        with file:
            return asked | {"path": file.name}
    wanted = entry.size if is_parquet else min(entry.size, scope.max_bytes)
    if is_parquet and scope is DIRECT and wanted > MAX_DIRECT_COPY:
        raise texts.failure("needs_job")
    blocks = contents.stream(blob, 0, wanted) if blob else browsing.stream(source.repo, entry, 0, wanted)
    _copy(blocks, target)
    return asked | {"path": str(target), "is_cut": wanted < entry.size}


def _copy(blocks: Iterable[bytes], target: Path) -> None:
    with target.open("xb") as file:
        for block in blocks:
            file.write(block)


def _run(request: dict[str, Any], scope: Scope, heard: Heard) -> None:
    """Run the child to its end; raises TableUnreadable when it has no table to show for it."""
    child = subprocess.Popen(
        [sys.executable, "-E", "-s", "-m", "models_hub.tables.child"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        cwd=ROOT, env={"PYTHONIOENCODING": "utf-8", "PATH": "/usr/bin:/bin"}, start_new_session=True,
    )  # fmt: skip
    assert child.stdin is not None
    assert child.stdout is not None
    timer = Timer(scope.wall_seconds, child.kill)
    timer.start()
    answer: dict[str, Any] = {}
    try:
        with child.stdin as pipe:
            pipe.write(json.dumps(request).encode() + b"\n")
        while line := child.stdout.readline(MAX_LINE):
            answer = _parsed(line)
            if "rows" in answer:
                heard(int(answer["rows"]), float(answer.get("share") or 0))
    except BrokenPipeError:
        answer = {}
    finally:
        timer.cancel()
        child.kill()
        child.stdout.close()
        child.wait()
    if "failure" in answer:
        raise texts.failure(str(answer["failure"]), answer.get("data"))
    if not answer.get("done"):
        raise texts.failure("too_long" if child.returncode in (-9, -24) else "crashed")


def _parsed(line: bytes) -> dict[str, Any]:
    """Return one line of the child, who may have been taken over by what it reads."""
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
