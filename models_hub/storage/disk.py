"""A full disk, told in words to whoever sends something."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from django.utils.translation import gettext as _

from portal.errors import QuotaExceeded


class DiskFull(QuotaExceeded):
    """There was no room to write: nobody’s limit, and over when somebody makes room."""


def is_full(error: BaseException) -> bool:
    """Say whether something failed because a disk is full, of the portal or of the machine that works for it."""
    return isinstance(error, DiskFull) or (isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT})


@contextmanager
def disk_full_is_said() -> Iterator[None]:
    """Raise DiskFull where there is no room to write."""
    try:
        yield
    except OSError as error:
        if is_full(error):
            raise DiskFull(_("The portal’s disk is full; nothing was stored. Tell its admin.")) from error
        raise
