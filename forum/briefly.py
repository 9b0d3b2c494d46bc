"""What is the same for many readers, kept in the memory of each process for a few seconds.

Asking the database takes a page of the forum more time than all the database does for it: most of that is spent in
putting questions together. So pages of readers who are not signed in, and the cards of authors, are asked for once in
`BRIEFLY_SECONDS`. Nothing that one reader alone may see goes in here; what is hidden is gone as many seconds later.
"""

import threading
import time
from collections.abc import Callable, Collection, Hashable, Mapping
from typing import Any, TypeVar

from django.conf import settings

Thing = TypeVar("Thing")
Key = TypeVar("Key", bound=Hashable)
MOST = 500  # whole pages
MOST_SMALL = 5000

_lock = threading.Lock()
_kept: dict[Hashable, tuple[float, Any]] = {}
_small: dict[Hashable, tuple[float, Any]] = {}


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


def each(name: str, keys: Collection[Key], make: Callable[[Collection[Key]], Mapping[Key, Thing]]) -> dict[Key, Thing]:
    """Return a small thing for each key, such as a person's card; only those that are not kept are made, together."""
    span, now = settings.BRIEFLY_SECONDS, time.monotonic()
    held = {key: _small.get((name, key)) for key in keys}
    found: dict[Key, Thing] = {key: row[1] for key, row in held.items() if row is not None and now - row[0] < span}
    missing = [key for key in keys if key not in found]
    if missing:
        made = make(missing)
        found.update(made)
        if span:
            with _lock:
                if len(_small) + len(made) > MOST_SMALL:
                    _small.clear()
                _small.update({(name, key): (now, thing) for key, thing in made.items()})
    return found
