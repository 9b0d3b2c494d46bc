"""Files brought back from an earlier version, or put in another place: what there is already, under a new commit."""

import stat
from collections.abc import Iterable

from django.utils.translation import gettext as _

from models_hub import browsing, checking, comparing
from models_hub.browsing import EntryNotFound
from models_hub.changes import Change, Delete, PutKnown
from models_hub.git.objects import TreeItem
from models_hub.models import Commit, Repo
from portal.errors import Conflict, InvalidInput


def restored(repo: Repo, head: Commit, earlier: Commit, path: str = "") -> list[Change]:
    """Return what makes `head` hold the files of an earlier version: all of them, or what was at or below one path."""
    if path:
        browsing.find_item(repo, earlier, path)
    changed = comparing.changed_files(repo, head.tree_oid, earlier.tree_oid)
    if path:
        changed = {name: sides for name, sides in changed.items() if name == path or name.startswith(f"{path}/")}
    gone = sorted(name for name, (_before, after) in changed.items() if after is None)
    back = {name: after for name, (_before, after) in sorted(changed.items()) if after is not None}
    return [*map(Delete, gone), *_put(back.items())]


def title(earlier: Commit, path: str = "") -> str:
    """Return the message of a commit that brings an earlier version back."""
    day = earlier.authored_at.date().isoformat()
    short = earlier.oid[:7]
    if path:
        return _("Restore %(path)s of %(day)s (%(commit)s)") % {"path": path[:150], "day": day, "commit": short}
    return _("Restore the version of %(day)s (%(commit)s)") % {"day": day, "commit": short}


def moved(repo: Repo, head: Commit, path: str, new_path: str) -> list[Change]:
    """Return what puts a file or a folder in another place; raises Conflict where something is there already."""
    new_path = checking.normalize_path(new_path)
    item = browsing.find_item(repo, head, path)
    if new_path == path:
        raise InvalidInput(_("This is its name already; choose another one."))
    if new_path.startswith(f"{path}/"):
        raise InvalidInput(_("A folder cannot be moved into itself."))
    if is_there(repo, head, new_path):
        raise Conflict(_("“%(path)s” exists already; choose another name.") % {"path": new_path[:300]})
    if not item.is_folder:
        return [Delete(path), PutKnown(new_path, item.oid, item.mode)]
    below = browsing.items_below(repo, head, path, recursive=True)
    files = {new_path + name[len(path) :]: one for name, one in below.items() if not one.is_folder}
    return [Delete(path), *_put(files.items())]


def is_there(repo: Repo, head: Commit, path: str) -> bool:
    """Say whether a commit has a file or folder at this path."""
    try:
        browsing.find_item(repo, head, path)
    except EntryNotFound:
        return False
    return True


def _put(files: Iterable[tuple[str, TreeItem]]) -> list[Change]:
    """Name files that are here; what a tree borrows from another repository is no file of this one."""
    return [PutKnown(path, item.oid, item.mode) for path, item in files if stat.S_IFMT(item.mode) != 0o160000]
