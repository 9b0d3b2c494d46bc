"""Where a text answers a question: cut around the place, with what answers marked."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from models_hub.searching.words import Term, normalized

LENGTH = 220
BEFORE = 60
_LINK = re.compile(r"!?\[([^\[\]]{0,300})\]\([^()\s]{0,1000}\)")  # of Markdown; bounded, for texts are hostile


class Piece(NamedTuple):
    """A part of a text, and whether it answers."""

    text: str
    is_hit: bool = False


def marked(text: str, terms: Sequence[Term]) -> list[Piece]:
    """Split a text at what answers."""
    pattern = _pattern(terms)
    if pattern is None or not text:
        return [Piece(text)] if text else []
    shown = _foldable(text)
    pieces, end = [], 0
    for hit in pattern.finditer(shown):
        pieces += [Piece(text[end : hit.start()]), Piece(text[hit.start() : hit.end()], is_hit=True)]
        end = hit.end()
    return [piece for piece in [*_joined(pieces), Piece(text[end:])] if piece.text]


def excerpt(text: str, terms: Sequence[Term]) -> list[Piece]:
    """Return about two lines of a text around the first place that answers, [] when none does."""
    text = re.sub(r"[#*`>|~\s]+", " ", _LINK.sub(r"\1", text)).strip()
    pattern = _pattern(terms)
    hit = pattern.search(_foldable(text)) if pattern else None
    if hit is None:
        return []
    start = max(hit.start() - BEFORE, 0)
    if start and (blank := text.find(" ", start, hit.start())) >= 0:
        start = blank + 1
    pieces = marked(text[start : start + LENGTH], terms)
    before, after = [Piece("… ")] if start else [], [Piece(" …")] if start + LENGTH < len(text) else []
    return [*before, *pieces, *after]


def _pattern(terms: Sequence[Term]) -> re.Pattern[str] | None:
    words = sorted({form for term in terms for form in (term.word, term.stem)}, key=len, reverse=True)
    if not words:
        return None
    latin = [re.escape(word) for word in words if word.isascii()]
    other = [re.escape(word) for word in words if not word.isascii()]
    parts = ([rf"\b(?:{'|'.join(latin)})\w*"] if latin else []) + other
    return re.compile("|".join(parts), re.IGNORECASE)


def _foldable(text: str) -> str:
    """Return the text in the form in which it was indexed, where that is as long: places must stay the same."""
    folded = normalized(text)
    return folded if len(folded) == len(text) else text.lower() if len(text.lower()) == len(text) else text


def _joined(pieces: list[Piece]) -> list[Piece]:
    """Pairs of neighbouring characters overlap: hits that touch are one."""
    found: list[Piece] = []
    for piece in pieces:
        if not piece.text:
            continue
        if found and found[-1].is_hit and piece.is_hit:
            found[-1] = Piece(found[-1].text + piece.text, is_hit=True)
        else:
            found.append(piece)
    return found
