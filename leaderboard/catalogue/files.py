"""Files as they were published: alone, packed with gzip, or as members of a zip or tar archive. All within limits."""

import gzip
import io
import tarfile
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import BinaryIO, cast

from leaderboard.catalogue.refusals import ImportRefused, shown

MAX_MEMBERS = 20_000
MAX_BYTES = 512 * 1024**2
BROKEN = (EOFError, zlib.error, gzip.BadGzipFile, zipfile.BadZipFile, tarfile.TarError, NotImplementedError)


@dataclass(frozen=True)
class Upload:
    """A file that somebody gave, with the name that it had there."""

    name: str
    path: Path


def is_archive(name: str) -> bool:
    """Say whether the name is one of an archive of files."""
    return name.lower().endswith((".zip", ".tar", ".tar.gz", ".tgz"))


def fits(name: str, patterns: Sequence[str]) -> bool:
    """Say whether a path ends with one of the patterns, folder by folder."""
    plain = name.replace("\\", "/").removesuffix(".gz").lstrip("/")
    return any(fnmatchcase(plain, each) or fnmatchcase(plain, f"*/{each}") for each in patterns)


def matching(uploads: Sequence[Upload], patterns: Sequence[str]) -> Iterator[tuple[str, BinaryIO]]:
    """Yield every file that fits, by name: those that were given, and the members of archives among them."""
    budget = _Budget()
    for upload in sorted(uploads, key=lambda each: each.name):
        with _broken_is_said(upload.name):
            if is_archive(upload.name):
                yield from _members(upload, patterns, budget)
            elif fits(upload.name, patterns):
                with upload.path.open("rb") as file:
                    yield upload.name, budget.bounded(upload.name, _unpacked(upload.name, file))


def names_in(uploads: Sequence[Upload]) -> list[str]:
    """Return the names of all files that were given, the members of archives with them."""
    names: list[str] = []
    for upload in uploads:
        if not is_archive(upload.name):
            names.append(upload.name)
            continue
        with _broken_is_said(upload.name):
            names += _names_of_members(upload)
    return names


def _members(upload: Upload, patterns: Sequence[str], budget: "_Budget") -> Iterator[tuple[str, BinaryIO]]:
    wanted = sorted(name for name in _names_of_members(upload) if fits(name, patterns) and not _is_rubbish(name))
    if upload.name.lower().endswith(".zip"):
        with zipfile.ZipFile(upload.path) as archive:
            for name in wanted:
                with archive.open(name) as file:
                    yield name, budget.bounded(name, _unpacked(name, cast("BinaryIO", file)))
        return
    with tarfile.open(upload.path) as tar:
        for name in wanted:
            member = tar.extractfile(name)
            if member is not None:  # a folder or a link
                yield name, budget.bounded(name, _unpacked(name, cast("BinaryIO", member)))


def _names_of_members(upload: Upload) -> list[str]:
    names: list[str] = []
    if upload.name.lower().endswith(".zip"):
        with zipfile.ZipFile(upload.path) as archive:
            names = [info.filename for info in archive.infolist() if not info.is_dir()]
    else:
        with tarfile.open(upload.path) as tar:
            for member in tar:
                if member.isfile():
                    names.append(member.name)
                if len(names) > MAX_MEMBERS:
                    break
    if len(names) > MAX_MEMBERS:
        raise ImportRefused("too_many_members", file=shown(upload.name), most=MAX_MEMBERS)
    return names


def _is_rubbish(name: str) -> bool:
    """Say whether macOS or a version control left the member there."""
    parts = name.replace("\\", "/").split("/")
    return "__MACOSX" in parts or any(part.startswith(".") for part in parts)


def _unpacked(name: str, file: BinaryIO) -> BinaryIO:
    return cast("BinaryIO", gzip.GzipFile(fileobj=file)) if name.lower().endswith(".gz") else file


@contextmanager
def _broken_is_said(name: str) -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:  # a member that is encrypted
        raise ImportRefused("bad_archive", file=shown(name), cause=shown(error)) from error
    except BROKEN as error:
        raise ImportRefused("bad_archive", file=shown(name), cause=shown(error)) from error


class _Budget:
    """Counts what all files together unpack to: a small archive may hold a mountain."""

    def __init__(self) -> None:
        self.left = MAX_BYTES

    def bounded(self, name: str, file: BinaryIO) -> BinaryIO:
        return io.BufferedReader(_Bounded(name, file, self))


class _Bounded(io.RawIOBase):
    def __init__(self, name: str, file: BinaryIO, budget: _Budget) -> None:
        self._name = name
        self._file = file
        self._budget = budget

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # what BufferedReader hands over
        with _broken_is_said(self._name):
            data = self._file.read(len(buffer))
        self._budget.left -= len(data)
        if self._budget.left < 0:
            raise ImportRefused("too_many_bytes", most=MAX_BYTES // 1024**2)
        buffer[: len(data)] = data
        return len(data)
