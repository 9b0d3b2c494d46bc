"""Under which paths large content is, or was, in a repository."""

from collections.abc import Collection

from models_hub import browsing
from models_hub.git import objects
from models_hub.models import DEFAULT_BRANCH, Commit, Repo

MAX_COMMITS = 200  # how far back a name is looked for


def names_of(repo: Repo, pointers: Collection[str]) -> dict[str, tuple[str, bool]]:
    """Return for the git ids of pointer files a path and whether it is in the head of the default branch.

    Looks into the head first, then into older commits, the newest first; what is not found is left out.
    """
    head = browsing.resolve_revision(repo, DEFAULT_BRANCH)
    found = {oid: (path, True) for oid, path in _paths(repo, head).items() if oid in pointers}
    if len(found) < len(pointers):
        seen = {head.tree_oid}
        for commit in Commit.objects.filter(repo=repo).order_by("-id")[:MAX_COMMITS]:
            if commit.tree_oid in seen:
                continue
            seen.add(commit.tree_oid)
            for oid, path in _paths(repo, commit).items():
                if oid in pointers:
                    found.setdefault(oid, (path, False))
            if len(found) == len(pointers):
                break
    return found


def _paths(repo: Repo, commit: Commit) -> dict[str, str]:
    return {item.oid: path for path, item in objects.flatten(repo, commit.tree_oid).items() if not item.is_folder}
