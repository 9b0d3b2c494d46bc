"""What may enter a repository: path names and text. Everything here is hostile until checked."""

import unicodedata
from collections.abc import Iterable
from typing import Protocol

from django.utils.translation import gettext as _

from portal.errors import InvalidInput

MAX_SEGMENT_BYTES = 255
MAX_PATH_BYTES = 4096
MAX_DEPTH = 64
MAX_FILES = 100_000
_DEVICES = {"con", "prn", "aux", "nul", *(f"com{n}" for n in range(1, 10)), *(f"lpt{n}" for n in range(1, 10))}


class PathRefused(InvalidInput):
    """A file name that no repository may hold."""

    code = "bad_path"


class Readable(Protocol):
    """Something that gives its next bytes."""

    def read(self, size: int, /) -> bytes: ...


class FileRefused(InvalidInput):
    """A file whose content is not what its name says, or would harm whoever opens it."""

    code = "bad_file"


def is_text(value: str) -> bool:
    """Say whether every database can hold it: no NUL character, no half of a surrogate pair."""
    return "\x00" not in value and not any("\ud800" <= character <= "\udfff" for character in value)


def normalize_path(path: str) -> str:
    """Return `path` when every system can hold it safely, else raise PathRefused with the reason."""
    if not path or path.startswith("/") or path.endswith("/"):
        raise PathRefused(_("“%(path)s” is not a file path inside the repository.") % {"path": shown(path)})
    if "\\" in path:
        raise PathRefused(_("“%(path)s” holds a backslash; separate folders with “/”.") % {"path": shown(path)})
    try:
        encoded = path.encode("utf-8")
    except UnicodeEncodeError as error:
        raise PathRefused(_("The path “%(path)s” is not valid UTF-8.") % {"path": shown(path)}) from error
    if len(encoded) > MAX_PATH_BYTES or path.count("/") >= MAX_DEPTH:
        raise PathRefused(_("The path “%(path)s” is too long or too deep.") % {"path": shown(path)})
    if any(unicodedata.category(character) in {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"} for character in path):
        raise PathRefused(
            _("The path “%(path)s” holds control or invisible characters; rename the file.") % {"path": shown(path)}
        )
    for segment in path.split("/"):
        _check_segment(segment, path)
    return path


def _check_segment(segment: str, path: str) -> None:
    folded = unicodedata.normalize("NFKC", segment).casefold().rstrip(". ")
    if segment in {"", ".", ".."}:
        raise PathRefused(_("“%(path)s” holds an empty, “.” or “..” folder name.") % {"path": shown(path)})
    if folded in {".git", "git~1"} or folded.startswith(".git:"):
        raise PathRefused(_("“%(path)s”: the name .git is reserved by git.") % {"path": shown(path)})
    if folded.split(".")[0] in _DEVICES:
        raise PathRefused(_("“%(path)s”: this name is a device on some systems; rename it.") % {"path": shown(path)})
    if len(segment.encode()) > MAX_SEGMENT_BYTES:
        raise PathRefused(_("A folder or file name in “%(path)s” is too long.") % {"path": shown(path)})


def check_tree(paths: Iterable[str]) -> None:
    """Refuse a set of paths that some file system could not hold side by side."""
    seen: dict[str, str] = {}
    files = set()
    for path in paths:
        files.add(path)
        twin = seen.setdefault(unicodedata.normalize("NFC", path), path)
        if twin != path:
            raise PathRefused(
                _("“%(a)s” and “%(b)s” are the same name on some systems.") % {"a": shown(twin), "b": shown(path)}
            )
    if len(files) > MAX_FILES:
        raise PathRefused(_("A repository may hold at most %(max)d files.") % {"max": MAX_FILES})
    for path in files:
        parent = path
        while "/" in parent:
            parent = parent.rsplit("/", 1)[0]
            if parent in files:
                raise PathRefused(_("“%(path)s” is both a file and a folder.") % {"path": shown(parent)})


def shown(path: str) -> str:
    """Return a path as it may stand in a message: bounded, without control characters."""
    clean = "".join(c if c.isprintable() else "?" for c in path[:120])
    return clean + ("…" if len(path) > 120 else "")
