"""How often topics were looked at: counted in the memory of each process, and written once in a while.

What a process that is killed had not written is lost, which this number may bear.
"""

import threading
import time
from collections import Counter

from django.db.models import F

from forum.models import Topic

EVERY = 60.0  # seconds
MOST = 500  # different topics


class Views:
    """The views of one process that are not written yet."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen: Counter[int] = Counter()
        self._since = time.monotonic()

    def note(self, topic: int) -> None:
        """Count one view; whoever comes after a minute writes what was counted."""
        with self._lock:
            self._seen[topic] += 1
            if time.monotonic() - self._since < EVERY and len(self._seen) < MOST:
                return
            due, self._seen, self._since = self._seen, Counter(), time.monotonic()
        write(due)

    def flush(self) -> None:
        with self._lock:
            due, self._seen = self._seen, Counter()
        write(due)


def write(seen: Counter[int]) -> None:
    """Add these views, in one statement for each number of views."""
    by_times: dict[int, list[int]] = {}
    for topic, times in seen.items():
        by_times.setdefault(times, []).append(topic)
    for times, topics in sorted(by_times.items()):
        Topic.objects.filter(pk__in=topics).update(views=F("views") + times)


_views = Views()
note, flush = _views.note, _views.flush
