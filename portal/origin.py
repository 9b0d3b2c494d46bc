"""Where a request comes from, for the rows that say it: known from its first line of code to its last.

Verbs know no HTTP, and who acts is always passed to them; but from where is needed by the audit list alone, on
every door. A context variable carries it, so that work outside of requests simply has no origin.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

MAX_AGENT = 300


@dataclass(frozen=True)
class Origin:
    """An address and the program that called from it."""

    address: str = ""
    agent: str = ""


NOWHERE = Origin()
_current: ContextVar[Origin] = ContextVar("origin", default=NOWHERE)


def current() -> Origin:
    """Return where the running request comes from, NOWHERE outside of one."""
    return _current.get()


@contextmanager
def coming_from(address: str, agent: str) -> Iterator[None]:
    """Let what runs inside be said to come from this address."""
    before = _current.set(Origin(address[:45], agent[:MAX_AGENT]))
    try:
        yield
    finally:
        _current.reset(before)
