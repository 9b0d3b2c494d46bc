"""How commits of a repository descend from each other."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import NamedTuple

from models_hub.git.objects import BATCH
from models_hub.models import Commit, Repo

Parents = Mapping[str, list[str]]


class Distance(NamedTuple):
    """How many commits one revision has that another has not, and the other way round."""

    ahead: int
    behind: int


def merge_base(repo: Repo, one: str, other: str) -> str | None:
    """Return the newest commit from which both descend, None where they share no past."""
    parents = _parents(repo)
    common = _reached(parents, one) & _reached(parents, other)
    # Ancestors of a common ancestor are common too: the best are those that no other one has as its parent.
    best = common - {parent for oid in common for parent in parents.get(oid, ())}
    if len(best) < 2:
        return next(iter(best), None)
    newest = Commit.objects.filter(repo=repo, oid__in=best).order_by("-id").values_list("oid", flat=True)
    return newest.first()


def added(repo: Repo, old: str | None, new: str) -> list[Commit]:
    """Return the commits that `new` has in its past and `old` has not, oldest first."""
    parents = _parents(repo)
    oids = _reached(parents, new) - (_reached(parents, old) if old else set())
    found: list[Commit] = []
    for start in range(0, len(oids), BATCH):
        batch = list(oids)[start : start + BATCH]
        found.extend(Commit.objects.filter(repo=repo, oid__in=batch).select_related("author"))
    return sorted(found, key=lambda row: row.pk)


def distances(repo: Repo, base: str, oids: Iterable[str]) -> dict[str, Distance]:
    """Return how far each commit is ahead of `base` and behind it, in one pass over the repository's commits."""
    wanted = list(dict.fromkeys(oids))
    pasts = _Pasts(repo, [base, *wanted])
    return {oid: Distance(pasts.count(oid, without=base), pasts.count(base, without=oid)) for oid in wanted}


def added_counts(repo: Repo, pairs: Sequence[tuple[str | None, str]]) -> list[int]:
    """Return for each (old, new) how many commits `new` has in its past and `old` has not, in one pass."""
    pasts = _Pasts(repo, [oid for pair in pairs for oid in pair if oid])
    return [pasts.count(new, without=old) for old, new in pairs]


def newest_added(repo: Repo, old: str | None, new: str, limit: int) -> list[Commit]:
    """Return the newest of the commits that `new` has in its past and `old` has not, newest first."""
    parents = _parents(repo)
    missing = _reached(parents, new) - (_reached(parents, old) if old else set())
    ids = Commit.objects.filter(repo=repo).order_by("-id").values_list("id", "oid").iterator(chunk_size=2000)
    wanted = [pk for pk, _oid in islice((row for row in ids if row[1] in missing), limit)]
    rows = Commit.objects.select_related("author").in_bulk(wanted)
    return [rows[pk] for pk in wanted]


class _Pasts:
    """The pasts of some commits. Each has a bit, and the commits are counted by which pasts they belong to."""

    def __init__(self, repo: Repo, oids: Iterable[str]) -> None:
        self._bits = {oid: 1 << index for index, oid in enumerate(dict.fromkeys(oids))}
        self._counts: Counter[int] = Counter()
        marks = dict(self._bits)
        rows = Commit.objects.filter(repo=repo).order_by("-id").values_list("oid", "parents")
        for oid, parents in rows.iterator(chunk_size=2000):  # children come before their parents
            mark = marks.pop(oid, 0)
            if mark:
                self._counts[mark] += 1
                for parent in parents:
                    marks[parent] = marks.get(parent, 0) | mark

    def count(self, oid: str, *, without: str | None) -> int:
        """Return how many commits are in the past of one, itself included, and not in that of another."""
        inside, outside = self._bits[oid], self._bits[without] if without else 0
        return sum(count for mark, count in self._counts.items() if mark & inside and not mark & outside)


def _parents(repo: Repo) -> Parents:
    return dict(Commit.objects.filter(repo=repo).values_list("oid", "parents"))


def _reached(parents: Parents, oid: str) -> set[str]:
    reached: set[str] = set()
    pending = [oid]
    while pending:
        oid = pending.pop()
        if oid in parents and oid not in reached:
            reached.add(oid)
            pending.extend(parents[oid])
    return reached
