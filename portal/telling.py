"""What pages that are no row of their own, such as a comparison, tell somebody who begins to write about them.

Each app says for its own addresses what the facts are, as that reader may see them.
"""

import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

from portal.models import Asker

MAX_ADDRESS = 2000
MAX_FIELDS = 50


@dataclass(frozen=True)
class Told:
    """The title and the text, in Markdown, with which a topic about a page may begin."""

    title: str
    text: str


Tell = Callable[[Mapping[str, Sequence[str]], Asker], Told | None]
_tellers: dict[str, tuple[str, Tell]] = {}


def register(path: str, kind: str, tell: Tell) -> None:
    """Let `tell` answer for a path and what its address asks for; `kind` is a word of small letters."""
    _tellers[path] = (kind, tell)


def told(address: str, reader: Asker) -> Told | None:
    """Return what a page tells, None for one that tells nothing or that the reader may not see."""
    path, query = _parts(address)
    if path not in _tellers:
        return None
    try:
        return _tellers[path][1](parse_qs(query, max_num_fields=MAX_FIELDS), reader)
    except ValueError:  # more fields than any page has
        return None


def key_of(address: str) -> str:
    """Return what tells texts about one address from those about others, "" for an address that tells nothing."""
    path, query = _parts(address)
    return f"{_tellers[path][0]}:{zlib.crc32(query.encode())}" if path in _tellers else ""


def _parts(address: str) -> tuple[str, str]:
    try:
        parts = urlsplit(address[:MAX_ADDRESS])
    except ValueError:
        return "", ""
    return parts.path, parts.query
