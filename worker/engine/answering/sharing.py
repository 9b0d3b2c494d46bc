"""What several turns of one evaluation have in common is made once: the loaded model, its corpus. Imports no torch."""

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar, cast

T = TypeVar("T")

_made: ContextVar[dict[Hashable, Any] | None] = ContextVar("made", default=None)
_base: ContextVar[str | None] = ContextVar("base", default=None)


@contextmanager
def standing_on(base_dir: str | None) -> Iterator[None]:
    """Have folders that hold an adapter alone be loaded on the model in this folder until the end of the block."""
    token = _base.set(base_dir)
    try:
        yield
    finally:
        _base.reset(token)


def base_dir() -> str | None:
    """Return the folder of the model that adapters are put on, if one was named."""
    return _base.get()


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
