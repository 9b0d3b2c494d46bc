"""Takes a file out of the folder of a run that may have been hostile."""

import os
import stat
from pathlib import Path


class OutputRefused(Exception):
    """What a run left behind is not a plain file of the agreed size."""


def collect(writable: Path, name: str, limit: int) -> bytes:
    """Return the bytes of one regular file directly in the folder, never those of what a link points to."""
    if name in ("", ".", "..") or "/" in name or "\0" in name:
        raise ValueError(f"{name!r} is not the name of a file")
    try:
        folder = os.open(writable, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            # O_NONBLOCK: opening a pipe would wait for its other end for ever.
            flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
            descriptor = os.open(name, flags, dir_fd=folder)
        finally:
            os.close(folder)
    except OSError as error:
        raise OutputRefused(f"{name} cannot be opened ({error.strerror})") from error
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or status.st_nlink != 1:
            raise OutputRefused(f"{name} is not a file of its own")
        if status.st_size > limit:
            raise OutputRefused(f"{name} is larger than {limit} bytes")
        with open(descriptor, "rb", closefd=False) as file:
            return file.read(status.st_size)
    finally:
        os.close(descriptor)
