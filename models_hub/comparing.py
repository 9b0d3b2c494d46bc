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
    old, new = _files(repo, parent), _files(repo, commit)
    paths = [path for path in sorted(old | new) if _oid(old, path) != _oid(new, path)]
    before = _entries(repo, {path: old[path] for path in paths[:MAX_LISTED] if path in old})
    after = _entries(repo, {path: new[path] for path in paths[:MAX_LISTED] if path in new})
    changes = [FileChange(path, before.get(path), after.get(path)) for path in paths[:MAX_LISTED]]
    return Comparison(_with_lines(repo, changes), len(paths))


def _files(repo: Repo, commit: Commit | None) -> dict[str, TreeItem]:
    items = objects.flatten(repo, commit.tree_oid) if commit else {}
    return {path: item for path, item in items.items() if not item.is_folder}


def _oid(items: dict[str, TreeItem], path: str) -> str | None:
    return items[path].oid if path in items else None


def _entries(repo: Repo, items: dict[str, TreeItem]) -> dict[str, Entry]:
    return {entry.path: entry for entry in browsing.entries(repo, items)}


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
