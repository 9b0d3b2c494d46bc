"""What commits made elsewhere bring, looked at before any of it is kept.

Every object is here, every name and file is one that the repository may hold, and no content is claimed that was not
sent. Nothing is believed because a row of it exists: a row may be left over from a push that failed. Only what hangs
on a commit that a reference leads to is known to be whole.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.translation import gettext as _

from models_hub import browsing, checking, describing, drafting, staging
from models_hub.arrivals import Arrivals
from models_hub.arriving_files import ArrivingFiles, check_mode
from models_hub.checking import PathRefused
from models_hub.describing import Description
from models_hub.git import formats, objects
from models_hub.git.formats import CommitRecord, TreeEntry
from models_hub.git.objects import TreeItem
from models_hub.git.packs import BLOB, COMMIT, TREE, IncomingPack, PackTooLarge
from models_hub.git.pointers import Pointer
from models_hub.models import Commit, Repo

MAX_COMMITS = 50_000
MAX_KEPT = 3_000_000  # names of folders and weights kept in mind at a time


@dataclass(frozen=True)
class NewCommit:
    """A commit that the repository does not have yet."""

    record: CommitRecord
    weights_digest: str


def inspect(
    repo: Repo, pack: IncomingPack | None, tips: Iterable[str], *, awaited: dict[str, Pointer] | None = None
) -> list[NewCommit]:
    """Return the commits that are new with these tips, parents first; what they need of the pack is marked in it.

    With `awaited`, content that was not sent is noted there by its pointer's id instead of being refused.

    Raises PackRefused when something is missing, PathRefused, FileRefused, ContentRefused or PackTooLarge for what
    may not come in.
    """
    return _Inspection(repo, pack, awaited).run(tips)


def describe(repo: Repo, oid: str, new: Iterable[NewCommit]) -> Description:
    """Describe a commit that is new or has landed; its objects are stored by now, its row may not be."""
    tree = next((one.record.tree for one in new if one.record.oid == oid), None)
    if tree is None:
        tree = Commit.objects.get(repo=repo, oid=oid).tree_oid
    return describing.describe(repo, browsing.entries(repo, objects.flatten(repo, tree)))


@dataclass(frozen=True)
class _Summary:
    """What is below one folder: how many files and folders, and the weight files (path, id)."""

    files: int
    folders: int
    weights: tuple[tuple[bytes, str], ...]


class _Inspection:
    def __init__(self, repo: Repo, pack: IncomingPack | None, awaited: dict[str, Pointer] | None) -> None:
        self._source = Arrivals(repo, pack)
        self._roots: dict[str, str] = {}  # tree of each commit that has landed
        self._summaries: dict[str, _Summary] = {}
        self._kept = 0
        self._compared: set[tuple[str, str]] = set()
        self._files = ArrivingFiles(self._source, awaited)

    def run(self, tips: Iterable[str]) -> list[NewCommit]:
        made = []
        new = self._new_commits(tips)
        for record in new:
            summary = self._summarize(record.tree)
            parents = [self._roots[oid] for oid in record.parents]
            self._compare(record.tree, parents)
            self._roots[record.oid] = record.tree
            made.append(NewCommit(record, _weights_digest(summary)))
        self._files.finish()
        for oid in {*tips}:
            self._check_card(self._roots[oid])
        return made

    def _new_commits(self, tips: Iterable[str]) -> list[CommitRecord]:
        """Return the commits that have not landed, parents first."""
        new: dict[str, CommitRecord] = {}
        level = list(dict.fromkeys(tips))
        while level:
            self._roots.update(self._source.trees_of_landed(level))
            unknown = [oid for oid in level if oid not in self._roots]
            for oid, body in self._source.bodies(unknown, COMMIT):
                new[oid] = formats.read_commit(oid, body)
            if len(new) > MAX_COMMITS:
                raise PackTooLarge(_("Push at most %(max)d commits at a time.") % {"max": MAX_COMMITS})
            below = dict.fromkeys(parent for oid in unknown for parent in new[oid].parents)
            level = [oid for oid in below if oid not in new and oid not in self._roots]
        return _parents_first(new)

    def _summarize(self, root: str) -> _Summary:
        """Count what is below a folder, each folder once however often it is named: then it may be walked through."""
        folders: dict[str, list[tuple[bytes, str]]] = {}
        found: dict[str, tuple[int, tuple[tuple[bytes, str], ...]]] = {}
        order: list[str] = []
        level, depth = [root], 0
        while level := [oid for oid in dict.fromkeys(level) if oid not in self._summaries and oid not in folders]:
            depth += 1
            if depth > checking.MAX_DEPTH:
                raise PathRefused(_("The folders of the push are nested too deeply."))
            for oid, body in self._source.bodies(level, TREE):
                entries = formats.tree_entries(body, most=checking.MAX_FILES)
                folders[oid] = [(entry.name, entry.oid) for entry in entries if entry.is_folder]
                weights = tuple((e.name, e.oid) for e in entries if not e.is_folder and _is_weight(e.name))
                found[oid] = (len(entries) - len(folders[oid]), weights)
                self._remember(len(folders[oid]) + len(weights))
            order += level
            level = [oid for above in level for _name, oid in folders[above]]
        for oid in _children_first(folders, order):
            self._summaries[oid] = self._sum(oid, root, folders[oid], *found[oid])
            self._kept -= len(folders[oid])
        return self._summaries[root]

    def _sum(
        self, oid: str, root: str, folders: list[tuple[bytes, str]], files: int, weights: tuple[tuple[bytes, str], ...]
    ) -> _Summary:
        """Add up a folder whose own folders are summed already."""
        below = [(name, self._summaries[child]) for name, child in folders]
        files += sum(one.files for _name, one in below)
        count = len(folders) + sum(one.folders for _name, one in below)
        if max(files, count) > checking.MAX_FILES:
            raise PathRefused(_("A repository may hold at most %(max)d files.") % {"max": checking.MAX_FILES})
        if not files and oid != root:
            raise PathRefused(_("A folder of the push is empty; git keeps no empty folders."))
        inherited = [(name + b"/" + path, blob) for name, one in below for path, blob in one.weights]
        self._remember(len(inherited))
        return _Summary(files, count, (*weights, *inherited))

    def _remember(self, count: int) -> None:
        self._kept += count
        if self._kept > MAX_KEPT:
            raise PackTooLarge(_("The push has too many folders to be checked at once. Push fewer commits at a time."))

    def _compare(self, root: str, parents: list[str]) -> None:
        """Look at what differs from all parents: there, every entry is checked."""
        pending: list[tuple[str, str, list[str]]] = [("", root, parents)]
        while pending:
            prefix, oid, others = pending.pop()
            if oid in others or (prefix, oid) in self._compared:
                continue
            self._compared.add((prefix, oid))
            before = [{entry.name: entry for entry in self._source.tree(other)} for other in others]
            entries = self._source.tree(oid)
            checking.check_tree(_name(entry, prefix) for entry in entries)
            for entry in entries:
                there = [known[entry.name] for known in before if entry.name in known]
                if entry in there:
                    continue
                path = prefix + _name(entry, prefix)
                if entry.is_folder:
                    pending.append((f"{path}/", entry.oid, [one.oid for one in there if one.is_folder]))
                else:
                    check_mode(path, entry.mode)
                    self._files.add(checking.normalize_path(path), entry.oid)

    def _check_card(self, root: str) -> None:
        """Read the card of a tip as every commit's is read; an older one in its past may be as it is."""
        card = next((entry for entry in self._source.tree(root) if entry.name == staging.CARD.encode()), None)
        if card is not None and not card.is_folder:
            for _oid, body in self._source.bodies([card.oid], BLOB):
                staging.read_card(body)


def _parents_first(new: dict[str, CommitRecord]) -> list[CommitRecord]:
    return [
        new[oid] for oid in _children_first({oid: [(b"", p) for p in one.parents] for oid, one in new.items()}, new)
    ]


def _children_first(below: dict[str, list[tuple[bytes, str]]], starts: Iterable[str]) -> list[str]:
    """Return the keys of `below`, each after all that it refers to."""
    done: dict[str, None] = {}
    for start in starts:
        pending = [(start, False)]
        while pending:
            oid, ready = pending.pop()
            if oid in done or oid not in below:
                continue
            if ready:
                done[oid] = None
            else:
                pending.append((oid, True))
                pending.extend((child, False) for _name, child in below[oid] if child not in done)
    return list(done)


def _name(entry: TreeEntry, prefix: str) -> str:
    try:
        return entry.name.decode("utf-8")
    except UnicodeDecodeError as error:
        shown = prefix + entry.name.decode("utf-8", "replace")
        raise PathRefused(_("The path “%(path)s” is not valid UTF-8.") % {"path": shown[:120]}) from error


def _is_weight(name: bytes) -> bool:
    return name.endswith(_WEIGHTS)


_WEIGHTS = tuple(suffix.encode() for suffix in drafting.WEIGHT_SUFFIXES)


def _weights_digest(summary: _Summary) -> str:
    files = {path.decode("utf-8"): TreeItem("", objects.FILE_MODE, oid) for path, oid in summary.weights}
    return drafting.weights_digest(files)
