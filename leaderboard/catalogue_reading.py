"""Published files are hostile bytes: a child process reads them within limits and is stopped beyond them."""

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import BoundedSemaphore, Timer
from typing import Any

from django.conf import settings

from leaderboard import catalogue_texts
from leaderboard.catalogue import files as published
from leaderboard.catalogue.entries import Entry
from leaderboard.catalogue.files import Upload
from leaderboard.catalogue.importing import EXAMPLES
from leaderboard.catalogue.searching import CORPUS
from models_hub import browsing, fetching
from models_hub.browsing import Entry as File
from models_hub.models import DEFAULT_BRANCH, Repo
from portal.errors import InvalidInput

MEMORY_MB, CPU_SECONDS, WALL_SECONDS = 1536, 60, 90
TURN_SECONDS = 10
MAX_COPIED = 256 * 1024**2
MAX_FILES = 500
MAX_ANSWER = 200_000
ROOT = Path(settings.BASE_DIR)
_CHILDREN = BoundedSemaphore(1)


class FilesRefused(InvalidInput):
    """The files are not those of the set, or cannot be read."""

    code = "bad_files"


@dataclass(frozen=True)
class Read:
    """The rows of a set as JSON lines, and what is known of them."""

    path: Path
    rows: int
    left_out: int
    files: list[str]
    # The documents of a set to be searched, one JSON line each.
    corpus: Path | None = None
    # Rows that prompts may show, one JSON line each, and how many they are.
    examples: Path | None = None
    shown: int = 0


@contextmanager
def rows_of(entry: Entry, uploads: Sequence[Upload]) -> Iterator[Read]:
    """Give the rows of the files as long as the block lasts; raises FilesRefused."""
    if not uploads or len(uploads) > MAX_FILES:
        raise refused("no_such_file", {"expected": ", ".join(expected_files(entry)[:8])})
    with TemporaryDirectory(dir=settings.FILE_UPLOAD_TEMP_DIR) as folder:
        out = Path(folder) / "rows.jsonl"
        if not _CHILDREN.acquire(timeout=TURN_SECONDS):
            raise refused("busy", {})
        try:
            answer = _run(entry, uploads, out)
        finally:
            _CHILDREN.release()
        if "refused" in answer:
            data = answer.get("data")
            raise refused(str(answer["refused"]), data if isinstance(data, dict) else {})
        corpus = out.with_name(CORPUS) if any(source.corpus for source in entry.sources) else None
        examples = out.with_name(EXAMPLES) if answer["examples"] else None
        if any(path is not None and (path.is_symlink() or not path.is_file()) for path in (out, corpus, examples)):
            raise refused("crashed", {})
        names = [str(name) for name in answer["files"]]
        yield Read(out, int(answer["rows"]), int(answer["left_out"]), names, corpus, examples, int(answer["examples"]))


@contextmanager
def copied(entry: Entry, dataset: Repo) -> Iterator[list[Upload]]:
    """Give copies of the files of a data set that fit the entry; whether they may be had is asked before."""
    commit = browsing.resolve_revision(dataset, DEFAULT_BRANCH)
    found = [file for file in browsing.list_folder(dataset, commit, recursive=True) if not file.is_folder]
    wanted = _wanted(entry, found)
    if sum(file.size for file in wanted) > MAX_COPIED:
        raise refused("too_many_bytes", {"most": MAX_COPIED // 1024**2})
    with TemporaryDirectory(dir=settings.FILE_UPLOAD_TEMP_DIR) as folder:
        uploads = []
        for number, file in enumerate(wanted):
            path = Path(folder) / str(number)
            with path.open("wb") as copy:
                copy.writelines(fetching.stream(file.blob) if file.blob else browsing.stream(dataset, file))
            uploads.append(Upload(file.path, path))
        yield uploads


def expected_files(entry: Entry) -> list[str]:
    """Return the names under which the set is published, without folders where a name stands for itself."""
    return list(dict.fromkeys(name for source in entry.sources for part in source.parts for name in part.files))


def example_files(entry: Entry) -> list[str]:
    """Return the names of the files with rows that prompts may show."""
    return list(dict.fromkeys(name for source in entry.sources for name in source.examples))


def refused(code: str, data: dict[str, Any]) -> FilesRefused:
    """Return the error that tells a reader what is wrong with the files."""
    plain = {str(key): str(value)[:200] for key, value in data.items()}
    return FilesRefused(catalogue_texts.reason_of(code, plain), data={"reason": code})


def _wanted(entry: Entry, found: Sequence[File]) -> list[File]:
    for source in entry.sources:
        parts = [[file for file in found if published.fits(file.path, part.files)] for part in source.parts]
        if all(parts):
            wanted = [file for part in parts for file in part]
            beside = [file for file in found if source.beside and published.fits(file.path, [source.beside])]
            examples = [file for file in found if source.examples and published.fits(file.path, source.examples)]
            return [*wanted, *beside, *examples][:MAX_FILES]
    archives = [file for file in found if published.is_archive(file.path)]
    if not archives:
        raise refused("no_such_file", {"expected": ", ".join(expected_files(entry)[:8])})
    return archives[:MAX_FILES]


def _run(entry: Entry, uploads: Sequence[Upload], out: Path) -> dict[str, Any]:
    request = {
        "entry": entry.name,
        "files": [{"name": upload.name, "path": str(upload.path)} for upload in uploads],
        "out": str(out),
        "memory_mb": MEMORY_MB,
        "cpu_seconds": CPU_SECONDS,
    }
    child = subprocess.Popen(
        [sys.executable, "-E", "-s", "-m", "leaderboard.catalogue"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        cwd=ROOT, env={"PYTHONIOENCODING": "utf-8", "PATH": "/usr/bin:/bin"}, start_new_session=True,
    )  # fmt: skip
    assert child.stdin is not None
    assert child.stdout is not None
    timer = Timer(WALL_SECONDS, child.kill)
    timer.start()
    try:
        with child.stdin as pipe:
            pipe.write(json.dumps(request).encode() + b"\n")
        line = child.stdout.readline(MAX_ANSWER)
    except BrokenPipeError:
        line = b""
    finally:
        timer.cancel()
        child.kill()
        child.stdout.close()
        child.wait()
    return _parsed(line) or {"refused": "too_long" if child.returncode in (-9, -24) and not line else "crashed"}


def _parsed(line: bytes) -> dict[str, Any]:
    """Return the answer of the child, who may have been taken over by what it reads."""
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    if not isinstance(value, dict):
        return {}
    are_counts = all(type(value.get(key)) is int for key in ("rows", "left_out", "examples"))
    return value if "refused" in value or (are_counts and isinstance(value.get("files"), list)) else {}
