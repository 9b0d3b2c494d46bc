"""Looking into a repository: revisions, folders, files and their bytes."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import quote

from django.db.models import Q
from django.utils.translation import gettext as _

from models_hub import fetching, making_room
from models_hub.checking import is_text
from models_hub.git import objects
from models_hub.git.objects import TreeItem
from models_hub.models import Blob, Commit, GitObject, Ref, Repo
from models_hub.models.refs import HEADS, TAGS
from portal.errors import NotFound
from portal.models import Asker

OID = re.compile(r"[0-9a-f]{40}")
TREE = GitObject.Type.TREE
_SHORT_OID = re.compile(r"[0-9a-f]{7,39}")


class RepoNotFound(NotFound):
    """No repository has this name, or the asker may not know that one has."""

    code = "repo_not_found"


class RepoMoved(RepoNotFound):
    """The repository, which the asker may see, has another name now. A face that cannot lead there answers 404."""

    def __init__(self, old: str, repo: Repo) -> None:
        super().__init__(_("Repository not found"))
        self.old = old
        self.repo = repo


class RevisionNotFound(NotFound):
    """No branch, tag, reference or commit of this repository has this name."""

    code = "revision_not_found"


class EntryNotFound(NotFound):
    """The revision has no file or folder at this path. `data["commit"]` is the revision's commit id."""

    code = "entry_not_found"


@dataclass(frozen=True)
class Entry:
    """A file or folder of one revision. `oid` is git's id; large files also have a Blob and their real size."""

    path: str
    oid: str
    is_folder: bool
    size: int
    blob: Blob | None = None

    @property
    def name(self) -> str:
        return self.path.rsplit("/", 1)[-1]

    @property
    def etag(self) -> str:
        """The id of the content itself: sha256 of a large file, git's id of a small one."""
        return self.blob.sha256 if self.blob else self.oid

    @property
    def quoted(self) -> str:
        return quote(self.path, safe="/")


def visible_repo(user: Asker, *, kind: str, namespace: str, name: str) -> Repo:
    """Return the repository of this name; raises RepoNotFound, the same for what is missing and what is hidden.

    Under a former name of a repository that the asker may see, raises RepoMoved.
    """
    if not is_text(kind + namespace + name):
        raise RepoNotFound(_("Repository not found"))
    visible = Repo.objects.visible_to(user).select_related("namespace", "restriction")
    repo = visible.named(kind, namespace, name).first()
    if repo is not None:
        return repo
    moved = visible.formerly_named(kind, namespace, name).first()
    if moved is not None:
        raise RepoMoved(f"{namespace}/{name}", moved)
    raise RepoNotFound(_("Repository not found"))


def resolve_revision(repo: Repo, revision: str) -> Commit:
    """Return the commit that a commit id (7 to 40 hex), branch, tag or full reference names.

    A full id always means that commit: nobody can move a pinned revision with a branch of the same name.
    """
    if OID.fullmatch(revision):
        commit = Commit.objects.filter(repo=repo, oid=revision).first()
        if commit is not None:
            return commit
    names = [revision, HEADS + revision, TAGS + revision]
    known = Ref.objects.filter(repo=repo, name__in=names) if is_text(revision) else Ref.objects.none()
    oids = {ref.name: ref.oid for ref in known}
    oid = next((oids[name] for name in (names[1], names[2], names[0]) if name in oids), None)
    if oid is None and _SHORT_OID.fullmatch(revision):
        # A range, where LIKE could not use the index.
        matches = Commit.objects.filter(repo=repo, oid__gte=revision, oid__lt=revision + "g")[:2]
        if len(matches) == 1:
            return matches[0]
    commit = Commit.objects.filter(repo=repo, oid=oid).first() if oid else None
    if commit is None:
        raise RevisionNotFound(_("This repository has no revision “%(name)s”.") % {"name": revision[:100]})
    return commit


def commits_of(repo: Repo, oids: Iterable[str]) -> dict[str, Commit]:
    """Return the commits of these full ids that the repository has, with their authors."""
    rows = Commit.objects.filter(repo=repo, oid__in=list(oids)).select_related("author")
    return {row.oid: row for row in rows}


def history(repo: Repo, commit: Commit, start: int = 0, limit: int | None = None) -> list[Commit]:
    """Return the commit and its ancestors, newest first; of them `limit` after the first `start`."""
    parents = dict(Commit.objects.filter(repo=repo).values_list("oid", "parents"))
    reached, pending = set(), [commit.oid]
    while pending:
        oid = pending.pop()
        if oid not in reached and oid in parents:
            reached.add(oid)
            pending.extend(parents[oid])
    ids = Commit.objects.filter(repo=repo).order_by("-id").values_list("id", "oid")
    wanted = [pk for pk, oid in ids if oid in reached][start : None if limit is None else start + limit]
    rows = Commit.objects.select_related("author").in_bulk(wanted)
    return [rows[pk] for pk in wanted]


def list_folder(repo: Repo, commit: Commit, path: str = "", *, recursive: bool = False) -> list[Entry]:
    """Return the entries below `path` in git's order; raises EntryNotFound."""
    return entries(repo, items_below(repo, commit, path, recursive=recursive))


def items_below(repo: Repo, commit: Commit, path: str = "", *, recursive: bool = False) -> dict[str, TreeItem]:
    """Return path -> tree item below `path` in git's order, without sizes; raises EntryNotFound."""
    tree_oid = commit.tree_oid
    if path:
        item = find_item(repo, commit, path)
        if not item.is_folder:
            raise EntryNotFound(
                _("“%(path)s” is a file, not a folder.") % {"path": path[:300]}, data={"commit": commit.oid}
            )
        tree_oid = item.oid
    prefix = f"{path}/" if path else ""
    if recursive:
        return objects.flatten(repo, tree_oid, prefix)
    row = objects.read(repo, [tree_oid]).get(tree_oid)
    return {prefix + item.name: item for item in objects.tree_items(row)} if row else {}


def find(repo: Repo, commit: Commit, path: str) -> Entry:
    """Return the file or folder at `path`; raises EntryNotFound."""
    return entries(repo, {path: find_item(repo, commit, path)})[0]


def find_many(repo: Repo, commit: Commit, paths: Iterable[str]) -> list[Entry]:
    """Return those of `paths` that exist."""
    everything = objects.flatten(repo, commit.tree_oid)
    return entries(repo, {path: everything[path] for path in paths if path in everything})


def find_item(repo: Repo, commit: Commit, path: str) -> TreeItem:
    """Return the tree item at `path`, with one query for each folder not looked into lately; raises EntryNotFound."""
    oid, item = commit.tree_oid, None
    for segment in path.split("/"):
        try:
            item = _item_in(repo.pk, oid, segment)
        except KeyError as error:
            raise EntryNotFound(
                _("“%(path)s” does not exist at this revision.") % {"path": path[:300]}, data={"commit": commit.oid}
            ) from error
        oid = item.oid
    assert item is not None
    return item


@lru_cache(maxsize=8192)
def _item_in(repo_id: int, tree_oid: str, name: str) -> TreeItem:
    """Return one entry of a tree; raises KeyError, which is not kept. A tree never changes, so its entries may be."""
    row = GitObject.objects.filter(repo_id=repo_id, oid=tree_oid).first()
    items = objects.tree_items(row) if row and row.type == TREE else []
    return {item.name: item for item in items}[name]


def entries(repo: Repo, items: dict[str, TreeItem]) -> list[Entry]:
    """Add sizes and large contents to tree items, in at most two queries, or three for a mirror."""
    oids = list(dict.fromkeys(item.oid for item in items.values() if not item.is_folder))
    blobs: dict[str, Blob] = {}
    for start in range(0, len(oids), objects.BATCH):
        batch = oids[start : start + objects.BATCH]
        found = Blob.objects.filter(Q(repo_blobs__repo=repo), pointer_oid__in=batch)
        blobs.update({blob.pointer_oid: blob for blob in found})
        if repo.namespace.is_mirror:
            blobs = fetching.awaited(repo, batch) | blobs
    sizes = objects.sizes(repo, [oid for oid in oids if oid not in blobs])
    return [
        Entry(
            path=path,
            oid=item.oid,
            is_folder=item.is_folder,
            size=0 if item.is_folder else blobs[item.oid].size if item.oid in blobs else sizes.get(item.oid, 0),
            blob=blobs.get(item.oid),
        )
        for path, item in items.items()
    ]


def stream(repo: Repo, entry: Entry, start: int = 0, length: int | None = None) -> Iterator[bytes]:
    """Return the bytes of a file, or of a range of it, block by block."""
    if entry.blob:
        making_room.note_use(repo, entry.blob)
        return fetching.stream(entry.blob, start, length)
    row = GitObject.objects.filter(repo=repo, oid=entry.oid).first()
    if row is None:  # purged: the folder goes on naming it
        raise NotFound(_("The content of this file is not there any more."))
    data = objects.body(row)
    return iter([data[start:] if length is None else data[start : start + length]])


def read_small(repo: Repo, files: Iterable[Entry | None], limit: int) -> dict[str, bytes]:
    """Return the whole content, by git's id, of those files that git itself holds and that are no longer than `limit`.

    They are read together, which costs no more queries for many than for one.
    """
    wanted = [file.oid for file in files if file and not file.is_folder and not file.blob and file.size <= limit]
    return {oid: objects.body(row) for oid, row in objects.read(repo, wanted).items()}


def read(repo: Repo, entry: Entry, limit: int) -> bytes:
    """Return at most the first `limit` bytes of a file."""
    return b"".join(stream(repo, entry, 0, min(entry.size, limit)))
