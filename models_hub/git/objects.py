"""Reading and writing git objects of a repository as rows. dulwich does the encoding."""

import stat
import zlib
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from dulwich.objects import Commit as GitCommit
from dulwich.objects import ObjectID, ShaFile, Tree

from models_hub import quotas
from models_hub.models import BlockedDigest, GitObject, Repo
from portal.errors import NotAllowed

FILE_MODE = 0o100644
FOLDER_MODE = stat.S_IFDIR
QUICKLY_ABOVE = 256 * 1024
PORTION_BYTES = 8 * 1024 * 1024
BATCH = 500  # SQLite allows 32,766 variables in a statement, older builds 999


class TreeItem(NamedTuple):
    """One entry of one git tree."""

    name: str
    mode: int
    oid: str

    @property
    def is_folder(self) -> bool:
        return stat.S_ISDIR(self.mode)


def write(repo: Repo, objects: Iterable[ShaFile]) -> None:
    """Store objects that are not there yet; writing one twice changes nothing."""
    rows = [
        GitObject(
            repo=repo,
            oid=shafile.id.decode(),
            type=shafile.type_num,
            size=shafile.raw_length(),
            data=compressed(shafile.as_raw_string()),
        )
        for shafile in objects
    ]
    insert(repo, rows)


def insert(repo: Repo, rows: Iterable[GitObject]) -> None:
    """Add rows that are not there yet, at the expense of the repository's owner; raises StorageFull.

    The owner's account stays held until the end of the running transaction.
    """
    fresh = {row.oid: row for row in rows}
    if not fresh:
        return
    with transaction.atomic():
        account = quotas.hold(repo)
        oids = list(fresh)
        for start in range(0, len(oids), BATCH):
            there = GitObject.objects.filter(repo=repo, oid__in=oids[start : start + BATCH])
            _require_allowed(fresh[oid] for oid in oids[start : start + BATCH])
            for oid, unreachable_since in list(there.values_list("oid", "unreachable_since")):
                del fresh[oid]
                if unreachable_since:  # it is wanted again: the collector must not take it
                    GitObject.objects.filter(repo=repo, oid=oid).update(unreachable_since=None)
        quotas.charge(account, repo, sum(row.size for row in fresh.values()), reason=quotas.Reason.GIT)
        GitObject.objects.bulk_create(fresh.values(), batch_size=100)


def _require_allowed(rows: Iterable[GitObject]) -> None:
    """Raise NotAllowed for a file that moderators have removed for good."""
    files = [row.oid for row in rows if row.type == GitObject.Type.BLOB]
    oid = BlockedDigest.objects.filter(git_oid__in=files).values_list("git_oid", flat=True).first() if files else None
    if oid:
        raise NotAllowed(_("A file was removed by moderators and may not come back: %(oid)s in git.") % {"oid": oid})


def compressed(data: bytes) -> bytes:
    """Compress as rows keep it; a long file quickly, for a commit may bring megabytes of text and the caller waits."""
    return zlib.compress(data, 6 if len(data) < QUICKLY_ABOVE else 1)


def read(repo: Repo, oids: Iterable[str]) -> dict[str, GitObject]:
    """Return rows by id; ids that the repository lacks are left out."""
    wanted = list(dict.fromkeys(oids))
    found: dict[str, GitObject] = {}
    for start in range(0, len(wanted), BATCH):
        for row in GitObject.objects.filter(repo=repo, oid__in=wanted[start : start + BATCH]):
            found[row.oid] = row
    return found


def stream(repo: Repo, oids: Iterable[str]) -> Iterator[GitObject]:
    """Yield the rows that the repository has of these ids, in no order and few at a time, however long they are."""
    wanted = list(dict.fromkeys(oids))
    for start in range(0, len(wanted), BATCH):
        found = GitObject.objects.filter(repo=repo, oid__in=wanted[start : start + BATCH])
        for group in portions(list(found.values_list("pk", "size"))):
            yield from GitObject.objects.filter(pk__in=group)


def portions(sized: Iterable[tuple[int, int]]) -> Iterator[list[int]]:
    """Group keys of rows by their sizes, so that the bodies of one group fit in memory many times."""
    group: list[int] = []
    total = 0
    for key, size in sized:
        if group and (total + size > PORTION_BYTES or len(group) >= BATCH):
            yield group
            group, total = [], 0
        group.append(key)
        total += size
    if group:
        yield group


def sizes(repo: Repo, oids: Iterable[str]) -> dict[str, int]:
    """Return the sizes of objects without loading them."""
    wanted = list(dict.fromkeys(oids))
    found: dict[str, int] = {}
    for start in range(0, len(wanted), BATCH):
        rows = GitObject.objects.filter(repo=repo, oid__in=wanted[start : start + BATCH])
        found.update(rows.values_list("oid", "size"))
    return found


def keep(repo: Repo, oids: Iterable[str]) -> dict[str, int]:
    """Return the sizes of the files that are there of these ids, about to be used again: the collector leaves them."""
    wanted = list(dict.fromkeys(oids))
    found: dict[str, int] = {}
    for start in range(0, len(wanted), BATCH):
        rows = GitObject.objects.filter(repo=repo, type=GitObject.Type.BLOB, oid__in=wanted[start : start + BATCH])
        rows.filter(unreachable_since__isnull=False).update(unreachable_since=None)
        found.update(rows.values_list("oid", "size"))
    return found


def body(row: GitObject) -> bytes:
    return zlib.decompress(row.data)


def tree_items(row: GitObject) -> list[TreeItem]:
    """Return the entries of a tree row, in git's order."""
    tree = ShaFile.from_raw_string(row.type, body(row))
    assert isinstance(tree, Tree)
    return [
        TreeItem(item.path.decode("utf-8", "surrogateescape"), item.mode, item.sha.decode())
        for item in tree.iteritems(name_order=False)
    ]


def flatten(repo: Repo, tree_oid: str, prefix: str = "") -> dict[str, TreeItem]:
    """Return path -> entry for everything below a tree, folders included, in git's order.

    One query for each level of folders, however many files there are.
    """
    levels = read(repo, [tree_oid])
    folders = {tree_oid: levels[tree_oid]} if tree_oid in levels else {}
    pending = [tree_oid]
    while pending:
        below = [i.oid for oid in pending if oid in folders for i in tree_items(folders[oid]) if i.is_folder]
        pending = [oid for oid in dict.fromkeys(below) if oid not in folders]
        folders |= read(repo, pending)
    result: dict[str, TreeItem] = {}
    _collect(folders, tree_oid, prefix, result)
    return result


def _collect(folders: Mapping[str, GitObject], oid: str, prefix: str, result: dict[str, TreeItem]) -> None:
    if oid not in folders:
        return
    for item in tree_items(folders[oid]):
        result[prefix + item.name] = item
        if item.is_folder:
            _collect(folders, item.oid, f"{prefix}{item.name}/", result)


def build_trees(files: Mapping[str, TreeItem]) -> tuple[str, list[Tree]]:
    """Return the id of the root tree that holds `files` (path -> entry), and all trees that it needs."""
    nested: dict[str, object] = {}
    for path, item in files.items():
        *folders, name = path.split("/")
        level = nested
        for folder in folders:
            level = level.setdefault(folder, {})  # type: ignore[assignment]
        level[name] = item
    trees: list[Tree] = []
    return _build(nested, trees), trees


def _build(level: dict[str, object], trees: list[Tree]) -> str:
    tree = Tree()
    for name, value in level.items():
        encoded = name.encode("utf-8", "surrogateescape")
        if isinstance(value, TreeItem):
            tree.add(encoded, value.mode, ObjectID(value.oid.encode()))
        else:
            assert isinstance(value, dict)
            tree.add(encoded, FOLDER_MODE, ObjectID(_build(value, trees).encode()))
    trees.append(tree)
    return tree.id.decode()


def make_commit(
    tree_oid: str, parents: list[str], *, title: str, description: str, author: str, committer: str | None = None
) -> GitCommit:
    """Return a commit object of now by people of the portal, whose addresses git is not told."""
    made = GitCommit()
    made.tree = ObjectID(tree_oid.encode())
    made.parents = [ObjectID(oid.encode()) for oid in parents]
    made.author = _identity(author)
    made.committer = _identity(committer or author)
    made.author_time = made.commit_time = int(timezone.now().timestamp())
    made.author_timezone = made.commit_timezone = 0
    made.encoding = b"UTF-8"
    text = f"{title}\n\n{description}\n" if description else f"{title}\n"
    made.message = text.encode()
    return made


def _identity(name: str) -> bytes:
    return f"{name} <{name}@users.noreply>".encode()
