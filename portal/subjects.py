"""What things are called and where they are, for whoever only has their keys: inboxes, cards, reports, feeds.

A key is `kind:pk`, as the subjects of events are. Each app says for its own kinds what a reader may see of them;
what is not among the answers is for that reader not there.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

from portal.models import Asker


@dataclass(frozen=True)
class Subject:
    """One thing as a reader sees it: `label` says what it is, `detail` what tells it from its like."""

    kind: str
    pk: int
    title: str
    path: str
    label: str
    detail: str = ""
    author_id: int | None = None

    @property
    def key(self) -> str:
        return f"{self.kind}:{self.pk}"


Describe = Callable[[Collection[int], Asker], Iterable[Subject]]
_kinds: dict[str, Describe] = {}


def register(kind: str, describe: Describe) -> None:
    """Let `describe` answer for a kind: for some ids and a reader, what of them the reader may see, in few queries."""
    _kinds[kind] = describe


def describe(keys: Iterable[str], reader: Asker) -> dict[str, Subject]:
    """Return what the reader may see of these things, by key; a constant number of queries for each kind."""
    wanted: dict[str, set[int]] = defaultdict(set)
    for key in keys:
        kind, _colon, pk = key.partition(":")
        if kind in _kinds and pk.isascii() and pk.isdigit() and len(pk) < 19:
            wanted[kind].add(int(pk))
    found = (subject for kind, pks in wanted.items() for subject in _kinds[kind](pks, reader))
    return {subject.key: subject for subject in found}


def find(key: str, reader: Asker) -> Subject | None:
    """Return one thing, or None when it is not there for the reader."""
    return describe([key], reader).get(key)
