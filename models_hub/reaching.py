"""What the references of a repository lead to, object by object; all else may be let go."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import cast

from django.conf import settings
from django.utils.module_loading import import_string
from dulwich.objects import Commit as GitCommit
from dulwich.objects import ShaFile, Tag

from models_hub.git import objects
from models_hub.models import Commit, GitObject, PullRequest, Ref, Repo

Type = GitObject.Type


@dataclass(frozen=True)
class Reached:
    """Ids of git objects, and of the pointers that stand for large content.

    `everything` is what some reference leads to; `current` of it is what the head of the default branch is made of.
    When the repository lacks a folder or commit that it should have, not `is_whole`, nothing of it may be let go.
    """

    everything: set[str]
    current: set[str]
    is_whole: bool


def walk(repo: Repo) -> Reached:
    """Follow every branch, tag and pull request, and commits that others have pinned, down to the files."""
    current, _whole = _walk(repo, _head(repo), {})
    rows = Commit.objects.filter(repo=repo).values_list("oid", "tree_oid", "parents")
    everything, is_whole = _walk(repo, _roots(repo), {oid: (tree, parents) for oid, tree, parents in rows.iterator()})
    return Reached(everything | current, current, is_whole)


def files_of(repo: Repo, trees: Iterable[str]) -> dict[str, str]:
    """Return id -> name of the files that stand in these folders."""
    rows = objects.stream(repo, trees)
    return {item.oid: item.name for row in rows for item in objects.tree_items(row) if not item.is_folder}


def _head(repo: Repo) -> list[str]:
    """The head's folder alone: its past is history."""
    found = Commit.objects.filter(repo=repo, oid=repo.head).values_list("oid", "tree_oid").first()
    return [found[1]] if found else []


def _roots(repo: Repo) -> list[str]:
    refs = Ref.objects.filter(repo=repo).values_list("oid", "tag_oid")
    pulls = PullRequest.objects.filter(repo=repo).values_list("merge_commit", "merged_onto")
    pinned = chain.from_iterable(keep(repo.pk) for keep in _keepers())
    # Pinned commits may have been purged; references lead to what is there, or something is broken.
    there = objects.sizes(repo, {*chain.from_iterable(pulls), *pinned})
    return [oid for oid in {*chain.from_iterable(refs), *there} if oid]


def _keepers() -> list[Callable[[int], Iterable[str]]]:
    """Return who else needs commits of a repository, such as the scores of its versions; the hub does not know them."""
    return [cast("Callable[[int], Iterable[str]]", import_string(name)) for name in settings.COMMIT_KEEPERS]


def _walk(repo: Repo, roots: Iterable[str], commits: Mapping[str, tuple[str, list[str]]]) -> tuple[set[str], bool]:
    """Return what the roots lead to and whether all of it is there. Files are not read: their folders name them.

    The history is followed in `commits` (tree and parents of each), so the queries do not grow with it.
    """
    seen: set[str] = set()
    level: list[str] = []
    pending = list(roots)
    while pending:
        oid = pending.pop()
        if oid not in seen:
            seen.add(oid)
            tree, parents = commits.get(oid, (oid, []))
            seen.add(tree)
            level.append(tree)
            pending.extend(parents)
    is_whole = True
    while level:
        level = list(dict.fromkeys(level))
        found, below = 0, []
        for row in objects.stream(repo, level):
            found += 1
            for oid, is_file in _below(row):
                if oid not in seen:
                    seen.add(oid)
                    if not is_file:
                        below.append(oid)
        is_whole = is_whole and found == len(level)
        level = below
    return seen, is_whole


def _below(row: GitObject) -> Iterator[tuple[str, bool]]:
    """Yield the ids that an object names, and whether each is a file."""
    if row.type == Type.TREE:
        for item in objects.tree_items(row):
            yield item.oid, not item.is_folder
    elif row.type in (Type.COMMIT, Type.TAG):
        made = ShaFile.from_raw_string(row.type, objects.body(row))
        if isinstance(made, GitCommit):
            yield made.tree.decode(), False
            for parent in made.parents:
                yield parent.decode(), False
        elif isinstance(made, Tag):
            yield made.object[1].decode(), False
