"""What several turns of one evaluation have in common is made once: the loaded model, its corpus. Imports no torch."""

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar, cast

T = TypeVar("T")

_made: ContextVar[dict[Hashable, Any] | None] = ContextVar("made", default=None)


@contextmanager
def sharing() -> Iterator[None]:
    """Keep what `once` makes until the end of the block; outside such a block nothing is kept."""
    token = _made.set({})
    try:
        yield
    finally:
        _made.reset(token)


def once(key: Hashable, make: Callable[[], T]) -> T:
    """Return what was made for this key before, or make it."""
    made = _made.get()
    if made is None:
        return make()
    if key not in made:
        made[key] = make()
    return cast("T", made[key])
