"""The key by which clients know this server again: made once, kept in the data folder, read by its owner alone."""

import contextlib
import os
import tempfile
from pathlib import Path

import asyncssh
from django.conf import settings

ALGORITHM = "ssh-ed25519"


def host_key() -> asyncssh.SSHKey:
    """Return the server’s key. A file that is there is never replaced: clients refuse a server with another one."""
    path = Path(settings.SSH_HOST_KEY)
    if not path.exists():
        _make(path)
    return asyncssh.read_private_key(path)


def _make(path: Path) -> None:
    """Write a new key whole or not at all, whoever else does so at this moment."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".ssh_host_key-")  # with mode 600
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(asyncssh.generate_private_key(ALGORITHM).export_private_key())
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(name, path)
    finally:
        os.unlink(name)
