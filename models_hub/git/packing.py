"""What a client lacks, written as a pack: rows hold zlib streams, which go into it as they are.

Two passes: the first lists the objects, eight bytes for each, the second reads few of them at a time.
"""

import hashlib
import struct
from array import array
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from django.utils.translation import gettext as _

from models_hub.git import formats, objects
from models_hub.git.graph import History
from models_hub.models import Commit, GitObject, Ref, Repo
from portal.errors import NotFound

TREE, BLOB, TAG = GitObject.Type.TREE, GitObject.Type.BLOB, GitObject.Type.TAG
BLOCK = 64 * 1024
MAX_TREE_ENTRIES = 2**31


@dataclass(frozen=True)
class Filter:
    """What a partial clone leaves out: files of `blob_limit` bytes and more, folders `tree_depth` levels down."""

    blob_limit: int | None = None
    tree_depth: int | None = None


ALL = Filter()


class ObjectGone(NotFound):
    """An object that was to be sent is not, or no longer, there."""

    code = "object_gone"


def write(
    repo: Repo,
    wants: Iterable[str],
    haves: Iterable[str] = (),
    *,
    history: History | None = None,
    only: Collection[str] | None = None,
    shallow: Collection[str] = (),
    filter: Filter = ALL,
    tags: bool = False,
) -> Iterator[bytes]:
    """Yield a pack of what `wants` needs and a client with `haves` lacks, in flat memory.

    `wants` may name commits, annotated tags, folders and files. `only` are the commits that a client wants at all,
    `shallow` those where its own history ends, and without `only` ends still. With `tags`, annotated tags of what is
    sent come along.
    """
    listing = _Listing(repo, history or History(repo), filter)
    listing.add(wants, haves, only=only, shallow=shallow, tags=tags)
    return _pack(repo, listing)


class _Listing:
    """The objects of one pack: keys of rows, in columns of numbers."""

    def __init__(self, repo: Repo, history: History, filter: Filter) -> None:
        self.keys, self.sizes = array("Q"), array("Q")
        self._repo, self._history, self._filter = repo, history, filter
        self._seen: set[bytes] = set()

    def add(
        self,
        wants: Iterable[str],
        haves: Iterable[str],
        *,
        only: Collection[str] | None,
        shallow: Collection[str],
        tags: bool,
    ) -> None:
        wanted = list(dict.fromkeys(wants))
        starts, folders, files = self._sort(wanted)
        had = self._history.reach(haves, ends=shallow)
        sent = self._history.reach(starts, ends=shallow) if only is None else set(only)
        sent -= had
        edge = {parent for oid in sent for parent in self._history.parents[oid] if parent in had}
        self._mark(self._roots(edge))
        if tags:
            found = Ref.objects.filter(repo=self._repo).exclude(tag_oid="").values_list("tag_oid", "oid")
            self._add_rows([tag for tag, oid in found if oid in sent])
        self._add_rows([oid for oid in reversed(self._history.parents) if oid in sent])
        self._walk(self._roots(sent), most=self._filter.tree_depth)
        self._walk(folders, most=None if self._filter.tree_depth is None else max(self._filter.tree_depth, 1))
        self._add_rows(files)

    def _sort(self, wanted: list[str]) -> tuple[list[str], list[str], list[str]]:
        """Return the commits, folders and files of what is wanted; tags are listed and their commits returned."""
        commits = [oid for oid in wanted if oid in self._history]
        rows = _kinds(self._repo, [oid for oid in wanted if oid not in self._history])
        if len(rows) + len(commits) < len(wanted):
            raise ObjectGone(_("This repository has no object with the id that was asked for."))
        tags = [oid for oid, kind in rows.items() if kind == TAG]
        tagged = objects.stream(self._repo, tags)
        commits.extend(formats.read_tag(row.oid, objects.body(row)).target for row in tagged)
        self._add_rows(tags)
        folders, files = ([oid for oid, kind in rows.items() if kind == one] for one in (TREE, BLOB))
        return commits, folders, files

    def _roots(self, commits: Iterable[str]) -> list[str]:
        wanted = list(commits)
        found: list[str] = []
        for start in range(0, len(wanted), objects.BATCH):
            rows = Commit.objects.filter(repo=self._repo, oid__in=wanted[start : start + objects.BATCH])
            found += rows.values_list("tree_oid", flat=True)
        return found

    def _mark(self, level: list[str]) -> None:
        """Note all that is below these folders as what the client has."""
        while level:
            level = self._unseen(level)
            below: list[str] = []
            for row in objects.stream(self._repo, level):
                for entry in formats.tree_entries(objects.body(row), most=MAX_TREE_ENTRIES):
                    if entry.is_folder:
                        below.append(entry.oid)
                    else:
                        self._seen.add(bytes.fromhex(entry.oid))
            level = below

    def _walk(self, level: list[str], *, most: int | None) -> None:
        """List folders and what is below them, level by level: what is first seen is least deep."""
        depth = 1
        while level and (most is None or depth <= most):
            files: list[str] = []
            below: list[str] = []
            for row in objects.stream(self._repo, self._unseen(level)):
                self.keys.append(row.pk)
                self.sizes.append(row.size)
                for entry in formats.tree_entries(objects.body(row), most=MAX_TREE_ENTRIES):
                    (below if entry.is_folder else files).append(entry.oid)
                if len(files) >= objects.BATCH:
                    self._add_files(files)
                    files = []
            if most is None or depth < most:
                self._add_files(files)
            level, depth = below, depth + 1

    def _add_files(self, oids: list[str]) -> None:
        if self._filter.blob_limit != 0:
            self._add_rows(oids, below=self._filter.blob_limit)

    def _add_rows(self, oids: list[str], *, below: int | None = None) -> None:
        """List objects that are not listed yet, of fewer than `below` bytes."""
        wanted = self._unseen(oids)
        for start in range(0, len(wanted), objects.BATCH):
            batch = wanted[start : start + objects.BATCH]
            rows = GitObject.objects.filter(repo=self._repo, oid__in=batch).values_list("oid", "pk", "size")
            found = {oid: (key, size) for oid, key, size in rows}
            for oid in batch:
                key, size = found.get(oid, (0, 0))
                if key and (below is None or size < below):
                    self.keys.append(key)
                    self.sizes.append(size)

    def _unseen(self, oids: Iterable[str]) -> list[str]:
        """Return those that come up for the first time, and note them."""
        new = []
        for oid in oids:
            key = bytes.fromhex(oid)
            if key not in self._seen:
                self._seen.add(key)
                new.append(oid)
        return new


def _kinds(repo: Repo, oids: list[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for start in range(0, len(oids), objects.BATCH):
        rows = GitObject.objects.filter(repo=repo, oid__in=oids[start : start + objects.BATCH])
        # A commit that is no row of Commit never landed: nobody may ask for it.
        found.update(rows.exclude(type=GitObject.Type.COMMIT).values_list("oid", "type"))
    return found


def _pack(repo: Repo, listing: _Listing) -> Iterator[bytes]:
    digest = hashlib.sha1(usedforsecurity=False)
    block = bytearray(b"PACK" + struct.pack(">II", 2, len(listing.keys)))
    for group in objects.portions(zip(listing.keys, listing.sizes, strict=True)):
        rows = GitObject.objects.filter(repo=repo).in_bulk(group)
        if len(rows) < len(group):
            raise ObjectGone(_("The repository changed while it was being read. Try again."))
        for key in group:
            row = rows.pop(key)
            block += _head(row.type, row.size)
            block += row.data
            if len(block) >= BLOCK:
                digest.update(block)
                yield bytes(block)
                block.clear()
    digest.update(block)
    yield bytes(block) + digest.digest()


def _head(kind: int, size: int) -> bytes:
    """Return type and size as an entry of a pack begins with them."""
    head, size = bytearray([kind << 4 | size & 15]), size >> 4
    while size:
        head[-1] |= 0x80
        head.append(size & 0x7F)
        size >>= 7
    return bytes(head)
