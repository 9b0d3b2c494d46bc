"""The commits of a repository and how they hang together: what a fetch must bring, and where a shallow clone is cut."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from models_hub.git import formats, objects
from models_hub.models import Commit, Repo

MAX_DEPTH = 0x7FFFFFFF  # by which git asks for everything


@dataclass(frozen=True)
class Cut:
    """How much of the history a client wants; nothing set means all of it."""

    depth: int | None = None
    since: int | None = None  # seconds since 1970
    without: tuple[str, ...] = ()  # commits whose history is left out
    from_boundary: bool = False  # `depth` counts from where the client's history ends now

    @property
    def is_whole(self) -> bool:
        return self.depth is None and self.since is None and not self.without


@dataclass(frozen=True)
class Kept:
    """The commits that remain after a cut, and those of them whose parents do not."""

    commits: set[str]
    boundary: set[str] = field(default_factory=set)


class History:
    """Parents of every commit of one repository, read once."""

    def __init__(self, repo: Repo) -> None:
        self._repo = repo
        self.parents: dict[str, tuple[str, ...]] = {}
        rows = Commit.objects.filter(repo=repo).order_by("id").values_list("oid", "parents")
        for oid, parents in rows.iterator(chunk_size=2000):  # parents come before their children
            self.parents[oid] = tuple(parents)

    def __contains__(self, oid: str) -> bool:
        return oid in self.parents

    def reach(self, starts: Iterable[str], *, ends: Collection[str] = ()) -> set[str]:
        """Return the commits and their ancestors; those of `ends` are reached, their parents not through them."""
        reached: set[str] = set()
        pending = [oid for oid in starts if oid in self.parents]
        while pending:
            oid = pending.pop()
            if oid not in reached:
                reached.add(oid)
                if oid not in ends:
                    pending.extend(parent for parent in self.parents[oid] if parent in self.parents)
        return reached

    def is_ancestor(self, old: str, new: str) -> bool:
        return old in self.reach([new])

    def keep(self, wants: Iterable[str], cut: Cut, *, shallow: Collection[str] = ()) -> Kept:
        """Return what is left of the history of `wants` after a cut; `shallow` is where the client's own ends."""
        everything = self.reach(wants)
        if cut.depth is not None and cut.from_boundary:
            near = self.reach(wants, ends=shallow)
            kept = near | self._within(near & set(shallow), min(cut.depth, MAX_DEPTH - 1) + 1)
        elif cut.depth is not None:
            kept = self._within(wants, cut.depth)
        else:
            kept = everything - self.reach(cut.without)
            if cut.since is not None:
                kept = self._later(kept, cut.since)
        return Kept(kept, {oid for oid in kept if not kept.issuperset(self.parents[oid])})

    def _within(self, starts: Iterable[str], depth: int) -> set[str]:
        """Return the commits that are fewer than `depth` steps away."""
        kept: set[str] = set()
        level = {oid for oid in starts if oid in self.parents}
        while level and depth > 0:
            kept |= level
            level = {parent for oid in level for parent in self.parents[oid] if parent in self.parents} - kept
            depth -= 1
        return kept

    def _later(self, commits: set[str], since: int) -> set[str]:
        rows = objects.stream(self._repo, commits)
        return {row.oid for row in rows if formats.read_commit(row.oid, objects.body(row)).commit_time >= since}


class Meeting:
    """Tells when every wanted commit has an ancestor among what a client has: then asking for more finds little.

    It is kept up as the client tells more: however often it is asked, each commit is gone through once.
    """

    def __init__(self, history: History, wants: Iterable[str]) -> None:
        self._waiting = {oid for oid in wants if oid in history}
        self._met: set[str] = set()
        self._children: dict[str, list[str]] = {}
        for oid, parents in history.parents.items():
            for parent in parents:
                self._children.setdefault(parent, []).append(oid)

    @property
    def is_complete(self) -> bool:
        return not self._waiting

    def add(self, had: str) -> None:
        """Note a commit that the client has, and with it all that descend from it."""
        pending = [had]
        while pending:
            oid = pending.pop()
            if oid not in self._met:
                self._met.add(oid)
                self._waiting.discard(oid)
                pending.extend(self._children.get(oid, ()))
