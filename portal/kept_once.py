"""Secrets that are made at the first start: kept in a file that its owner alone reads, whole or not at all."""

import contextlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path


def kept_once(path: Path, make: Callable[[], bytes]) -> bytes:
    """Return what the file holds, made if need be; of several processes that make it at once, all get the same.

    A process that is killed, or finds the disk full, leaves no half of it behind, which would be taken for the whole.
    """
    with contextlib.suppress(FileNotFoundError):
        return path.read_bytes()
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")  # with mode 600
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(make())
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            _name(Path(name), path)
    finally:
        Path(name).unlink(missing_ok=True)
    return path.read_bytes()


def _name(written: Path, path: Path) -> None:
    """Give a file its name, unless that is taken."""
    try:
        os.link(written, path)
    except FileExistsError:
        raise
    except OSError:  # a file system without second names
        if not path.exists():
            written.replace(path)
