"""History that was made elsewhere becomes that of a repository here, under the ids it has: mirrors, imports, bundles.

Everything is looked at before anything is stored, in the way of a push: names of files, folders, what a commit needs.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from django.utils.translation import gettext as _
from dulwich.objects import Commit as GitCommit

from models_hub import browsing, checking, contents, describing, landing, quotas
from models_hub.drafting import WEIGHT_SUFFIXES
from models_hub.git import formats, objects
from models_hub.git.formats import TreeEntry
from models_hub.git.packs import BLOB, COMMIT, TREE, IncomingPack
from models_hub.git.pointers import MAX_POINTER_BYTES, Pointer, parse_pointer, pointer_oid
from models_hub.models import DEFAULT_BRANCH, AwaitedBlob, Blob, Commit, Ref, Repo
from models_hub.models.refs import HEADS, TAGS
from models_hub.referencing import MAX_REFS
from portal.errors import InvalidInput, TooLarge
from portal.models import Event, User

MAIN = HEADS + DEFAULT_BRANCH
FILE_MODES = frozenset({0o100644, 0o100755})
MAX_DEPTH = checking.MAX_DEPTH


class HistoryRefused(InvalidInput):
    """A history that is not whole, or holds what no repository here may hold."""

    code = "history_refused"


class Tip(NamedTuple):
    """A branch or tag as it is to be: the commit it names, and for an annotated tag the tag's own id."""

    name: str
    oid: str
    tag_oid: str = ""


@dataclass(frozen=True)
class History:
    """What a pack brings, looked through: commits with parents before children, and pointers to large content."""

    pack: IncomingPack
    tips: Sequence[Tip]
    commits: list[str]
    weights: Mapping[str, str]
    pointers: Mapping[str, Pointer]


def look_through(repo: Repo, pack: IncomingPack, tips: Sequence[Tip]) -> History:
    """Check all that the tips need and the repository does not have yet; raises HistoryRefused or PathRefused."""
    check_names(tips)
    look = _Look(repo, pack)
    commits = look.commits(dict.fromkeys(tip.oid for tip in tips))
    weights = {oid: look.weights_digest(oid) for oid in commits}
    look.require_files()
    for tip in tips:
        if tip.tag_oid:
            look.require_tag(tip)
        look.check_whole(tip.oid)
    return History(pack, tips, commits, weights, look.pointers)


def check_names(tips: Sequence[Tip]) -> None:
    """Refuse references that are no branches or tags, too many of them, or a history without the default branch."""
    names = [tip.name for tip in tips]
    if len(names) > MAX_REFS:
        raise TooLarge(_("A repository may have at most %(max)d branches and tags.") % {"max": MAX_REFS})
    if MAIN not in names:
        raise HistoryRefused(_("The repository has no branch “main”, which is the one that is shown here."))
    for name in names:
        short = name.removeprefix(HEADS).removeprefix(TAGS)
        if short == name or len(name) > 250 or not checking.is_text(name) or not name.isprintable():
            raise HistoryRefused(_("“%(name)s” is not a branch or tag.") % {"name": name[:100]})
    if len(set(names)) != len(names):
        raise HistoryRefused(_("The same branch or tag is named twice."))


def adopt(repo: Repo, history: History, *, by: User | None, awaited: bool = False) -> None:
    """Store a history and let the branches and tags be exactly its tips, in the caller's transaction.

    Large content must be the repository's already; with `awaited` what is missing is noted, to be fetched when it
    is asked for. Raises ContentRefused or StorageFull.
    """
    quotas.hold(repo)
    held = contents.claimed_by(repo, (pointer.sha256 for pointer in history.pointers.values()))
    missing = {oid: one for oid, one in history.pointers.items() if one.sha256 not in held}
    if awaited:
        _await(repo, missing)
    else:
        for pointer in history.pointers.values():
            contents.require(held, pointer.sha256, pointer.size)
    history.pack.store(repo)
    for oid in history.commits:
        made = GitCommit.from_string(history.pack.body(oid))
        landing.note_commit(repo, made, author=None, weights_digest=history.weights[oid])
    _set_refs(repo, history.tips, by)


def _await(repo: Repo, missing: Mapping[str, Pointer]) -> None:
    rows = (
        AwaitedBlob(repo=repo, sha256=pointer.sha256, size=pointer.size, pointer_oid=oid)
        for oid, pointer in missing.items()
    )
    AwaitedBlob.objects.bulk_create(rows, ignore_conflicts=True, batch_size=200)


def _set_refs(repo: Repo, tips: Sequence[Tip], by: User | None) -> None:
    """Move branches and tags to the tips, and remove those that are no tip."""
    before = {ref.name: ref for ref in Ref.objects.filter(repo=repo) if ref.name.startswith((HEADS, TAGS))}
    rows = {row.oid: row for row in _commits(repo, [tip.oid for tip in tips] + [ref.oid for ref in before.values()])}
    for tip in tips:
        old = before.pop(tip.name, None)
        if old is not None and (old.oid, old.tag_oid) == (tip.oid, tip.tag_oid):
            continue
        if tip.name.startswith(TAGS):
            values = {"oid": tip.oid, "tag_oid": tip.tag_oid}
            Ref.objects.update_or_create(repo=repo, name=tip.name, defaults=values)
            Event.record("repo.ref_created", subject=f"repo:{repo.pk}", by=by, ref=tip.name, commit=tip.oid)
        else:
            new = rows[tip.oid]
            landing.move_branch(
                repo, tip.name, old=rows[old.oid] if old else None, new=new, by=by,
                description=_describe(repo, new) if tip.name == MAIN else None,
            )  # fmt: skip
    for ref in before.values():
        ref.delete()
        Event.record("repo.ref_deleted", subject=f"repo:{repo.pk}", by=by, ref=ref.name, commit=ref.oid)


def _describe(repo: Repo, commit: Commit) -> describing.Description:
    return describing.describe(repo, browsing.list_folder(repo, commit, recursive=True))


def _commits(repo: Repo, oids: Iterable[str]) -> Iterator[Commit]:
    wanted = list(dict.fromkeys(oids))
    for start in range(0, len(wanted), objects.BATCH):
        yield from Commit.objects.filter(repo=repo, oid__in=wanted[start : start + objects.BATCH])


@dataclass
class _Look:
    """One look through a pack that was sent for a repository. Each folder is read once, however often it comes up."""

    repo: Repo
    pack: IncomingPack
    pointers: dict[str, Pointer] = field(default_factory=dict)
    _trees: dict[str, str] = field(default_factory=dict)  # commit -> folder
    _weights: dict[str, list[tuple[str, str]]] = field(default_factory=dict)  # folder -> weight files below it
    _elsewhere: set[str] = field(default_factory=set)  # files that the repository must have

    def commits(self, starts: Iterable[str]) -> list[str]:
        """Return the commits of the pack that are needed, parents first; the others must be known here."""
        order: list[str] = []
        outside: set[str] = set()
        entered: set[str] = set()
        pending = [(oid, False) for oid in starts]
        while pending:
            oid, is_done = pending.pop()
            if is_done:
                order.append(oid)
            elif oid not in entered:
                entered.add(oid)
                packed = self.pack.get(oid)
                if packed is None:
                    outside.add(oid)
                    continue
                if packed.type != COMMIT:
                    raise _incomplete()
                record = formats.read_commit(oid, self.pack.body(oid))
                self._trees[oid] = record.tree
                pending.append((oid, True))
                pending.extend((parent, False) for parent in record.parents)
        if {row.oid for row in _commits(self.repo, outside)} != outside:
            raise _incomplete()
        return order

    def weights_digest(self, commit: str) -> str:
        """Return what Commit.weights_digest is; on the way every new folder is checked."""
        found = sorted(self._folder(self._trees[commit], 0))
        lines = "".join(f"{path} {oid}\n" for path, oid in found)
        return hashlib.sha256(lines.encode("utf-8", "surrogateescape")).hexdigest() if lines else ""

    def require_files(self) -> None:
        """Refuse a history that names files which neither the pack nor the repository has."""
        if self._elsewhere - objects.sizes(self.repo, self._elsewhere).keys():
            raise _incomplete()

    def require_tag(self, tip: Tip) -> None:
        """Refuse an annotated tag that is not here or names another commit."""
        if self.pack.get(tip.tag_oid):
            body = self.pack.body(tip.tag_oid)
        else:
            row = objects.read(self.repo, [tip.tag_oid]).get(tip.tag_oid)
            if row is None:
                raise _incomplete()
            body = objects.body(row)
        if formats.read_tag(tip.tag_oid, body).target != tip.oid:
            raise _incomplete()

    def check_whole(self, commit: str) -> None:
        """Check the paths of a tip as those of a commit made here."""
        if commit in self._trees:
            paths = list(self._paths(self._trees[commit], ""))
            for path in paths:
                checking.normalize_path(path)
            checking.check_tree(paths)

    def _paths(self, tree: str, prefix: str) -> Iterator[str]:
        for entry in self._entries(tree):
            name = prefix + entry.name.decode("utf-8", "surrogateescape")
            if entry.is_folder:
                yield from self._paths(entry.oid, f"{name}/")
            else:
                yield name

    def _folder(self, tree: str, depth: int) -> list[tuple[str, str]]:
        """Return the weight files below a folder with their ids."""
        if tree in self._weights:
            return self._weights[tree]
        if depth > MAX_DEPTH:
            raise HistoryRefused(_("The history has folders that are nested too deep."))
        is_new = self.pack.get(tree) is not None
        found: list[tuple[str, str]] = []
        for entry in self._entries(tree):
            name = entry.name.decode("utf-8", "surrogateescape")
            if is_new:
                checking.normalize_path(name)
            if entry.is_folder:
                found += [(f"{name}/{path}", oid) for path, oid in self._folder(entry.oid, depth + 1)]
                continue
            if is_new:
                self._check_file(entry, name)
            if name.endswith(WEIGHT_SUFFIXES):
                found.append((name, entry.oid))
        self._weights[tree] = found
        return found

    def _entries(self, tree: str) -> list[TreeEntry]:
        packed = self.pack.get(tree)
        if packed is not None and packed.type == TREE:
            body = self.pack.body(tree)
        else:
            row = objects.read(self.repo, [tree]).get(tree) if packed is None and self.repo.pk else None
            if row is None or row.type != TREE:
                raise _incomplete()
            body = objects.body(row)
        return formats.tree_entries(body, most=checking.MAX_FILES)

    def _check_file(self, entry: TreeEntry, name: str) -> None:
        if entry.mode not in FILE_MODES:
            raise HistoryRefused(
                _("“%(name)s” is a link or a submodule; a repository here holds files alone.") % {"name": name[:100]}
            )
        if entry.oid in self.pack.large:
            raise TooLarge(_("“%(name)s” is too large to be kept outside LFS.") % {"name": name[:100]})
        packed = self.pack.get(entry.oid)
        if packed is None:
            self._elsewhere.add(entry.oid)
        elif packed.type != BLOB:
            raise _incomplete()
        elif packed.size <= MAX_POINTER_BYTES and entry.oid not in self.pointers:
            pointer = parse_pointer(self.pack.body(entry.oid))
            # Another spelling of a pointer has another id, by which its content is not found: it stays a text.
            if pointer and pointer_oid(pointer.sha256, pointer.size) == entry.oid:
                self.pointers[entry.oid] = pointer


def _incomplete() -> HistoryRefused:
    return HistoryRefused(_("The history is not whole: something that its commits need is missing."))


def blobs_of(repo: Repo) -> list[Blob]:
    """Return the large content that the repository holds or awaits, each once."""
    held = list(Blob.objects.filter(repo_blobs__repo=repo).order_by("sha256"))
    known = {blob.sha256 for blob in held}
    awaited = AwaitedBlob.objects.filter(repo=repo).select_related("repo__namespace").order_by("sha256")
    return held + [row.as_blob() for row in awaited if row.sha256 not in known]
