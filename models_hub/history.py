"""The commits that lead to a revision, a page at a time, and the lines by which they hang together.

A page begins with the commits at which the one before stopped: the open ends of its graph. That costs the same on every
page, however long the history is, and no commit is shown twice, for parents have lower ids than their children.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from models_hub.browsing import OID
from models_hub.git import objects
from models_hub.models import Commit, GitObject, Repo

WINDOW = 100
MAX_ENDS = 60  # what one address holds
MAX_EXAMINED = 600  # commits that are looked at for one page of a file's history
MAX_COLUMNS = 10
COLUMN_PIXELS = 14


@dataclass(frozen=True)
class Walk:
    """Commits, newest first, and the open ends where the next page begins, none after the last."""

    commits: list[Commit]
    ends: list[str]


@dataclass(frozen=True)
class Line:
    """A piece of the graph beside one commit, from one column and height to another; heights are 0, 1 and 2."""

    x1: int
    y1: int
    x2: int
    y2: int
    column: int

    @property
    def left(self) -> int:
        return _pixels(self.x1)

    @property
    def right(self) -> int:
        return _pixels(self.x2)

    @property
    def top(self) -> str:
        return f"{50 * self.y1}%"

    @property
    def bottom(self) -> str:
        return f"{50 * self.y2}%"


@dataclass(frozen=True)
class Row:
    """A commit with its place in the graph."""

    commit: Commit
    column: int
    lines: list[Line]

    @property
    def is_merge(self) -> bool:
        return len(self.commit.parents) > 1

    @property
    def place(self) -> int:
        """Where the commit's dot stands, in pixels from the left."""
        return _pixels(self.column)


@dataclass(frozen=True)
class Graph:
    """Commits in columns. `ends` are what the columns lead to below the last row, from left to right."""

    rows: list[Row]
    ends: list[str]

    @property
    def width(self) -> int:
        return max((1 + max(line.x1, line.x2) for row in self.rows for line in row.lines), default=1)


def read_ends(text: str) -> list[str]:
    """Read the open ends with which the page before stopped, as an address holds them; [] for the first page."""
    return [oid for oid in text.split(",")[:MAX_ENDS] if OID.fullmatch(oid)]


def walk(repo: Repo, ends: Sequence[str], limit: int) -> Walk:
    """Return at most `limit` commits reachable from `ends`, newest first."""
    waiting = dict.fromkeys(ends)
    found: list[Commit] = []
    while waiting and len(found) < limit:
        newest = _newest(repo, waiting)
        if newest is None:  # a history whose beginning is not here
            return Walk(found, [])
        for row in newest:
            if row.oid in waiting:
                del waiting[row.oid]
                waiting.update(dict.fromkeys(row.parents))
                found.append(row)
            if len(found) == limit:
                break
    return Walk(found, _known(repo, waiting))


def of_path(repo: Repo, ends: Sequence[str], path: str, limit: int) -> Walk:
    """Return the next commits that changed a file or folder: at least `limit`, or those among MAX_EXAMINED commits.

    A merge counts only when it made something that none of its parents had.
    """
    found: list[Commit] = []
    examined, ends = 0, list(ends)
    while ends and len(found) < limit and examined < MAX_EXAMINED:
        walked = walk(repo, ends, WINDOW)
        found += _changing(repo, walked.commits, path)
        examined, ends = examined + len(walked.commits), walked.ends
    return Walk(found, ends)


def graph(commits: Iterable[Commit], ends: Sequence[str]) -> Graph:
    """Lay commits of one walk out in columns, as `ends` left them on the page before."""
    columns: list[str | None] = list(ends)
    rows: list[Row] = []
    for commit in commits:
        has_child = commit.oid in columns
        column = columns.index(commit.oid) if has_child else _free(columns)
        passing = [index for index, oid in enumerate(columns) if oid is not None and index != column]
        lines = [_line(index, 0, index, 2, index) for index in passing]
        lines += [_line(column, 0, column, 1, column)] if has_child else []
        columns[column] = None
        for number, parent in enumerate(commit.parents):
            target = columns.index(parent) if parent in columns else column if number == 0 else _free(columns)
            columns[target] = parent
            lines.append(_line(column, 1, target, 2, max(column, target)))
        while columns and columns[-1] is None:
            columns.pop()
        rows.append(Row(commit, min(column, MAX_COLUMNS - 1), lines))
    return Graph(rows, [oid for oid in columns if oid])


def _pixels(column: int) -> int:
    return COLUMN_PIXELS * column + COLUMN_PIXELS // 2


def _line(x1: int, y1: int, x2: int, y2: int, column: int) -> Line:
    """Return a line; columns that do not fit share the last one."""
    last = MAX_COLUMNS - 1
    return Line(min(x1, last), y1, min(x2, last), y2, min(column, last))


def _free(columns: list[str | None]) -> int:
    """Return a column that nothing runs through, a new one if need be."""
    if None not in columns:
        columns.append(None)
    return columns.index(None)


def _newest(repo: Repo, waiting: Iterable[str]) -> list[Commit] | None:
    """Return the commits of the repository from the newest of those that wait on, a window of them."""
    rows = Commit.objects.filter(repo=repo)
    first = rows.filter(oid__in=list(waiting)[: objects.BATCH]).order_by("-id").values_list("id", flat=True).first()
    if first is None:
        return None
    return list(rows.filter(id__lte=first).select_related("author").order_by("-id")[:WINDOW])


def _known(repo: Repo, waiting: Iterable[str]) -> list[str]:
    """Return the open ends that are here, in their order."""
    wanted = list(waiting)[:MAX_ENDS]
    known = set(Commit.objects.filter(repo=repo, oid__in=wanted).values_list("oid", flat=True)) if wanted else set()
    return [oid for oid in wanted if oid in known]


def _changing(repo: Repo, commits: Sequence[Commit], path: str) -> list[Commit]:
    trees = {row.oid: row.tree_oid for row in commits}
    missing = {parent for row in commits for parent in row.parents} - trees.keys()
    for start in range(0, len(missing), objects.BATCH):
        batch = list(missing)[start : start + objects.BATCH]
        trees.update(Commit.objects.filter(repo=repo, oid__in=batch).values_list("oid", "tree_oid"))
    found = _ids_at(repo, trees.values(), path)
    ids = {oid: found[tree] for oid, tree in trees.items()}
    return [row for row in commits if all(ids[row.oid] != before for before in _before(row, ids))]


def _before(row: Commit, ids: dict[str, str | None]) -> list[str | None]:
    return [ids.get(parent) for parent in row.parents] or [None]


def _ids_at(repo: Repo, trees: Iterable[str], path: str) -> dict[str, str | None]:
    """Return what stands at `path` in each tree, by git's id; one query for each folder on the way."""
    at: dict[str, str | None] = {tree: tree for tree in trees}
    for name in path.split("/"):
        rows = objects.read(repo, [oid for oid in at.values() if oid])
        children = {
            oid: next((item.oid for item in objects.tree_items(row) if item.name == name), None)
            for oid, row in rows.items()
            if row.type == GitObject.Type.TREE
        }
        at = {tree: children.get(oid) if oid else None for tree, oid in at.items()}
    return at
