"""Two revisions side by side: which commit one is compared with, and all that is told of what differs."""

from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import quote

from models_hub import ancestry, browsing, comparing, meaning, tensor_diffs
from models_hub.ancestry import Distance
from models_hub.comparing import Comparison
from models_hub.meaning import Meaning
from models_hub.models import DEFAULT_BRANCH, Commit, Repo
from portal.models import Asker, Job

SINCE, DIRECT = "...", ".."
MAX_COMMITS = 30


class Asked(NamedTuple):
    """Two revisions, and whether the second is compared with the first itself or with where the two parted."""

    base: str
    head: str
    dots: str = SINCE

    @property
    def place(self) -> str:
        return f"{quote(self.base)}{self.dots}{quote(self.head)}"


@dataclass(frozen=True)
class Parted:
    """Two revisions that are there. `old` is the commit that `head` is compared with, None for nothing at all."""

    base: Commit
    head: Commit
    old: Commit | None
    distance: Distance


@dataclass(frozen=True)
class Differences:
    """What differs in files and lines, what that means, which tensors, and by which commits it came."""

    comparison: Comparison
    meaning: Meaning
    tensors: tensor_diffs.Result
    commits: list[Commit]


def read(revisions: str) -> Asked:
    """Read `base...head` or `base..head`; git allows no two dots in a row in any name."""
    dots = SINCE if SINCE in revisions else DIRECT
    base, _dots, head = revisions.partition(dots)
    return Asked(base or DEFAULT_BRANCH, head or DEFAULT_BRANCH, dots)


def find(repo: Repo, asked: Asked) -> Parted:
    """Return the commits of both revisions and where they parted; raises RevisionNotFound."""
    base, head = (browsing.resolve_revision(repo, name) for name in (asked.base, asked.head))
    distance = ancestry.distances(repo, base.oid, [head.oid])[head.oid]
    return Parted(base, head, _old(repo, base, head, asked, distance), distance)


def differences(repo: Repo, parted: Parted) -> Differences:
    """Return all that differs; of tensors what is known or little to read."""
    comparison = comparing.between(repo, parted.old, parted.head)
    return Differences(
        comparison=comparison,
        meaning=meaning.of(repo, comparison.changes),
        tensors=tensor_diffs.look(tensor_diffs.between(repo, parted.old, parted.head)),
        commits=ancestry.newest_added(repo, parted.base.oid, parted.head.oid, MAX_COMMITS),
    )


def compare_weights(repo: Repo, asked: Asked, *, by: Asker) -> Job:
    """Have all bytes of the weights compared, which takes a job."""
    parted = find(repo, asked)
    old = parted.old or parted.base
    planned = tensor_diffs.between(repo, old, parted.head)
    page = f"{repo.path}/compare/{asked.place}#tensors"
    return tensor_diffs.request(repo, by=by, before=old, after=parted.head, planned=planned, page=page)


def _old(repo: Repo, base: Commit, head: Commit, asked: Asked, distance: Distance) -> Commit | None:
    if asked.dots == DIRECT or not distance.behind:
        return base
    oid = ancestry.merge_base(repo, base.oid, head.oid)
    return Commit.objects.filter(repo=repo, oid=oid).first() if oid else None
