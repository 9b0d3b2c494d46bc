"""Which bytes of a file to send and under what type, so that no user's file runs in another user's browser."""

import re
from dataclasses import dataclass
from urllib.parse import quote

from models_hub.browsing import Entry

# Only what a browser shows without running it; an SVG, which may hold a program, only inside of <img>, for it is one
# of the ACTIVE files. All else is text, or a download.
SHOWN_TYPES = {
    ".svg": "image/svg+xml", ".avif": "image/avif", ".bmp": "image/bmp", ".ico": "image/x-icon",
    ".gif": "image/gif", ".jpeg": "image/jpeg", ".jpg": "image/jpeg", ".png": "image/png", ".webp": "image/webp",
    ".flac": "audio/flac", ".mp3": "audio/mpeg", ".ogg": "audio/ogg", ".wav": "audio/wav",
    ".m4a": "audio/mp4", ".opus": "audio/ogg", ".aac": "audio/aac",
    ".mp4": "video/mp4", ".m4v": "video/mp4", ".mov": "video/mp4", ".webm": "video/webm",
    ".pdf": "application/pdf", ".json": "application/json",
}  # fmt: skip
ACTIVE = (".html", ".htm", ".xhtml", ".shtml", ".mht", ".mhtml", ".svg", ".xml", ".xsl", ".xslt", ".js", ".mjs", ".swf")
TEXT = "text/plain; charset=utf-8"
BINARY = "application/octet-stream"
_ETAG = re.compile(r'"[^"]*"')
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


class RangeOutside(Exception):
    """The asked range begins after the end of the file."""


@dataclass(frozen=True)
class Span:
    """Bytes [start, start + length) of a file."""

    start: int
    length: int


def asked_span(header: str, size: int) -> Span | None:
    """Return the one range that a Range header asks for; None for the whole file. Raises RangeOutside.

    Several ranges, or a malformed one, get the whole file, as HTTP allows.
    """
    match = _RANGE.fullmatch(header.replace(" ", ""))
    if not match or match[1] == match[2] == "":
        return None
    if match[1] == "":  # the last n bytes
        length = min(int(match[2]), size)
        if length == 0:
            raise RangeOutside
        return Span(size - length, length)
    start = int(match[1])
    if start >= size:
        raise RangeOutside
    end = min(int(match[2]), size - 1) if match[2] else size - 1
    return Span(start, end - start + 1) if end >= start else None


def is_known(header: str, etag: str) -> bool:
    """Whether an If-None-Match header names the quoted `etag`: by itself, in a list, as a weak one, or by `*`."""
    return header.strip() == "*" or etag in _ETAG.findall(header)


def content_type(entry: Entry) -> str:
    """Return a type under which a browser executes nothing."""
    name = entry.name.lower()
    for ending, kind in SHOWN_TYPES.items():
        if name.endswith(ending):
            return kind
    return BINARY if entry.blob else TEXT


def disposition(entry: Entry, *, download: bool) -> str:
    """Return Content-Disposition in the Hub's form; active content is always a download."""
    kind = "attachment" if download or entry.name.lower().endswith((*ACTIVE, ".pdf")) else "inline"
    plain = "".join(c if c.isascii() and c.isprintable() and c not in '"%\\' else "_" for c in entry.name)
    return f"{kind}; filename*=UTF-8''{quote(entry.name, safe='')}; filename=\"{plain}\";"
