"""How commits of a repository descend from each other."""

from collections import Counter
from collections.abc import Iterable, Mapping
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
    marks = {base: 1}
    for index, oid in enumerate(wanted, 1):
        marks[oid] = marks.get(oid, 0) | 1 << index
    counts: Counter[int] = Counter()
    rows = Commit.objects.filter(repo=repo).order_by("-id").values_list("oid", "parents")
    for oid, parents in rows.iterator(chunk_size=2000):  # children come before their parents
        mark = marks.pop(oid, 0)
        if mark:
            counts[mark] += 1
            for parent in parents:
                marks[parent] = marks.get(parent, 0) | mark
    return {oid: _distance(counts, 1 << index) for index, oid in enumerate(wanted, 1)}


def newest_added(repo: Repo, old: str | None, new: str, limit: int) -> list[Commit]:
    """Return the newest of the commits that `new` has in its past and `old` has not, newest first."""
    parents = _parents(repo)
    missing = _reached(parents, new) - (_reached(parents, old) if old else set())
    ids = Commit.objects.filter(repo=repo).order_by("-id").values_list("id", "oid").iterator(chunk_size=2000)
    wanted = [pk for pk, _oid in islice((row for row in ids if row[1] in missing), limit)]
    rows = Commit.objects.select_related("author").in_bulk(wanted)
    return [rows[pk] for pk in wanted]


def _distance(counts: Mapping[int, int], mark: int) -> Distance:
    ahead = sum(count for seen, count in counts.items() if seen & mark and not seen & 1)
    return Distance(ahead, sum(count for seen, count in counts.items() if seen & 1 and not seen & mark))


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
