"""What a commit changed: the files, and the lines of those that are text."""

from dataclasses import dataclass

from models_hub import browsing, rendering
from models_hub.browsing import Entry
from models_hub.git import objects
from models_hub.git.objects import TreeItem
from models_hub.models import Commit, Repo

MAX_LISTED = 300
MAX_DIFFS = 20
MAX_DIFF_BYTES = 100_000
MAX_DIFF_LINES = 2000


@dataclass(frozen=True)
class FileChange:
    """One file of a commit. `before` or `after` is None for a new or a removed file.

    `lines` is the unified diff of a text file, None where none can be shown.
    """

    path: str
    before: Entry | None
    after: Entry | None
    lines: list[str] | None = None

    @property
    def kind(self) -> str:
        if self.before is None:
            return "added"
        return "removed" if self.after is None else "changed"

    @property
    def added(self) -> int:
        return sum(line.startswith("+") for line in self.lines or ())

    @property
    def removed(self) -> int:
        return sum(line.startswith("-") for line in self.lines or ())


@dataclass(frozen=True)
class Comparison:
    """The changes of a commit; `count` is how many there are, however many are listed."""

    changes: list[FileChange]
    count: int


def compare(repo: Repo, commit: Commit) -> Comparison:
    """Compare a commit with its first parent; the first commit with nothing."""
    parent = Commit.objects.filter(repo=repo, oid=commit.parents[0]).first() if commit.parents else None
    return between(repo, parent, commit)


def between(repo: Repo, old: Commit | None, new: Commit) -> Comparison:
    """Compare two commits, however they are related."""
    changed = changed_files(repo, old.tree_oid if old else None, new.tree_oid)
    listed = sorted(changed)[:MAX_LISTED]
    before = _entries(repo, {path: changed[path][0] for path in listed})
    after = _entries(repo, {path: changed[path][1] for path in listed})
    changes = [FileChange(path, before.get(path), after.get(path)) for path in listed]
    return Comparison(_with_lines(repo, changes), len(changed))


Sides = tuple[TreeItem | None, TreeItem | None]


def changed_files(repo: Repo, old: str | None, new: str | None) -> dict[str, Sides]:
    """Return path -> file before and after, of two trees. A folder with the same id in both is not looked into."""
    changed: dict[str, Sides] = {}
    pending: list[tuple[str, str | None, str | None]] = [("", old, new)]
    while pending:
        trees = _trees(repo, [oid for _prefix, *oids in pending for oid in oids if oid])
        below = []
        for prefix, old, new in pending:
            before, after = trees.get(old, {}), trees.get(new, {})
            for name in before.keys() | after.keys():
                sides = (before.get(name), after.get(name))
                folders = [side.oid if side and side.is_folder else None for side in sides]
                files = tuple(side if side and not side.is_folder else None for side in sides)
                if folders[0] != folders[1]:
                    below.append((f"{prefix}{name}/", folders[0], folders[1]))
                if files[0] != files[1]:
                    changed[prefix + name] = (files[0], files[1])
        pending = below
    return changed


def _trees(repo: Repo, oids: list[str]) -> dict[str | None, dict[str, TreeItem]]:
    rows = objects.read(repo, oids)
    return {oid: {item.name: item for item in objects.tree_items(row)} for oid, row in rows.items()}


def _entries(repo: Repo, items: dict[str, TreeItem | None]) -> dict[str, Entry]:
    present = {path: item for path, item in items.items() if item}
    return {entry.path: entry for entry in browsing.entries(repo, present)}


def _with_lines(repo: Repo, changes: list[FileChange]) -> list[FileChange]:
    pairs: dict[str, tuple[str, str]] = {}
    for change in changes:
        texts = (_text(repo, change.before), _text(repo, change.after))
        if len(pairs) < MAX_DIFFS and texts[0] is not None and texts[1] is not None:
            pairs[change.path] = (texts[0], texts[1])
    diffs = rendering.text_diffs(list(pairs.values()))
    lines = dict(zip(pairs, diffs, strict=True)) if diffs is not None else {}
    return [
        FileChange(change.path, change.before, change.after, lines[change.path][:MAX_DIFF_LINES])
        if change.path in lines
        else change
        for change in changes
    ]


def _text(repo: Repo, entry: Entry | None) -> str | None:
    """Return a side of a diff: "" for no file, None for one that is not small text."""
    if entry is None:
        return ""
    if entry.blob or entry.size > MAX_DIFF_BYTES:
        return None
    try:
        text = browsing.read(repo, entry, MAX_DIFF_BYTES).decode("utf-8")
    except UnicodeDecodeError:
        return None
    return None if "\x00" in text else text
