"""Which GPU of this worker a run gets: one for each, so that runs beside one another share none while another is free.

A run never has two: what learns on several must talk over sockets, and the sandbox has none of a network.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

# How many runs each has now, by its number as the driver counts them.
_runs: dict[int, int] = {}
_lock = threading.Lock()


@contextmanager
def one_of(count: int) -> Iterator[dict[str, str]]:
    """Hold the GPU with the fewest runs; yield what tells a run which one that is, nothing where there is no choice."""
    if count < 2:
        yield {}
        return
    with _lock:
        number = min(range(count), key=lambda one: (_runs.get(one, 0), one))
        _runs[number] = _runs.get(number, 0) + 1
    try:
        yield dict.fromkeys(("CUDA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES"), str(number))
    finally:
        with _lock:
            _runs[number] -= 1
