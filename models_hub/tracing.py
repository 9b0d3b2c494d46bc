"""Which commit last changed a file: what file lists show beside each name."""

from collections.abc import Iterable
from itertools import pairwise

from models_hub.git import objects
from models_hub.models import Commit, GitObject, Repo

MAX_COMMITS = 1000
STEP = 100


def last_commits(repo: Repo, commit: Commit, paths: Iterable[str]) -> dict[str, Commit]:
    """Return for each path the newest commit that changed it, looking back over at most MAX_COMMITS commits.

    A folder whose tree has the same id in two commits is the same all the way down, so only what changed is read.
    """
    open_paths, trees = set(paths), _Trees(repo)
    found: dict[str, Commit] = {}
    line = _first_parents(repo, commit)
    for start in range(0, len(line) - 1, STEP):
        window = line[start : start + STEP + 1]
        trees.load(row.tree_oid for row in window)
        for newer, older in pairwise(window):
            changed = {path for path in open_paths if trees.differs(newer.tree_oid, older.tree_oid, path)}
            found.update(dict.fromkeys(changed, newer))
            open_paths -= changed
        if not open_paths:
            return found
    if line and not line[-1].parents:  # what is still open came with the very first commit
        found.update(dict.fromkeys(open_paths, line[-1]))
    return found


def _first_parents(repo: Repo, commit: Commit) -> list[Commit]:
    """Return the commit and its line of first parents, newest first."""
    parents = dict(Commit.objects.filter(repo=repo).values_list("oid", "parents"))
    line: list[str] = []
    oid = commit.oid
    while oid in parents and len(line) <= MAX_COMMITS:
        line.append(oid)
        oid = parents[oid][0] if parents[oid] else ""
    rows: dict[str, Commit] = {}
    for start in range(0, len(line), objects.BATCH):
        batch = line[start : start + objects.BATCH]
        rows.update({row.oid: row for row in Commit.objects.filter(repo=repo, oid__in=batch)})
    return [rows[oid] for oid in line]


class _Trees:
    """The trees of a repository that were read so far, as name -> id."""

    def __init__(self, repo: Repo) -> None:
        self._repo = repo
        self._known: dict[str, dict[str, str]] = {}

    def load(self, oids: Iterable[str]) -> None:
        missing = [oid for oid in oids if oid not in self._known]
        rows = objects.read(self._repo, missing)
        for oid in missing:
            row = rows.get(oid)
            items = objects.tree_items(row) if row and row.type == GitObject.Type.TREE else []
            self._known[oid] = {item.name: item.oid for item in items}

    def differs(self, a: str | None, b: str | None, path: str) -> bool:
        """Say whether `path` has another content in tree `a` than in tree `b`."""
        name, _slash, rest = path.partition("/")
        below_a, below_b = self._child(a, name), self._child(b, name)
        if below_a == below_b or not rest:
            return below_a != below_b
        return self.differs(below_a, below_b, rest)

    def _child(self, tree: str | None, name: str) -> str | None:
        if tree is None:
            return None
        if tree not in self._known:
            self.load([tree])
        return self._known[tree].get(name)
