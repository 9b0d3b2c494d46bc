"""What is the same for many readers, kept in the memory of each process for a few seconds.

Asking the database takes a page of the forum more time than all the database does for it: most of that is spent in
putting questions together. So pages of readers who are not signed in, and the cards of authors, are asked for once in
`BRIEFLY_SECONDS`. Nothing that one reader alone may see goes in here; what is hidden is gone as many seconds later.
"""

import threading
import time
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

from django.conf import settings

Thing = TypeVar("Thing")
MOST = 500

_lock = threading.Lock()
_kept: dict[Hashable, tuple[float, Any]] = {}


def kept(key: Hashable, make: Callable[[], Thing]) -> Thing:
    """Return what was made under this key a moment ago, or make it. What is raised is not kept."""
    span, now = settings.BRIEFLY_SECONDS, time.monotonic()
    found = _kept.get(key)
    if found is not None and now - found[0] < span:
        thing: Thing = found[1]
        return thing
    thing = make()
    if span:
        with _lock:
            if len(_kept) >= MOST:
                _kept.clear()
            _kept[key] = (now, thing)
    return thing
