"""Taking in the changes of a commit one by one: each is checked and its content stored before the next is read."""

import io
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from dulwich.objects import Blob as GitBlob

from models_hub import cards, checking, contents, counting, gitattributes
from models_hub.changes import PLAIN_MODE, Change, Delete, PutFile, PutKnown, PutLarge
from models_hub.git import objects
from models_hub.git.pointers import MAX_POINTER_BYTES, parse_pointer, pointer_text
from models_hub.gitattributes import Effort
from models_hub.headers.safetensors import read_safetensors_header
from models_hub.models import Blob, Repo
from portal.errors import InvalidInput, TooLarge

MAX_CHANGES = 25_000
WRITE_BYTES = 8 * 1024 * 1024
CARD = "README.md"
# What git, the portal and its pages read as text whatever .gitattributes says.
ALWAYS_SMALL = frozenset({".gitattributes", ".gitignore", CARD})


@dataclass(frozen=True)
class StagedFile:
    """A path and the git id that its tree entry will have; the content is stored."""

    path: str
    oid: str
    mode: int = PLAIN_MODE


Staged = StagedFile | Delete


def stage(repo: Repo, changes: Iterable[Change], *, attributes: bytes) -> list[Staged]:
    """Check the changes and store their content, reading `changes` once and keeping little of it in memory.

    `attributes` is the .gitattributes that decides what is large. Content without a commit that names it is
    invisible, so a failure on the way leaves nothing to see.
    """
    area = _Area(repo, attributes)
    for change in changes:
        area.add(change)
    return area.close()


def is_large(path: str, size: int, sample: bytes, *, attributes: bytes, effort: Effort) -> bool:
    """Say whether a file belongs to large content: by .gitattributes, by size, or because it is binary."""
    if size == 0 or path in ALWAYS_SMALL:
        return False
    return (
        gitattributes.is_large(attributes, path, effort)
        or is_safetensors(path)
        or size > settings.LFS_THRESHOLD_BYTES
        or b"\x00" in sample
    )


def is_safetensors(path: str) -> bool:
    return path.lower().endswith(".safetensors")


class _Area:
    """Staged changes of one commit. Small files wait until a batch of them is written."""

    def __init__(self, repo: Repo, attributes: bytes) -> None:
        self._repo = repo
        self._attributes = attributes
        self._effort = Effort()
        self._staged: list[Staged] = []
        self._claims: dict[int, PutLarge] = {}
        self._known: dict[int, PutKnown] = {}
        self._waiting: list[GitBlob] = []
        self._waiting_bytes = 0

    def add(self, change: Change) -> None:
        if len(self._staged) >= MAX_CHANGES:
            raise TooLarge(_("A commit may change at most %(max)d files.") % {"max": MAX_CHANGES})
        if isinstance(change, Delete):
            path = checking.normalize_path(change.path.rstrip("/"))
            self._staged.append(Delete(path))
        elif isinstance(change, PutLarge):
            checking.normalize_path(change.path)
            self._claim(change)
        elif isinstance(change, PutKnown):
            checking.normalize_path(change.path)
            self._known[len(self._staged)] = change
            self._staged.append(StagedFile(change.path, change.oid, change.mode))
        else:
            checking.normalize_path(change.path)
            self._put(change)

    def close(self) -> list[Staged]:
        """Write what waits and return all staged changes; raises ContentRefused for a claim without content."""
        self._look_up_known()
        held = contents.claimed_by(self._repo, (claim.sha256 for claim in self._claims.values()))
        for index, claim in self._claims.items():
            blob = contents.require(held, claim.sha256, claim.size)
            check_large(claim.path, blob)
            self._staged[index] = StagedFile(claim.path, blob.pointer_oid)
            self._wait(GitBlob.from_string(pointer_text(blob.sha256, blob.size)))
        self._flush()
        return self._staged

    def _put(self, change: PutFile) -> None:
        path, content = change.path, change.content
        if path in ALWAYS_SMALL:
            check_size(path, len(content))
        if path == CARD:
            read_card(content)
        if is_safetensors(path) and not content:  # never large content, whose header is looked at later
            read_safetensors_header(io.BytesIO(), 0, path)
        if pointer := parse_pointer(content):  # a pointer is a claim: the bytes must be here
            self._claim(PutLarge(path, pointer.sha256, pointer.size))
        elif is_large(path, len(content), content[:512], attributes=self._attributes, effort=self._effort):
            blob = contents.receive(self._repo, iter([content]), size=len(content))
            self._claim(PutLarge(path, blob.sha256, blob.size))
        else:
            git_blob = GitBlob.from_string(content)
            self._staged.append(StagedFile(path, git_blob.id.decode()))
            self._wait(git_blob)

    def _claim(self, claim: PutLarge) -> None:
        """Note a reference to large content; all of them are looked up together at the end."""
        if claim.path in ALWAYS_SMALL:
            raise InvalidInput(_("%(path)s must be an ordinary text file, not large content.") % {"path": claim.path})
        self._claims[len(self._staged)] = claim
        self._staged.append(StagedFile(claim.path, ""))

    def _look_up_known(self) -> None:
        """Make sure that what is brought back is here still. A pointer is a claim, as in `_put`."""
        files = objects.keep(self._repo, [change.oid for change in self._known.values()])
        short = [oid for oid, size in files.items() if size <= MAX_POINTER_BYTES]
        pointers = {oid: parse_pointer(objects.body(row)) for oid, row in objects.read(self._repo, short).items()}
        for index, change in self._known.items():
            if change.oid not in files:
                raise InvalidInput(_("The content of “%(path)s” is no longer here.") % {"path": change.path[:300]})
            if pointer := pointers.get(change.oid):
                self._claims[index] = PutLarge(change.path, pointer.sha256, pointer.size)

    def _wait(self, git_blob: GitBlob) -> None:
        self._waiting.append(git_blob)
        self._waiting_bytes += git_blob.raw_length()
        if self._waiting_bytes >= WRITE_BYTES:
            self._flush()

    def _flush(self) -> None:
        objects.write(self._repo, self._waiting)
        self._waiting, self._waiting_bytes = [], 0


def read_card(content: bytes) -> dict[str, Any]:
    """Return the metadata of a README.md that may be committed; raises InvalidInput saying what to mend."""
    check_size(CARD, len(content))
    try:
        return cards.read_metadata(content.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise InvalidInput(_("README.md must be UTF-8 text.")) from error


def check_size(path: str, size: int) -> None:
    """Refuse a card or a file that git and the portal read as text when it is too long to be read."""
    if size > settings.MAX_CARD_BYTES:
        raise TooLarge(
            _("%(path)s may have at most %(max)d bytes; move long material to other files.")
            % {"path": path, "max": settings.MAX_CARD_BYTES}
        )


def check_large(path: str, blob: Blob) -> None:
    """Refuse weights whose header lies: they would fail, or harm, in every program that loads them.

    Reads no more of the file than its header, and that only once for each content.
    """
    counting.note_header(path, blob)
