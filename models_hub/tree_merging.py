"""What two sides changed in the files of one tree, joined: the rest of the change, or the paths on which they clash."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from django.utils.translation import gettext as _
from dulwich.objects import Blob as GitBlob

from models_hub import line_merging
from models_hub.comparing import Sides
from models_hub.git import objects, pointers
from models_hub.git.objects import TreeItem
from models_hub.models import Repo

MAX_TEXTS = 40
REGULAR = (0o100644, 0o100755)

Changes = Mapping[str, Sides]
Read = Callable[[Iterable[str]], Mapping[str, bytes | None]]


class Clash(NamedTuple):
    """A path on which two sides cannot agree, and why."""

    path: str
    reason: str


@dataclass
class Joined:
    """What one side does to the files of the other. `texts` are files that neither side has, merged by lines."""

    changes: dict[str, TreeItem | None] = field(default_factory=dict)
    clashes: list[Clash] = field(default_factory=list)
    texts: list[GitBlob] = field(default_factory=list)

    def apply(self, files: Mapping[str, TreeItem]) -> dict[str, TreeItem]:
        """Return the files of the other side with these changes."""
        made = dict(files)
        for path, item in self.changes.items():
            if item is None:
                made.pop(path, None)
            else:
                made[path] = item
        return made


def join(ours: Changes, theirs: Changes, read: Read) -> Joined:
    """Join the changes of both sides since their common base; `read` returns texts by git id, None for too large ones.

    A text that both changed in different lines is merged; all else that both changed differently is a clash.
    """
    joined, disputed = Joined(), []
    for path, (before, their) in theirs.items():
        if path not in ours:
            joined.changes[path] = their
        elif ours[path][1] != their:
            disputed.append((path, before, ours[path][1], their))
    contents = _contents(disputed, read)
    reasons = {path: _("a file on one side, a folder on the other") for path in _standing_in_the_way(ours, theirs)}
    for path, before, our, their in sorted(disputed, key=lambda one: one[0]):
        made = _merged(before, our, their, contents)
        if isinstance(made, str):
            reasons.setdefault(path, made)
        else:
            item, text = made
            joined.changes[path] = item._replace(name=their.name if their else item.name)
            joined.texts += [text] if text else []
    joined.clashes = [Clash(path, reason) for path, reason in sorted(reasons.items())]
    return joined


def reader(repo: Repo) -> Read:
    """Return what reads small files of a repository; of LFS pointers and long files it returns None."""

    def read(oids: Iterable[str]) -> dict[str, bytes | None]:
        sizes = objects.sizes(repo, oids)
        short = [oid for oid, size in sizes.items() if size <= line_merging.MAX_BYTES]
        texts = {row.oid: objects.body(row) for row in objects.stream(repo, short)}
        return {oid: None if pointers.parse_pointer(text) else text for oid, text in texts.items()}

    return read


_Dispute = tuple[str, TreeItem | None, TreeItem | None, TreeItem | None]


def _contents(disputed: list[_Dispute], read: Read) -> Mapping[str, bytes | None]:
    """Read the texts of the first of those files that all three have; the others are taken whole."""
    oids = [
        item.oid
        for _path, *items in sorted(disputed, key=lambda one: one[0])
        if all(item is not None and item.mode in REGULAR for item in items)
        for item in items
        if item is not None
    ]
    return read(dict.fromkeys(oids[: 3 * MAX_TEXTS])) if oids else {}


def _merged(
    before: TreeItem | None, our: TreeItem | None, their: TreeItem | None, contents: Mapping[str, bytes | None]
) -> tuple[TreeItem, GitBlob | None] | str:
    """Return the merged file, and its content where that is new; or why there is none."""
    if before is None:
        return _("added on both sides")
    if our is None or their is None:
        return _("removed on one side and changed on the other")
    mode = our.mode if their.mode == before.mode else their.mode
    if mode not in REGULAR or (our.mode != before.mode and our.mode != mode):
        return _("changed on both sides")
    for one, other in ((our, their), (their, our)):
        if one.oid in (before.oid, other.oid):  # the other one changed the content alone, this one the mode
            return TreeItem(our.name, mode, other.oid), None
    texts = [contents.get(item.oid) for item in (before, our, their)]
    if texts[0] is None or texts[1] is None or texts[2] is None:
        return _("changed on both sides, and not merged by lines")
    made = line_merging.merge(texts[0], texts[1], texts[2])
    if made is None:
        return _("the same lines changed on both sides")
    blob = GitBlob.from_string(made)
    return TreeItem(our.name, mode, blob.id.decode()), blob


def _standing_in_the_way(ours: Changes, theirs: Changes) -> set[str]:
    """Return files of one side where the other one puts files below."""
    present = [{path for path, (_before, after) in side.items() if after} for side in (ours, theirs)]
    folders = [{path[:cut] for path in paths for cut in _cuts(path)} for paths in present]
    return (present[0] & folders[1]) | (present[1] & folders[0])


def _cuts(path: str) -> list[int]:
    return [index for index, character in enumerate(path) if character == "/"]
