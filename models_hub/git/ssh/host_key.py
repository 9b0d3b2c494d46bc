"""The key by which clients know this server again: made once, kept in the data folder, read by its owner alone."""

from pathlib import Path

import asyncssh
from django.conf import settings

from portal.kept_once import kept_once

ALGORITHM = "ssh-ed25519"


def host_key() -> asyncssh.SSHKey:
    """Return the server’s key. A file that is there is never replaced: clients refuse a server with another one."""
    return asyncssh.import_private_key(kept_once(Path(settings.SSH_HOST_KEY), _made))


def _made() -> bytes:
    return asyncssh.generate_private_key(ALGORITHM).export_private_key()
