"""A sentence or a passage in pieces, each marked as right, missed or wrong: what a reader sees at a glance."""

import re
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Verdict = Literal["", "right", "missed", "wrong", "differs"]
VERDICTS: dict[str, str | Promise] = {
    "right": _("found"),
    "missed": _("missed"),
    "wrong": _("not in the reference"),
    "differs": _("of another type, or with other ends"),
}
AROUND = 100  # characters of the text that are shown beside a mark
MAX_WORD = 20  # a longer one is cut
MAX_MARK = 400
MAX_PIECES = 100
OUTSIDE = "O"
_HAN = re.compile("[\u3400-\u9fff]")


class Span(NamedTuple):
    """What holds from one place up to, not including, another; places are characters, or words."""

    name: str
    start: int
    end: int


@dataclass(frozen=True)
class Piece:
    """A part of a text, and what the reference and the model say of it."""

    text: str
    verdict: Verdict = ""
    gold: str = ""
    given: str = ""


def entities_of(tags: Sequence[object]) -> list[Span]:
    """Return the entities of a sentence by strict IOB2, as the engine counts them."""
    found: list[Span] = []
    name, start = "", -1
    for place, tag in enumerate([*map(str, tags), OUTSIDE]):
        prefix, _dash, kind = tag.partition("-")
        if start >= 0 and not (prefix == "I" and kind == name):
            found.append(Span(name, start, place))
            start = -1
        if prefix == "B":
            name, start = kind, place
    return found


def marked_words(words: Sequence[str], gold: Sequence[Span], given: Sequence[Span]) -> list[Piece]:
    """Return a sentence with what was found, missed and invented, and what was found in another form."""
    gap = "" if _HAN.search("".join(words)) else " "
    starts, at = [], 0
    for word in words:
        starts.append(at)
        at += len(word) + len(gap)

    def in_characters(spans: Iterable[Span]) -> list[Span]:
        return [Span(name, starts[start], starts[end - 1] + len(words[end - 1])) for name, start, end in spans]

    return marked(gap.join(words), in_characters(gold), in_characters(given))


def marked(text: str, gold: Sequence[Span], given: Sequence[Span]) -> list[Piece]:
    """Return a text cut where spans begin and end; what is far from all of them is left out."""
    bounds = sorted({0, len(text), *(place for span in (*gold, *given) for place in (span.start, span.end))})
    both = set(gold) & set(given)
    pieces = []
    sides = zip(bounds, bounds[1:], _covering(bounds, gold), _covering(bounds, given), strict=False)
    for start, end, wanted, said in sides:
        verdict: Verdict = ("differs" if said else "missed") if wanted else ("wrong" if said else "")
        if wanted in both and said in both:
            verdict = "right"
        pieces.append(Piece(text[start:end], verdict, wanted.name if wanted else "", said.name if said else ""))
    return _shortened(pieces)


def _covering(bounds: list[int], spans: Iterable[Span]) -> list[Span | None]:
    """Return for each part between two bounds the first span that covers it."""
    found: list[Span | None] = [None] * (len(bounds) - 1)
    for span in spans:
        for part in range(bisect_left(bounds, span.start), bisect_left(bounds, span.end)):
            found[part] = found[part] or span
    return found


def _shortened(pieces: list[Piece]) -> list[Piece]:
    first = next((at for at, piece in enumerate(pieces) if piece.verdict not in ("", "right")), 0)
    # Whatever a text is like, its first mistake is among what is shown.
    begin = max(0, first - MAX_PIECES // 2)
    shown = pieces[begin : begin + MAX_PIECES]
    last = len(shown) - 1
    return [
        Piece(_ends(piece.text, MAX_MARK // 2, MAX_MARK // 2), piece.verdict, piece.gold, piece.given)
        if piece.verdict
        else Piece(_ends(piece.text, AROUND if at else 0, AROUND if at < last else 0))
        for at, piece in enumerate(shown)
    ]


def _ends(text: str, before: int, after: int) -> str:
    """Return the beginning and the end of a text, with dots for what is between; words stay whole."""
    if len(text) <= before + after + 1:
        return text
    begin, end = text[:before], text[len(text) - after :]
    if " " in begin[-MAX_WORD:]:
        begin = begin[: begin.rindex(" ") + 1]
    if " " in end[:MAX_WORD]:
        end = end[end.index(" ") :]
    return f"{begin}…{end}"
