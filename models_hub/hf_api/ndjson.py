"""The body of a commit: one JSON object a line, read line by line and turned into changes one by one."""

import base64
import binascii
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import gettext as _

from models_hub.changes import Change, Delete, PutFile, PutLarge
from models_hub.hf_api.calls import text
from portal import bounded_json
from portal.errors import InvalidInput, TooLarge

BLOCK = 256 * 1024


@dataclass(frozen=True)
class Header:
    """The first line of a commit."""

    title: str
    description: str
    parent: str | None


def read_commit(request: HttpRequest) -> tuple[Header, Iterator[Change]]:
    """Return the header and the changes, which are read from the request as they are taken."""
    announced = request.headers.get("Content-Length", "")
    if announced.isdecimal() and int(announced) > settings.MAX_COMMIT_BODY_BYTES:
        raise _body_too_large()
    rows = _rows(request)
    key, value = next(rows, ("", {}))
    if key != "header":
        raise InvalidInput(_("A commit begins with a line whose key is “header”."))
    header = Header(
        title=text(value.get("summary"), "summary"),
        description=text(value.get("description"), "description", default=""),
        parent=text(value.get("parentCommit"), "parentCommit", default="") or None,
    )
    return header, (_change(key, value) for key, value in rows)


def _rows(request: HttpRequest) -> Iterator[tuple[str, dict[str, Any]]]:
    for line in _lines(request):
        try:
            row = bounded_json.loads(line)
        except (ValueError, RecursionError) as error:
            raise InvalidInput(_("A line of the commit is not valid JSON, or the body was cut off.")) from error
        value = row.get("value") if isinstance(row, dict) else None
        if not isinstance(value, dict):
            raise InvalidInput(_("Each line of a commit is an object with “key” and “value”."))
        yield str(row.get("key")), value


def _lines(request: HttpRequest) -> Iterator[bytes]:
    """Yield non-empty lines, none longer than a small file can be, all together within the limit of a body."""
    longest, total = settings.LFS_THRESHOLD_BYTES * 4 // 3 + 64 * 1024, 0
    parts: list[bytes] = []
    waiting = 0
    while block := request.read(BLOCK):
        total += len(block)
        if total > settings.MAX_COMMIT_BODY_BYTES:
            raise _body_too_large()
        first, *others = block.split(b"\n")
        parts.append(first)
        waiting += len(first)
        for part in others:
            if waiting:
                yield b"".join(parts)
            parts, waiting = [part], len(part)
        if waiting > longest:
            raise TooLarge(
                _("A file sent inside a commit may have at most %(max)d bytes: send larger ones by LFS or Xet.")
                % {"max": settings.LFS_THRESHOLD_BYTES}
            )
    if waiting:
        yield b"".join(parts)


def _change(key: str, value: dict[str, Any]) -> Change:
    if key == "file":
        return PutFile(text(value.get("path"), "path"), _content(value))
    if key == "lfsFile":
        return _large(value)
    if key in {"deletedFile", "deletedFolder"}:
        return Delete(text(value.get("path"), "path"))
    raise InvalidInput(_("“%(key)s” is no kind of change in a commit.") % {"key": key[:50]})


def _content(value: dict[str, Any]) -> bytes:
    content, encoding = text(value.get("content"), "content"), value.get("encoding", "utf-8")
    try:
        if encoding == "base64":
            return base64.b64decode(content, validate=True)
        if encoding == "utf-8":
            return content.encode("utf-8")
    except (binascii.Error, ValueError) as error:
        raise InvalidInput(_("The content of a file is not valid %(encoding)s.") % {"encoding": encoding}) from error
    raise InvalidInput(_("“encoding” must be “base64” or “utf-8”."))


def _large(value: dict[str, Any]) -> PutLarge:
    size = value.get("size")
    if value.get("algo", "sha256") != "sha256" or not (size is None or isinstance(size, int)):
        raise InvalidInput(_("“lfsFile” needs algo “sha256”, an oid and, if given, a size in bytes."))
    return PutLarge(text(value.get("path"), "path"), text(value.get("oid"), "oid"), size)


def _body_too_large() -> TooLarge:
    return TooLarge(
        _("A commit may have at most %(max)d bytes: split it, or send large files by LFS or Xet.")
        % {"max": settings.MAX_COMMIT_BODY_BYTES}
    )
