"""Large content of a mirror, fetched from the upstream hub when it is first asked for.

One fetch at a time for each content, whoever asks: a thread writes to a file on disk, and all askers read behind it.
What is in the file after a cut-off is gone on with. The last byte is held back until the whole has its sha256, so that
nobody takes wrong bytes for a file; then it lies in the blob store like any other content.
"""

import fcntl
import logging
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from django.conf import settings
from django.core.cache import cache
from django.db import DatabaseError, connections
from django.utils.translation import gettext as _

from models_hub import contents, making_room
from models_hub.models import AwaitedBlob, Blob, Repo
from models_hub.upstream.hub import Hub, upstream
from portal.errors import DomainError, Unavailable

logger = logging.getLogger(__name__)

BLOCK = 1024 * 1024
LOOK_SECONDS = 0.1
# A range so far ahead of a running fetch, and so short, is passed on without being kept.
AHEAD = 32 * 1024 * 1024
PASSED_ON = 64 * 1024 * 1024
MOST_ASKED = 1000
STALE_SECONDS = 7 * 24 * 3600
# After a failure nobody makes us try again for a while.
PAUSE_SECONDS = 10


class FetchFailed(Unavailable):
    """The content could not be had from the upstream hub; another time it may."""

    code = "fetch_failed"


@dataclass(frozen=True)
class Source:
    """A repository of another hub, to take content from."""

    hub: Hub
    kind: str
    name: str

    def content(self, blob: Blob, start: int, length: int | None = None) -> Iterator[bytes]:
        """Yield its bytes from `start` on, not verified."""
        return self.hub.content(self.kind, self.name, sha256=blob.sha256, size=blob.size, start=start, length=length)


def awaited(repo: Repo, pointer_oids: Iterable[str]) -> dict[str, Blob]:
    """Return the content that a mirror awaits, by the id of its pointer, as blobs that are no rows yet."""
    rows = AwaitedBlob.objects.filter(repo=repo, pointer_oid__in=list(pointer_oids))
    return {row.pointer_oid: _blob(row, repo) for row in rows}


def held_or_awaited(repo: Repo, digests: Iterable[str]) -> dict[str, Blob]:
    """Return the content with these sha256 that the repository may give, whether it is here yet or not."""
    wanted = list(digests)
    held = contents.held_by(repo, wanted)
    if repo.namespace.is_mirror:
        rows = AwaitedBlob.objects.filter(repo=repo, sha256__in=wanted[:MOST_ASKED])
        held = {row.sha256: _blob(row, repo) for row in rows} | held
    return held


def stream(blob: Blob, start: int = 0, length: int | None = None) -> Iterator[bytes]:
    """Yield bytes [start, start + length) of any content; what a mirror awaits is fetched, and given as it arrives."""
    if blob.awaited_by is None:
        return contents.stream(blob, start, length)
    return _stream_awaited(blob, blob.awaited_by, start, blob.size - start if length is None else length)


def _blob(row: AwaitedBlob, repo: Repo) -> Blob:
    row.repo = repo
    return row.as_blob()


def _stream_awaited(blob: Blob, repo: Repo, start: int, length: int) -> Iterator[bytes]:
    stored = _stored(repo, blob.sha256)
    if stored is not None:
        yield from contents.stream(stored, start, length)
        return
    fetch = _Fetch.of(repo, blob)
    if start > fetch.received() + AHEAD and length <= PASSED_ON:
        yield from _upstream_of(repo).content(blob, start, length)
        return
    yield from fetch.started().follow(start, min(start + length, blob.size))


def ensure(blob: Blob) -> Blob:
    """Return the stored blob, fetched now if the upstream hub has it still."""
    if blob.awaited_by is not None:
        _Fetch(blob.awaited_by, blob, _upstream_of(blob.awaited_by)).run()
        return _require_stored(blob.awaited_by, blob)
    return blob


def bring(repo: Repo, *, sha256: str, size: int, source: Source, heard: Callable[[int], None]) -> Blob:
    """Fetch content from any hub for a repository that has no right to it yet, going on where an earlier try ended.

    `heard` is told of bytes as they arrive, those of the earlier try included, and may raise to end it.
    """
    blob = Blob(sha256=sha256, size=size)
    _Fetch(repo, blob, source, heard).run()
    return _require_stored(repo, blob)


def sweep() -> int:
    """Remove what fetches left behind that nobody went on with for a week; returns how many files."""
    folder, removed = _folder(), 0
    for path in folder.iterdir():
        if time.time() - path.stat().st_mtime > STALE_SECONDS:
            path.unlink(missing_ok=True)
            removed += 1
    return removed


def _stored(repo: Repo, sha256: str) -> Blob | None:
    return Blob.objects.filter(repo_blobs__repo=repo, sha256=sha256).first()


def _require_stored(repo: Repo, blob: Blob) -> Blob:
    stored = _stored(repo, blob.sha256)
    if stored is None:
        raise FetchFailed(_("The file could not be fetched from the other hub. Try again later."))
    return stored


def _upstream_of(repo: Repo) -> Source:
    hub = upstream()
    if hub is None:
        raise FetchFailed(_("This portal no longer mirrors a hub, so that the file cannot be fetched."))
    return Source(hub, repo.kind, repo.full_name)


def _folder() -> Path:
    folder = Path(settings.DATA_DIR) / "mirroring"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


class _Fetch:
    """One content on its way. Within a process all askers share it, between processes a lock on its file decides."""

    _running: dict[tuple[int, str], "_Fetch"] = {}
    _guard = threading.Lock()

    def __init__(
        self, repo: Repo, blob: Blob, source: Source, heard: Callable[[int], None] = lambda _count: None
    ) -> None:
        self._repo, self._blob, self._source, self._heard = repo, blob, source, heard
        self._path = _folder() / f"{repo.pk}-{blob.sha256}"
        self._over = threading.Event()
        self._failure: DomainError | None = None

    @property
    def _key(self) -> tuple[int, str]:
        return self._repo.pk, self._blob.sha256

    @classmethod
    def of(cls, repo: Repo, blob: Blob) -> "_Fetch":
        """Return the fetch of this content that runs in this process, or one that could be started."""
        return cls._running.get((repo.pk, blob.sha256)) or cls(repo, blob, _upstream_of(repo))

    def started(self) -> "_Fetch":
        """Return the fetch that runs, this one if there is no other; raises FetchFailed soon after a failure."""
        with self._guard:
            running = self._running.get(self._key)
            if running is not None:
                return running
            if cache.get(self._pause):
                raise FetchFailed(_("The file could not be fetched from the upstream hub. Try again later."))
            self._running[self._key] = self
            threading.Thread(target=self._run_alone, name=f"fetch {self._blob.sha256[:12]}", daemon=True).start()
            return self

    def received(self) -> int:
        """Return how many bytes are on the disk."""
        with suppress(FileNotFoundError):
            return self._path.stat().st_size
        return 0

    def follow(self, position: int, end: int) -> Iterator[bytes]:
        """Yield bytes [position, end) as they come to lie on the disk."""
        while position < end:
            block = self._arrived(position, end)
            if block:
                position += len(block)
                yield block
            elif self._over.wait(LOOK_SECONDS):
                break
        if position < end:
            if self._failure is not None:
                raise self._failure
            yield from contents.stream(_require_stored(self._repo, self._blob), position, end - position)

    def run(self) -> None:
        """Fetch, verify and store the content, going on with what is there; raises what keeps it from that."""
        with self._alone() as file:
            if _stored(self._repo, self._blob.sha256) is None:
                if self._repo.namespace.is_mirror:
                    making_room.make_room(self._blob.size)
                self._receive(file)
                try:
                    contents.receive(self._repo, self._blocks(), sha256=self._blob.sha256, size=self._blob.size)
                except DomainError:  # wrong bytes are of no use
                    self._path.unlink(missing_ok=True)
                    raise
                making_room.note_use(self._repo, _stored(self._repo, self._blob.sha256))
                AwaitedBlob.objects.filter(repo=self._repo, sha256=self._blob.sha256).delete()
                # Now that its header can be read, the next upkeep counts it.
                Repo.objects.filter(pk=self._repo.pk).update(described_with=0)
            self._path.unlink(missing_ok=True)

    @property
    def _pause(self) -> str:
        return f"mirroring:pause:{self._repo.pk}:{self._blob.sha256}"

    def _run_alone(self) -> None:
        try:
            self.run()
        except DomainError as error:
            logger.info("%s of %s could not be fetched: %s", self._blob.sha256, self._repo.full_name, error.message)
            self._failure = error
        except (OSError, DatabaseError) as error:
            logger.exception("%s of %s could not be fetched.", self._blob.sha256, self._repo.full_name)
            self._failure = FetchFailed(_("The file could not be stored here. Try again later."))
            self._failure.__cause__ = error
        finally:
            if self._failure is not None:
                cache.set(self._pause, 1, PAUSE_SECONDS)
            with self._guard:
                self._running.pop(self._key, None)
            self._over.set()
            connections.close_all()

    def _receive(self, file: BinaryIO) -> None:
        start = file.seek(0, os.SEEK_END)
        self._heard(start)
        if start < self._blob.size:
            for block in self._source.content(self._blob, start):
                file.write(block)
                file.flush()
                self._heard(len(block))

    def _blocks(self) -> Iterator[bytes]:
        with self._path.open("rb") as file:
            while block := file.read(BLOCK):
                yield block

    def _arrived(self, position: int, end: int) -> bytes:
        """Return what lies on the disk from `position` on, but for the last byte of the file."""
        end = min(end, self._blob.size - 1)
        if position >= end:
            return b""
        with suppress(FileNotFoundError), self._path.open("rb") as file:
            file.seek(position)
            return file.read(min(BLOCK, end - position))
        return b""

    @contextmanager
    def _alone(self) -> Iterator[BinaryIO]:
        """Give the file on disk, locked; where another process fetches, wait until it has done or died."""
        while True:
            with self._path.open("ab") as file:
                if self._lock(file):
                    yield file
                    return
            time.sleep(LOOK_SECONDS)

    def _lock(self, file: BinaryIO) -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Whoever had the lock may have removed the file, which then is no longer the one that others open.
            return os.fstat(file.fileno()).st_ino == self._path.stat().st_ino
        except (BlockingIOError, FileNotFoundError):
            return False
