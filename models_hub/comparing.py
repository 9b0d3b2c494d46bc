"""What a commit changed: the files, and the lines of those that are text."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

from models_hub import browsing, rendering
from models_hub.browsing import Entry
from models_hub.git import objects
from models_hub.git.objects import TreeItem
from models_hub.models import Commit, Repo

MAX_LISTED = 300
MAX_DIFFS = 30
MAX_DIFF_BYTES = 100_000
MAX_DIFF_LINES = 2000
FOLDED_LINES = 400
_HUNK = re.compile(r"@@ -(\d+)(?:,\d+)? \+(\d+)")


class DiffLine(NamedTuple):
    """A line of a unified diff with its numbers before and after; "" where it has none."""

    text: str
    before: str
    after: str


@dataclass(frozen=True)
class FileChange:
    """One file of a commit. `before` or `after` is None for a new or a removed file.

    `lines` is the unified diff of a text file, None where none can be shown; `left_out` is how many more there are.
    """

    path: str
    before: Entry | None
    after: Entry | None
    lines: list[str] | None = None
    left_out: int = 0

    @property
    def kind(self) -> str:
        if self.before is None:
            return "added"
        if self.after is None:
            return "removed"
        return "changed" if self.before.path == self.after.path else "renamed"

    @property
    def is_large(self) -> bool:
        """Whether a side of it is large content, which is told apart by its digest."""
        return any(side is not None and side.blob is not None for side in (self.before, self.after))

    @property
    def is_folded(self) -> bool:
        return self.lines is not None and len(self.lines) > FOLDED_LINES

    @property
    def numbered(self) -> Iterator[DiffLine]:
        """The lines of the diff with their numbers."""
        old = new = 0
        for text in self.lines or ():
            if place := _HUNK.match(text):
                old, new = int(place[1]), int(place[2])
                yield DiffLine(text, "", "")
                continue
            is_added, is_removed = text.startswith("+"), text.startswith("-")
            yield DiffLine(text, "" if is_added else str(old), "" if is_removed else str(new))
            old, new = old + (not is_added), new + (not is_removed)

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

    @property
    def added(self) -> int:
        return sum(change.added for change in self.changes)

    @property
    def removed(self) -> int:
        return sum(change.removed for change in self.changes)


def compare(repo: Repo, commit: Commit) -> Comparison:
    """Compare a commit with its first parent; the first commit with nothing."""
    parent = Commit.objects.filter(repo=repo, oid=commit.parents[0]).first() if commit.parents else None
    return between(repo, parent, commit)


def between(repo: Repo, old: Commit | None, new: Commit, *, below: str = "") -> Comparison:
    """Compare two commits, however they are related; of all files, or of those at or below one path."""
    changed = changed_files(repo, old.tree_oid if old else None, new.tree_oid)
    if below:
        changed = {path: sides for path, sides in changed.items() if path == below or path.startswith(f"{below}/")}
    renamed = _renamed(changed)
    listed = sorted(changed.keys() - renamed.values())[:MAX_LISTED]
    before = _entries(repo, {path: changed[renamed.get(path, path)][0] for path in listed})
    after = _entries(repo, {path: changed[path][1] for path in listed})
    changes = [FileChange(path, _named(before.get(path), renamed.get(path, path)), after.get(path)) for path in listed]
    return Comparison(_with_lines(repo, changes), len(changed) - len(renamed))


def renamed_from(repo: Repo, commit: Commit, path: str) -> str | None:
    """Return the name that a file had in the first parent, None where the commit did more than rename it."""
    parent = Commit.objects.filter(repo=repo, oid__in=commit.parents[:1]).first()
    return _renamed(changed_files(repo, parent.tree_oid, commit.tree_oid)).get(path) if parent else None


def of_text(path: str, before: str, after: str) -> FileChange:
    """Compare two texts that are in no commit, or not both; lines that differ in their ends alone are the same."""
    diffs = rendering.text_diffs([(before, after)]) if max(len(before), len(after)) <= MAX_DIFF_BYTES else None
    return _with(FileChange(path, None, None), diffs[0] if diffs else None)


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


def _renamed(changed: dict[str, Sides]) -> dict[str, str]:
    """Return new path -> old path of files that only moved: the same content gone in one place, come in another."""
    gone: dict[str, list[str]] = {}
    for path, (before, after) in sorted(changed.items(), reverse=True):
        if before and not after:
            gone.setdefault(before.oid, []).append(path)
    pairs = {}
    for path, (before, after) in sorted(changed.items()):
        if after and not before and gone.get(after.oid):
            pairs[path] = gone[after.oid].pop()
    return pairs


def _named(entry: Entry | None, path: str) -> Entry | None:
    return replace(entry, path=path) if entry else None


def _trees(repo: Repo, oids: list[str]) -> dict[str | None, dict[str, TreeItem]]:
    rows = objects.read(repo, oids)
    return {oid: {item.name: item for item in objects.tree_items(row)} for oid, row in rows.items()}


def _entries(repo: Repo, items: dict[str, TreeItem | None]) -> dict[str, Entry]:
    present = {path: item for path, item in items.items() if item}
    return {entry.path: entry for entry in browsing.entries(repo, present)}


def _with_lines(repo: Repo, changes: list[FileChange]) -> list[FileChange]:
    texts = _texts(repo, [side for change in changes for side in (change.before, change.after)])
    pairs: dict[str, tuple[str, str]] = {}
    for change in changes:
        sides = [texts.get(side.oid) if side else "" for side in (change.before, change.after)]
        if len(pairs) < MAX_DIFFS and sides[0] is not None and sides[1] is not None and change.kind != "renamed":
            pairs[change.path] = (sides[0], sides[1])
    diffs = rendering.text_diffs(list(pairs.values()))
    lines = dict(zip(pairs, diffs, strict=True)) if diffs is not None else {}
    return [_with(change, lines.get(change.path)) for change in changes]


def _with(change: FileChange, lines: list[str] | None) -> FileChange:
    if lines is None:
        return change
    return replace(change, lines=lines[:MAX_DIFF_LINES], left_out=max(len(lines) - MAX_DIFF_LINES, 0))


def _texts(repo: Repo, sides: Iterable[Entry | None]) -> dict[str, str]:
    """Return, by git's id, those sides of changes that are small text."""
    found = {}
    for oid, content in browsing.read_small(repo, sides, MAX_DIFF_BYTES).items():
        try:
            text = content.decode("utf-8")
        except UnicodeDecodeError:
            continue
        if "\x00" not in text:
            found[oid] = text
    return found
