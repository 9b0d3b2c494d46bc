"""How a file is put together again: which runs of chunks, in order, and which bytes of which xorbs hold them."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from django.utils.translation import gettext as _

from models_hub import pieces
from models_hub.delivering import RangeOutside
from models_hub.models import Blob, Xorb
from models_hub.xet.possession import Interval, joined
from models_hub.xet.tokens import Grant
from models_hub.xet.xorbs import HEADER_SIZE, ChunkTable
from portal.errors import InvalidInput, NotFound, TooLarge

# Of one answer. Clients ask for 256 MB to 16 GB of a file at a time, in runs of half a megabyte on average; the longest
# file that a shard can tell would take 360 MB of memory for each who asked for all of it.
MAX_TERMS = 32_000
# Clients ask for "all the rest" with the largest number of 64 bits.
_RANGE = re.compile(r"bytes=(\d{1,20})-(\d{0,20})")


class FileNotThere(NotFound):
    """The repository has no file with this hash that can be had in pieces."""

    code = "file_not_found"


class TooManyTerms(TooLarge):
    """The range lies in more pieces than one answer tells."""

    code = "too_many_terms"


class XorbName(NamedTuple):
    """A xorb, by our id and by its hash."""

    id: int
    hash: str


class FileTerm(NamedTuple):
    """Chunks [first, end) of a xorb, which start at `offset` of its raw bytes and have `length` of them."""

    xorb: XorbName
    first: int
    end: int
    offset: int
    length: int


class FetchRange(NamedTuple):
    """Chunks [first, end) of a xorb, and the bytes [start, stop) that they take in its serialized form."""

    first: int
    end: int
    start: int
    stop: int


@dataclass(frozen=True)
class Plan:
    """What to fetch and how to join it; `skip` bytes of the first term lie before what was asked for."""

    blob: Blob
    skip: int
    terms: list[FileTerm]

    def fetches(self) -> Iterator[tuple[XorbName, list[FetchRange]]]:
        """Yield each xorb with what is needed of it: no chunk twice, and none that is not the file's."""
        wanted: dict[XorbName, list[FileTerm]] = {}
        for term in self.terms:
            wanted.setdefault(term.xorb, []).append(term)
        for xorb, terms in wanted.items():
            starts = {term.first: term.offset for term in terms}
            stops = {term.end: term.offset + term.length for term in terms}
            yield (
                xorb,
                [
                    FetchRange(first, end, serialized_offset(first, starts[first]), serialized_offset(end, stops[end]))
                    for first, end in joined(Interval(term.first, term.end) for term in terms)
                ],
            )


def serialized_offset(chunk: int, raw_offset: int) -> int:
    """Return where a chunk starts in the form in which xorbs travel: before each chunk is its header."""
    return raw_offset + chunk * HEADER_SIZE


def plan(grant: Grant, file_hash: str, range_header: str) -> Plan:
    """Return how to get a file of the token's repository, or a range of it.

    Raises FileNotThere; RangeOutside where the range begins after the end; TooManyTerms.
    """
    held = Blob.objects.filter(xet_hash=file_hash, in_pieces=True, repo_blobs__repo=grant.repo)
    blob = held.first()
    if blob is None:
        raise FileNotThere(_("The repository has no file with this hash. Download it over HTTP."))
    start, end = _asked(range_header, blob.size)
    placed = _placed_terms(blob, start, end)
    skip, terms = 0, [term for _position, term in placed]
    for place in {0, len(placed) - 1}:
        position, term = placed[place]
        before, terms[place] = _trimmed(term, start - position, end - position)
        skip = before if place == 0 else skip
    return Plan(blob, skip, terms)


def _asked(header: str, size: int) -> tuple[int, int]:
    """Return the bytes [start, end) that a Range header asks for."""
    if not header:
        return 0, size
    match = _RANGE.fullmatch(header.replace(" ", ""))
    if not match or (match[2] and int(match[2]) < int(match[1])):
        raise InvalidInput(_("Write the range of a file as “bytes=first-last”."))
    start = int(match[1])
    if start >= size:
        raise RangeOutside
    return start, min(int(match[2]) + 1, size) if match[2] else size


def _placed_terms(blob: Blob, start: int, end: int) -> list[tuple[int, FileTerm]]:
    """Return the pieces that bytes [start, end) touch, each with its position in the file; raises TooManyTerms."""
    rows = pieces.inside(blob, start, end).values_list(
        "position", "xorb_id", "xorb__hash", "first_chunk", "end_chunk", "offset", "length"
    )[: MAX_TERMS + 1]
    if len(rows) > MAX_TERMS:
        raise TooManyTerms(
            _("This range lies in more than %(max)d pieces. Ask for a shorter one, or download the file over HTTP.")
            % {"max": MAX_TERMS}
        )
    return [
        (position, FileTerm(XorbName(xorb_id, xorb_hash), first, last, offset, length))
        for position, xorb_id, xorb_hash, first, last, offset, length in rows
    ]


def _trimmed(term: FileTerm, start: int, end: int) -> tuple[int, FileTerm]:
    """Return the chunks of a term that its bytes [start, end) touch, and how many bytes lie before `start` in them."""
    start, end = max(start, 0), min(end, term.length)
    if (start, end) == (0, term.length):
        return 0, term
    offsets = ChunkTable(bytes(Xorb.objects.values_list("chunks", flat=True).get(pk=term.xorb.id))).offsets
    first = bisect_right(offsets, term.offset + start) - 1
    last = bisect_left(offsets, term.offset + end)
    skip = term.offset + start - offsets[first]
    return skip, FileTerm(term.xorb, first, last, offsets[first], offsets[last] - offsets[first])
