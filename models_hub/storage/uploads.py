"""Files that are still arriving, part by part and in any order: one folder for each upload, one file for each file.

A part is written to its place in the file, so that nothing is copied when the file is complete; then it is hashed where
it lies, and moves into the store by a rename. A lock of the system, which a killed process lets go, keeps writers away
meanwhile.
"""

import fcntl
import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.utils.translation import gettext as _

from models_hub.storage.disk import disk_full_is_said
from portal.errors import Conflict

BLOCK = 1024 * 1024


class UploadBusy(Conflict):
    """Another request is checking or publishing this upload: ask again in a while."""

    code = "upload_busy"


class ArrivingFiles:
    """Folders named by the keys of uploads; they hold what nobody has a right to yet."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def path(self, key: str, number: int) -> Path:
        return self.root / key / str(number)

    @contextmanager
    def hold(self, key: str, what: str, *, shared: bool = False) -> Iterator[None]:
        """Keep others away from a file of an upload, or `shared` only those who want it alone; raises UploadBusy."""
        folder = self.root / key
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / f"{what}.lock").open("ab") as lock:
            try:
                fcntl.flock(lock, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise UploadBusy(_("This upload is being checked in another request. Wait a moment.")) from error
            yield

    def write(self, key: str, number: int, offset: int, data: bytes) -> None:
        with disk_full_is_said():
            descriptor = os.open(self.path(key, number), os.O_WRONLY | os.O_CREAT, 0o600)
            try:
                written = 0
                while written < len(data):
                    written += os.pwrite(descriptor, memoryview(data)[written:], offset + written)
            finally:
                os.close(descriptor)

    def read(self, key: str, number: int, limit: int) -> bytes:
        """Return a short file, b"" where there is none."""
        try:
            with self.path(key, number).open("rb") as file:
                return file.read(limit)
        except FileNotFoundError:
            return b""

    def digest(self, key: str, number: int) -> str:
        """Hash all of a file, having brought it to the disk; "" where there is none."""
        hasher = hashlib.sha256()
        try:
            with self.path(key, number).open("rb") as file:
                os.fsync(file.fileno())
                while block := file.read(BLOCK):
                    hasher.update(block)
        except FileNotFoundError:
            return ""
        return hasher.hexdigest()

    def drop(self, key: str, number: int) -> None:
        self.path(key, number).unlink(missing_ok=True)

    def drop_all(self, key: str) -> None:
        shutil.rmtree(self.root / key, ignore_errors=True)

    def keys_there(self) -> list[str]:
        return sorted(os.listdir(self.root)) if self.root.is_dir() else []
