"""A full disk, told in words to whoever sends something."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from django.utils.translation import gettext as _

from portal.errors import QuotaExceeded


@contextmanager
def disk_full_is_said() -> Iterator[None]:
    """Raise QuotaExceeded where there is no room to write."""
    try:
        yield
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise QuotaExceeded(_("The portal’s disk is full; nothing was stored. Tell its admin.")) from error
        raise
