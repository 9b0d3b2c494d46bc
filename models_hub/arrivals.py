"""Objects that came in a pack and are nobody's yet, side by side with the rows of the repository they came for."""

import time
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from functools import cached_property

from django.db import transaction
from django.utils.translation import gettext as _

from models_hub import checking, quotas
from models_hub.git import formats, objects
from models_hub.git.formats import TreeEntry
from models_hub.git.graph import History
from models_hub.git.pack_entries import PackRefused
from models_hub.git.packs import TREE, IncomingPack, PackTooLarge
from models_hub.models import Commit, GitObject, Ref, Repo

CACHED_ENTRIES = 200_000
SECONDS = 600.0


class Arrivals:
    """Objects of the pack, else rows of the repository."""

    def __init__(self, repo: Repo, pack: IncomingPack | None) -> None:
        self.repo, self.pack = repo, pack
        self.deadline = time.monotonic() + SECONDS
        self._trees: OrderedDict[str, list[TreeEntry]] = OrderedDict()
        self._cached = 0

    def in_pack(self, oid: str, kind: int) -> bool:
        """Say whether the pack has it, and mark it; raises PackRefused when it is something else."""
        found = self.pack.get(oid) if self.pack is not None else None
        if found is None or self.pack is None:
            return False
        if found.type != kind:
            raise missing(oid)
        self.pack.mark(oid)
        return True

    def bodies(self, oids: Iterable[str], kind: int) -> Iterator[tuple[str, bytes]]:
        """Yield all these objects, few at a time; raises PackRefused when one is missing or of another type."""
        outside = []
        for oid in oids:
            self._check_time()
            if self.in_pack(oid, kind):
                assert self.pack is not None
                yield oid, self.pack.body(oid)
            else:
                outside.append(oid)
        self.keep(outside)
        lacking = set(outside)
        for row in objects.stream(self.repo, outside):
            if row.type == kind:
                lacking.discard(row.oid)
                yield row.oid, objects.body(row)
        if lacking:
            raise missing(next(iter(lacking)))

    def tree(self, oid: str) -> list[TreeEntry]:
        if oid in self._trees:
            self._trees.move_to_end(oid)
            return self._trees[oid]
        _oid, body = next(iter(list(self.bodies([oid], TREE))))
        entries = formats.tree_entries(body, most=checking.MAX_FILES)
        self._trees[oid] = entries
        self._cached += len(entries)
        while self._cached > CACHED_ENTRIES and len(self._trees) > 1:
            self._cached -= len(self._trees.popitem(last=False)[1])
        return entries

    def keep(self, oids: list[str]) -> None:
        """Tell the collector that these rows are wanted, before anybody relies on them.

        It removes rows while it holds the owner's account: they are gone by now, or stay.
        """
        for start in range(0, len(oids), objects.BATCH):
            batch = oids[start : start + objects.BATCH]
            left = GitObject.objects.filter(repo=self.repo, oid__in=batch, unreachable_since__isnull=False)
            if left.exists():
                with transaction.atomic():
                    quotas.hold(self.repo)
                    left.update(unreachable_since=None)

    def trees_of_landed(self, oids: list[str]) -> dict[str, str]:
        """Return the trees of those commits that references lead to: all that they need is here, and stays.

        What a branch led to that is gone may be on its way out, piece by piece.
        """
        found: dict[str, str] = {}
        for start in range(0, len(oids), objects.BATCH):
            rows = Commit.objects.filter(repo=self.repo, oid__in=oids[start : start + objects.BATCH])
            found.update(rows.values_list("oid", "tree_oid"))
        if found.keys() <= self._heads:
            return found
        return {oid: tree for oid, tree in found.items() if oid in self._reached}

    @cached_property
    def _heads(self) -> set[str]:
        return set(Ref.objects.filter(repo=self.repo).values_list("oid", flat=True))

    @cached_property
    def _reached(self) -> set[str]:
        return History(self.repo).reach(self._heads)

    def _check_time(self) -> None:
        if time.monotonic() > self.deadline:
            raise PackTooLarge(_("The push takes too long to check. Push fewer commits at a time."))


def missing(oid: str, **data: str) -> PackRefused:
    """Return the failure for an object that is nowhere, or is not what it is taken for."""
    return PackRefused(
        _("The object %(oid)s is neither in the push nor in this repository. Run “git fsck” and push again.")
        % {"oid": oid},
        data=data,
    )
