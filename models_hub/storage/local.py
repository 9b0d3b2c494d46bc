"""Blobs in a local folder. A blob appears by rename after its bytes and its folder are on disk, or not at all."""

import hashlib
import os
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from django.utils.translation import gettext as _

from models_hub.storage.contract import LEASE_SECONDS, ContentDamaged, ContentRefused, Stored
from models_hub.storage.disk import disk_full_is_said

STALE_SECONDS = 24 * 3600
BLOCK = 1024 * 1024


class LocalBlobStore:
    """A folder of files named by digest, two levels deep so that no folder grows large."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.incoming = root / "incoming"
        self.leaving = root / "leaving"  # on the way out, see discard
        self.damaged = root / "damaged"
        for folder in (self.incoming, self.leaving, self.damaged):
            folder.mkdir(parents=True, exist_ok=True)

    def path(self, digest: str) -> Path:
        return self.root / digest[:2] / digest[2:4] / digest

    def has(self, digest: str) -> bool:
        return self.path(digest).is_file()

    def put(self, chunks: Iterable[bytes], *, digest: str | None = None, size: int | None = None) -> Stored:
        with self._incoming_file() as (file, temporary):
            stored = _copy(chunks, file, limit=size)
            if size is not None and stored.size != size:
                raise _cut_off(size, stored.size)
            if digest is not None and stored.digest != digest:
                raise ContentRefused(
                    _("The content has sha256 %(received)s, not %(expected)s as announced. Send the file again.")
                    % {"expected": digest, "received": stored.digest}
                )
            if not self._renew_lease(stored):
                file.flush()
                os.fsync(file.fileno())
                self._move_in(temporary, stored.digest)
        return stored

    def adopt(self, path: Path, stored: Stored) -> None:
        if path.stat().st_size != stored.size:
            raise _cut_off(stored.size, path.stat().st_size)
        if self._renew_lease(stored):
            path.unlink()
            return
        os.utime(path)  # its lease begins now
        self._move_in(path, stored.digest)

    def put_part(self, upload: str, number: int, chunks: Iterable[bytes], *, size: int) -> str:
        with self._incoming_file() as (file, temporary):
            stored = _copy(chunks, file, limit=size)
            if stored.size != size:
                raise _cut_off(size, stored.size)
            file.flush()
            os.replace(temporary, self._part(upload, number))
        return stored.digest

    def join_parts(self, upload: str, count: int, *, digest: str, size: int) -> Stored:
        parts = [self._part(upload, number) for number in range(1, count + 1)]
        missing = next((number for number, part in enumerate(parts, 1) if not part.is_file()), None)
        if missing:
            raise ContentRefused(
                _("Part %(number)d of the upload is missing. Send it, then finish.") % {"number": missing}
            )
        try:
            return self.put(_blocks_of(parts), digest=digest, size=size)
        finally:
            for part in parts:  # parts that do not make up the content are of no use either
                part.unlink(missing_ok=True)

    def open(self, digest: str) -> BinaryIO:
        try:
            return self.path(digest).open("rb")
        except FileNotFoundError:
            if (self.damaged / digest).exists():
                raise ContentDamaged(
                    _(
                        "The stored content %(sha)s is damaged and is not served. "
                        "Its owner can heal it by sending it again."
                    )
                    % {"sha": digest}
                ) from None
            raise

    def digests(self, after: str = "") -> Iterator[Stored]:
        for first in _names_in(self.root, after[:2]):
            if len(first) != 2:
                continue
            for second in _names_in(self.root / first, after[2:4] if first == after[:2] else ""):
                for digest in _names_in(self.root / first / second, after):
                    with suppress(FileNotFoundError):
                        if digest > after:
                            yield Stored(digest, self.path(digest).stat().st_size)

    def delete(self, digest: str) -> None:
        self.path(digest).unlink(missing_ok=True)

    def touch(self, digest: str) -> None:
        with suppress(FileNotFoundError):
            os.utime(self.path(digest))

    def discard(self, digest: str, *, is_wanted: Callable[[], bool], lease: float = LEASE_SECONDS) -> int:
        path, leaving = self.path(digest), self.leaving / digest
        try:
            if _age(path) < lease or is_wanted():
                return 0
            # Away from its place no `put` can find it; what a `put` found before shows in the lease or the rows.
            os.rename(path, leaving)
        except FileNotFoundError:
            return 0
        if _age(leaving) < lease or is_wanted():
            self._bring_back(leaving)
            return 0
        size = leaving.stat().st_size
        leaving.unlink()
        return size

    def recover(self, is_wanted: Callable[[str], bool]) -> None:
        for leaving in sorted(self.leaving.iterdir()):
            if _age(leaving) < LEASE_SECONDS or is_wanted(leaving.name):
                self._bring_back(leaving)
            else:
                leaving.unlink()

    def set_aside(self, digest: str) -> None:
        with suppress(FileNotFoundError):
            os.replace(self.path(digest), self.damaged / digest)

    def forget_damaged(self, digest: str) -> None:
        (self.damaged / digest).unlink(missing_ok=True)

    def sweep(self) -> int:
        """Remove what interrupted uploads left behind a day ago; returns how many files."""
        stale = [p for p in self.incoming.iterdir() if time.time() - p.stat().st_mtime > STALE_SECONDS]
        for path in stale:
            path.unlink(missing_ok=True)
        return len(stale)

    def _renew_lease(self, stored: Stored) -> bool:
        """Say whether the content is here, and keep it from being discarded; a file cut short is not the content."""
        path = self.path(stored.digest)
        try:
            os.utime(path)
            return path.stat().st_size == stored.size
        except FileNotFoundError:
            return False

    def _move_in(self, path: str | Path, digest: str) -> None:
        target = self.path(digest)
        target.parent.mkdir(parents=True, exist_ok=True)
        os.replace(path, target)
        _sync_folder(target.parent)
        self.forget_damaged(digest)

    def _bring_back(self, leaving: Path) -> None:
        """Put a file back to its place, unless the same content has come there meanwhile."""
        with suppress(FileExistsError):
            os.link(leaving, self.path(leaving.name))
        leaving.unlink()

    def _part(self, upload: str, number: int) -> Path:
        return self.incoming / f"part-{upload}-{number}"

    @contextmanager
    def _incoming_file(self) -> Iterator[tuple[BinaryIO, str]]:
        descriptor, temporary = tempfile.mkstemp(dir=self.incoming)
        try:
            with disk_full_is_said(), os.fdopen(descriptor, "w+b") as file:
                yield file, temporary
        finally:
            with suppress(FileNotFoundError):
                os.unlink(temporary)


def _copy(chunks: Iterable[bytes], file: BinaryIO, *, limit: int | None) -> Stored:
    hasher, length = hashlib.sha256(), 0
    for chunk in chunks:
        length += len(chunk)
        if limit is not None and length > limit:
            raise ContentRefused(
                _("More than the announced %(expected)d bytes arrived. Send the right size.") % {"expected": limit}
            )
        hasher.update(chunk)
        file.write(chunk)
    return Stored(hasher.hexdigest(), length)


def _blocks_of(parts: Iterable[Path]) -> Iterator[bytes]:
    for part in parts:
        with part.open("rb") as file:
            while block := file.read(BLOCK):
                yield block


def _names_in(folder: Path, start: str) -> list[str]:
    """Return the names in a folder from `start` on; nothing where it is gone or is no folder."""
    try:
        return sorted(name for name in os.listdir(folder) if name >= start)
    except (FileNotFoundError, NotADirectoryError):
        return []


def _age(path: Path) -> float:
    return time.time() - path.stat().st_mtime


def _cut_off(expected: int, received: int) -> ContentRefused:
    return ContentRefused(
        _("Expected %(expected)d bytes but received %(received)d: the upload was cut off. Send it again.")
        % {"expected": expected, "received": received}
    )


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
