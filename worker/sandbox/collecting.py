"""Takes files out of the folder of a run that may have been hostile."""

import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

BLOCK = 1024 * 1024
MAX_DEPTH = 3
FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# O_NONBLOCK: opening a pipe would wait for its other end for ever.
FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class OutputRefused(Exception):
    """What a run left behind is not a plain file of the agreed size."""


def collect(writable: Path, name: str, limit: int) -> bytes:
    """Return the bytes of one regular file directly in the folder, never those of what a link points to."""
    _check_name(name)
    with _folder(writable) as folder, _file(folder, name, limit) as file:
        return file.read(limit)


def copy_folder(writable: Path, name: str, target: Path, *, files: int, limit: int) -> list[str]:
    """Copy a folder of the run, with folders in it, to `target`; returns the paths of its files, sorted.

    Only plain files are copied, at most so many and so many bytes together; anything else refuses the whole. A copy
    in flat memory, for these may be weights.
    """
    _check_name(name)
    paths: list[str] = []
    left = limit
    with _folder(writable) as outer, _folder_in(outer, name) as folder:
        for path, file in _walk(folder, "", MAX_DEPTH, limit):
            paths.append(path)
            left -= os.fstat(file.fileno()).st_size
            if len(paths) > files or left < 0:
                raise OutputRefused(f"{name} has more than {files} files or {limit} bytes")
            place = target / path
            place.parent.mkdir(parents=True, exist_ok=True)
            with place.open("xb") as copy:
                shutil.copyfileobj(file, copy, BLOCK)
    return sorted(paths)


def _walk(folder: int, prefix: str, depth: int, limit: int) -> Iterator[tuple[str, BinaryIO]]:
    for name in sorted(os.listdir(folder)):
        status = os.stat(name, dir_fd=folder, follow_symlinks=False)
        if stat.S_ISDIR(status.st_mode):
            if depth <= 1:
                raise OutputRefused(f"{prefix}{name} is too deep")
            with _folder_in(folder, name) as inner:
                yield from _walk(inner, f"{prefix}{name}/", depth - 1, limit)
        else:
            with _file(folder, name, limit) as file:
                yield prefix + name, file


def _check_name(name: str) -> None:
    if name in ("", ".", "..") or "/" in name or "\0" in name:
        raise ValueError(f"{name!r} is not the name of a file")


@contextmanager
def _folder(path: Path) -> Iterator[int]:
    try:
        descriptor = os.open(path, FOLDER)
    except OSError as error:
        raise OutputRefused(f"{path.name} cannot be opened ({error.strerror})") from error
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def _folder_in(folder: int, name: str) -> Iterator[int]:
    try:
        descriptor = os.open(name, FOLDER, dir_fd=folder)
    except OSError as error:
        raise OutputRefused(f"{name} cannot be opened ({error.strerror})") from error
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def _file(folder: int, name: str, limit: int) -> Iterator[BinaryIO]:
    try:
        descriptor = os.open(name, FILE, dir_fd=folder)
    except OSError as error:
        raise OutputRefused(f"{name} cannot be opened ({error.strerror})") from error
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or status.st_nlink != 1:
            raise OutputRefused(f"{name} is not a file of its own")
        if status.st_size > limit:
            raise OutputRefused(f"{name} is larger than {limit} bytes")
        with open(descriptor, "rb", closefd=False) as file:
            yield file
    finally:
        os.close(descriptor)
