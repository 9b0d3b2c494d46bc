"""Git's trees, commits and tags read strictly: what `git fsck --strict` would complain of does not come in."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from django.utils.translation import gettext as _

from portal.errors import InvalidInput

MAX_TIME = 253_402_300_799  # the last second of the year 9999, beyond which no calendar here goes
FOLDER = 0o40000
_IDENTITY = rb"[^<>\n]* <([^<>\n]*)> (0|[1-9]\d{0,14}) [+-]\d{4}"
_COMMIT = re.compile(
    rb"tree ([0-9a-f]{40})\n((?:parent [0-9a-f]{40}\n)*)"
    rb"author (" + _IDENTITY + rb")\ncommitter (" + _IDENTITY + rb")\n((?:[^\n\x00]+\n)*)(?:\n|\Z)"
)
_TAG = re.compile(
    rb"object ([0-9a-f]{40})\ntype (commit|tree|blob|tag)\ntag ([^\n\x00]+)\n(?:tagger "
    + _IDENTITY
    + rb"\n)?(?:[^\n\x00]+\n)*(?:\n|\Z)"
)
_MODE = re.compile(rb"[1-7][0-7]{4,5}")


class FormatRefused(InvalidInput):
    """An object that is not what git writes."""

    code = "bad_object"


class TreeEntry(NamedTuple):
    """One line of a tree as it stands there: the name may be any bytes."""

    name: bytes
    mode: int
    oid: str

    @property
    def is_folder(self) -> bool:
        return self.mode == FOLDER


class CommitRecord(NamedTuple):
    """What a commit object says, its id included."""

    oid: str
    tree: str
    parents: tuple[str, ...]
    author_name: str
    author_email: str
    author_time: int
    commit_time: int
    message: str


class TagRecord(NamedTuple):
    """What an annotated tag says."""

    oid: str
    target: str
    target_type: str
    name: str
    message: str


def tree_entries(body: bytes, *, most: int) -> list[TreeEntry]:
    """Return the entries of a tree of at most `most`; raises FormatRefused when git would not have written it."""
    entries: list[TreeEntry] = []
    names: set[bytes] = set()
    last = b""
    for entry in _entries(body):
        key = entry.name + b"/" if entry.is_folder else entry.name
        if key <= last or entry.name in names:
            raise FormatRefused(_("A folder of the push lists its files twice or out of order: run “git fsck”."))
        if len(entries) >= most:
            raise FormatRefused(
                _("A folder may hold at most %(max)d files; put them into several folders.") % {"max": most}
            )
        names.add(entry.name)
        entries.append(entry)
        last = key
    return entries


def _entries(body: bytes) -> Iterator[TreeEntry]:
    position, end = 0, len(body)
    while position < end:
        space = body.find(b" ", position, position + 7)
        stop = body.find(b"\x00", space + 1)
        mode = body[position:space] if space > 0 else b""
        if not _MODE.fullmatch(mode) or stop <= space + 1 or stop + 21 > end or body.find(b"/", space, stop) >= 0:
            raise FormatRefused(_("A folder of the push is not written as git writes it: run “git fsck”."))
        yield TreeEntry(body[space + 1 : stop], int(mode, 8), body[stop + 1 : stop + 21].hex())
        position = stop + 21


def read_commit(oid: str, body: bytes) -> CommitRecord:
    """Return what a commit says; raises FormatRefused."""
    found = _COMMIT.match(body)
    if found is None or b"\x00" in body or max(int(found[5]), int(found[8])) > MAX_TIME:
        raise FormatRefused(
            _("The commit %(oid)s is not written as git writes it: run “git fsck”.") % {"oid": oid[:12]}
        )
    name = found[3].partition(b"<")[0]
    return CommitRecord(
        oid=oid,
        tree=found[1].decode(),
        parents=tuple(line[7:].decode() for line in found[2].splitlines()),
        author_name=_text(name).strip(),
        author_email=_text(found[4]),
        author_time=int(found[5]),
        commit_time=int(found[8]),
        message=_text(body[found.end() :]),
    )


def read_tag(oid: str, body: bytes) -> TagRecord:
    """Return what an annotated tag says; raises FormatRefused."""
    found = _TAG.match(body)
    if found is None or b"\x00" in body:
        raise FormatRefused(_("The tag %(oid)s is not written as git writes it: run “git fsck”.") % {"oid": oid[:12]})
    return TagRecord(oid, found[1].decode(), found[2].decode(), _text(found[3]), _text(body[found.end() :]))


def _text(value: bytes) -> str:
    return value.decode("utf-8", "replace")
