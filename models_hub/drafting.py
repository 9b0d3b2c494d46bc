"""From the files of a commit and staged changes to the tree of the next one; nothing here is written."""

import hashlib
from bisect import bisect_left, insort
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from dulwich.objects import Tree

from models_hub import browsing, checking, describing
from models_hub.changes import Delete
from models_hub.describing import Description
from models_hub.git import objects
from models_hub.git.objects import TreeItem
from models_hub.models import Commit, Repo
from models_hub.staging import Staged

WEIGHT_SUFFIXES = (".safetensors", ".bin", ".pt", ".pth", ".gguf", ".onnx", ".h5", ".msgpack", ".ckpt")


@dataclass(frozen=True)
class Draft:
    """A tree ready to be committed on top of `head`, and the trees of it that are not stored yet."""

    head: Commit | None
    tree_oid: str
    new_trees: list[Tree]
    weights_digest: str
    description: Description | None

    @property
    def changes_nothing(self) -> bool:
        return self.head is not None and self.tree_oid == self.head.tree_oid


def draft(repo: Repo, head: Commit | None, staged: Sequence[Staged], *, describe: bool) -> Draft:
    """Compute the tree after the changes; with `describe`, also what lists will show of it.

    Raises EntryNotFound for a deletion of nothing and PathRefused for paths that cannot stand side by side.
    """
    before = objects.flatten(repo, head.tree_oid) if head else {}
    files = _apply({path: item for path, item in before.items() if not item.is_folder}, staged)
    checking.check_tree(files)
    known = {item.oid for item in before.values() if item.is_folder} | {head.tree_oid if head else ""}
    return compose(repo, head, files, known=known, describe=describe)


def compose(
    repo: Repo, head: Commit | None, files: dict[str, TreeItem], *, known: Collection[str] = (), describe: bool
) -> Draft:
    """Return the draft of a tree with exactly these files; the trees `known` are stored already."""
    tree_oid, trees = objects.build_trees(files)
    return Draft(
        head=head,
        tree_oid=tree_oid,
        new_trees=[tree for tree in trees if tree.id.decode() not in known],
        weights_digest=weights_digest(files),
        description=describing.describe(repo, browsing.entries(repo, files)) if describe else None,
    )


def _apply(files: dict[str, TreeItem], staged: Sequence[Staged]) -> dict[str, TreeItem]:
    """Return the files after the changes, applied in their order."""
    ordered: list[str] | None = None  # sorted paths, made at the first folder to be deleted
    for change in staged:
        if isinstance(change, Delete):
            if change.path in files:
                del files[change.path]
                continue
            ordered = sorted(files) if ordered is None else ordered
            _delete_folder(files, ordered, change.path)
        else:
            if ordered is not None and change.path not in files:
                insort(ordered, change.path)
            files[change.path] = TreeItem(change.path, change.mode, change.oid)
    return files


def _delete_folder(files: dict[str, TreeItem], ordered: list[str], folder: str) -> None:
    """Remove what is below a folder. `ordered` may name files that are gone already, or one twice."""
    start, end = bisect_left(ordered, folder + "/"), bisect_left(ordered, folder + "0")  # "0" follows "/"
    below = {path for path in ordered[start:end] if path in files}
    if not below:
        raise browsing.EntryNotFound("A file with this name doesn't exist")
    del ordered[start:end]
    for path in below:
        del files[path]


def weights_digest(files: dict[str, TreeItem]) -> str:
    """Return a digest of all weight files of a tree, "" when it has none.

    The git id of a pointer stands for the content, so no large content is read.
    """
    lines = [f"{path} {item.oid}\n" for path, item in sorted(files.items()) if path.endswith(WEIGHT_SUFFIXES)]
    return hashlib.sha256("".join(lines).encode()).hexdigest() if lines else ""
