"""Which tensors differ between two revisions, and by how much.

Headers say which tensors came, went or have another shape. The bytes of those that look the same are read to tell
whether they are: at once where they are few, otherwise in a job; what is found is kept by the content of both sides.
"""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from models_hub import browsing, contents, permissions
from models_hub.browsing import Entry
from models_hub.comparing import changed_files
from models_hub.headers.safetensors import Tensor, read_safetensors_header
from models_hub.models import Commit, Repo, TensorComparison
from models_hub.tensor_numbers import Place, compare
from portal.errors import InvalidInput, QuotaExceeded, SignInRequired
from portal.models import Asker, Job, User

KIND = "compare_tensors"
QUEUE = "light"
MAX_FILES = 64
MAX_HEADERS = 32 * 1024 * 1024
MAX_TENSORS = 20_000
MAX_SHOWN = 300
AT_ONCE = 4 * 1024 * 1024  # bytes that a page reads itself
MAX_BYTES = 64 * 1024**3
MAX_WAITING = 5
KEPT = timedelta(days=90)
_DIGITS = re.compile(r"(\d{1,9})", re.ASCII)


@dataclass(frozen=True)
class TensorChange:
    """One tensor, before and after. `share` and `distance` are known of tensors of one shape whose bytes were read.

    `share` is that of its numbers that differ, `distance` the length of the difference by that of what was before.
    """

    name: str
    before: Tensor | None
    after: Tensor | None
    share: float | None = None
    distance: float | None = None

    @property
    def kind(self) -> str:
        if self.before is None:
            return "added"
        if self.after is None:
            return "removed"
        return (
            "reshaped" if (self.before.shape, self.before.dtype) != (self.after.shape, self.after.dtype) else "changed"
        )


@dataclass(frozen=True)
class Plan:
    """What the headers of two revisions say. `pairs` are tensors of one shape, whose bytes may differ all the same."""

    changes: list[TensorChange]
    pairs: dict[str, tuple[Place, Place]]
    problem: str = ""

    @property
    def size(self) -> int:
        """How many bytes it takes to compare the pairs."""
        return sum(before.size + after.size for before, after in self.pairs.values())

    @property
    def key(self) -> str:
        lines = (
            f"{name}\0{before.entry.etag}\0{before.offset}\0{after.entry.etag}\0{after.offset}\n"
            for name, (before, after) in sorted(self.pairs.items())
        )
        return hashlib.sha256("".join(lines).encode("utf-8", "replace")).hexdigest()

    @property
    def is_empty(self) -> bool:
        return not (self.changes or self.pairs or self.problem)


@dataclass(frozen=True)
class Result:
    """What is known of the tensors of two revisions. `comparison` is None until their bytes were looked at."""

    plan: Plan
    changes: list[TensorChange]
    comparison: TensorComparison | None

    @property
    def shown(self) -> list[TensorChange]:
        return self.changes[:MAX_SHOWN]

    @property
    def is_known(self) -> bool:
        return not self.plan.pairs or (self.comparison is not None and self.comparison.finished_at is not None)

    @property
    def job(self) -> Job | None:
        return self.comparison.job if self.comparison else None

    @property
    def counts(self) -> dict[str, int]:
        kinds = [change.kind for change in self.changes]
        return {kind: kinds.count(kind) for kind in ("added", "removed", "reshaped", "changed")}

    @property
    def same(self) -> int:
        """How many tensors of changed files are the same to the last bit."""
        return len(self.plan.pairs) - self.counts["changed"]


def plan(before: Iterable[Entry], after: Iterable[Entry]) -> Plan:
    """Read the headers of the safetensors files that two revisions do not have in common."""
    sides = [[entry for entry in entries if entry.blob and is_weights(entry.path)] for entries in (before, after)]
    if not any(sides):
        return Plan([], {})
    if any(entry.blob and entry.blob.awaited_by for entry in [*sides[0], *sides[1]]):
        return Plan(
            [],
            {},
            problem=_("Weights of this copy are still with the upstream hub, so their tensors are not listed here."),
        )
    try:
        old, new = (_places(entries) for entries in sides)
    except InvalidInput as error:
        return Plan([], {}, problem=error.message)
    changes, pairs = [], {}
    for name in sorted(old.keys() | new.keys()):
        one, other = old.get(name), new.get(name)
        change = TensorChange(name, one.tensor if one else None, other.tensor if other else None)
        if one and other and change.kind == "changed":
            pairs[name] = (one, other)
        else:
            changes.append(change)
    return Plan(changes, pairs)


def between(repo: Repo, before: Commit | None, after: Commit) -> Plan:
    """Plan the comparison of two commits. What differs in weights shows in the ids of trees, so little is read."""
    changed = changed_files(repo, before.tree_oid if before else None, after.tree_oid)
    weights = {path: sides for path, sides in changed.items() if is_weights(path)}
    if len(weights) > MAX_FILES:
        return Plan([], {}, problem=_("So many weight files changed that their tensors are not listed here."))
    old = browsing.entries(repo, {path: one for path, (one, _other) in weights.items() if one})
    new = browsing.entries(repo, {path: other for path, (_one, other) in weights.items() if other})
    held = {entry.etag for entry in old} & {entry.etag for entry in new}
    return plan(*([entry for entry in entries if entry.etag not in held] for entries in (old, new)))


def look(planned: Plan) -> Result:
    """Return what is known of the differences; what is little to read is read now and kept."""
    found = TensorComparison.objects.select_related("job").filter(key=planned.key).first() if planned.pairs else None
    if planned.pairs and planned.size <= AT_ONCE and (found is None or found.finished_at is None):
        found = keep(planned, compare(planned.pairs, lambda _count: None))
    known = found.changes if found and found.finished_at else {}
    changed = [
        TensorChange(name, planned.pairs[name][0].tensor, planned.pairs[name][1].tensor, share, distance)
        for name, (share, distance) in sorted(known.items())
        if name in planned.pairs
    ]
    return Result(planned, sorted(planned.changes, key=_natural) + sorted(changed, key=_natural), found)


def request(repo: Repo, *, by: Asker, before: Commit, after: Commit, planned: Plan, page: str) -> Job:
    """Have the bytes of tensors compared in the background; who asks for what is on its way gets that job."""
    if not isinstance(by, User):
        raise SignInRequired(_("Sign in first."))
    permissions.require_download(by, repo)
    if not planned.pairs:
        raise InvalidInput(_("There are no tensors of the same shape to compare."))
    if planned.size > MAX_BYTES:
        raise InvalidInput(_("These weights are too large to be compared here."))
    with transaction.atomic():
        row, _created = TensorComparison.objects.select_related("job").get_or_create(key=planned.key)
        if row.job is not None and not row.job.is_finished:
            return row.job
        if Job.objects.unfinished().filter(owner=by, kind=KIND).count() >= MAX_WAITING:
            raise QuotaExceeded(_("You have several comparisons under way: wait until one is done."))
        row.job = Job.enqueue(
            KIND,
            spec={"repo": repo.pk, "before": before.oid, "after": after.oid, "page": page, "reads": [repo.pk]},
            owner=by,
            queue=QUEUE,
            needs={"store": True},
            title=f"{repo.full_name}: {before.oid[:7]} → {after.oid[:7]}",
        )
        row.save(update_fields=("job",))
    return row.job


def keep(planned: Plan, changes: dict[str, list[float | None]]) -> TensorComparison:
    """Keep what was found."""
    values = {"changes": changes, "bytes_read": planned.size, "finished_at": timezone.now()}
    return TensorComparison.objects.update_or_create(key=planned.key, defaults=values)[0]


def forget_old() -> None:
    """Drop what was found long ago, and what never was; whoever asks again has it compared again."""
    before = timezone.now() - KEPT
    never = Q(finished_at=None) & (Q(job=None) | Q(job__finished_at__lt=before))
    TensorComparison.objects.filter(Q(finished_at__lt=before) | never).delete()


def _natural(change: TensorChange) -> list[tuple[int, str]]:
    """Let layer 2 come before layer 10."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in _DIGITS.split(change.name)]


def is_weights(path: str) -> bool:
    return path.lower().endswith(".safetensors")


def _places(entries: Iterable[Entry]) -> dict[str, Place]:
    """Return the tensors of all files by name; those of a folder below its name, for two folders may share names."""
    found: dict[str, Place] = {}
    left = MAX_HEADERS
    for entry in entries:
        assert entry.blob is not None
        reader = contents.BlobReader(entry.blob)
        tensors = read_safetensors_header(reader, entry.size, entry.path)
        data = entry.size - max((tensor.end for tensor in tensors), default=0)
        left -= data
        folder = f"{entry.path.rpartition('/')[0]}/" if "/" in entry.path else ""
        found.update({folder + one.name: Place(one, entry, data + one.start) for one in tensors})
        if len(found) > MAX_TENSORS or left < 0:
            raise InvalidInput(_("There are so many tensors that they are not listed here."))
    return found
