"""Another way of writing the same: case, punctuation, spaces, and the width of digits and marks."""

import re
from collections.abc import Callable
from random import Random

from worker.engine.perturbing.draws import chosen
from worker.engine.perturbing.scripts import HAN, kept_spans, outside, replaced, script_of

# All marks go at the strongest level: a text has far fewer of them than words.
MARKS_FACTOR = 5
_MARKS = re.compile(r"[,.;:!?，。；：！？、]")
_WIDE_MARKS = str.maketrans(",;:!?()", "，；：！？（）")
_NARROW_MARKS = str.maketrans("，；：！？（）。", ",;:!?().")
_WIDE_DIGITS = str.maketrans("0123456789", "０１２３４５６７８９")
_NARROW_DIGITS = str.maketrans("０１２３４５６７８９", "0123456789")
_SPACE = re.compile(r"(?<=[A-Za-z]) (?=[A-Za-z])")
_BETWEEN_HAN = re.compile(f"(?<=[{HAN}])(?=[{HAN}])")


def lower_case(text: str, rng: Random, share: float) -> str:
    """Write all in small letters, as on a phone."""
    return _mapped(text, str.lower)


def upper_case(text: str, rng: Random, share: float) -> str:
    """Write all in capitals."""
    return _mapped(text, str.upper)


def drop_punctuation(text: str, rng: Random, share: float) -> str:
    """Leave out marks between sentences and their parts, none inside a number, a word or an address."""
    kept = kept_spans(text)
    free = [m.start() for m in _MARKS.finditer(text) if outside(m.start(), kept) and not _inside_word(text, m.start())]
    return replaced(text, [(at, at + 1, "") for at in chosen(rng, free, min(1.0, MARKS_FACTOR * share))])


def punctuation_width(text: str, rng: Random, share: float) -> str:
    """Write Chinese marks as the narrow ones of a Latin keyboard; where there are none, the narrow ones wide."""
    narrow = text.translate(_NARROW_MARKS)
    return narrow if narrow != text else _mapped(text, lambda char: char.translate(_WIDE_MARKS), words=False)


def spacing(text: str, rng: Random, share: float) -> str:
    """Forget a space between two words or type it twice; in Chinese, put one between two characters."""
    kept = kept_spans(text)
    if script_of(text) == "han":
        gaps = [match.start() for match in _BETWEEN_HAN.finditer(text) if outside(match.start(), kept)]
        return replaced(text, [(at, at, " ") for at in chosen(rng, gaps, share)])
    spaces = [match.start() for match in _SPACE.finditer(text) if outside(match.start(), kept)]
    return replaced(text, [(at, at + 1, "" if rng.random() < 0.5 else "  ") for at in chosen(rng, spaces, share)])


def digit_width(text: str, rng: Random, share: float) -> str:
    """Write digits as wide as Chinese characters, or wide ones narrow."""
    narrow = text.translate(_NARROW_DIGITS)
    return narrow if narrow != text else _mapped(text, lambda char: char.translate(_WIDE_DIGITS))


def _mapped(text: str, change: Callable[[str], str], *, words: bool = True) -> str:
    """Change character by character, so that no position moves: “ß” in capitals would be two."""
    kept = kept_spans(text)
    changed = []
    for at, char in enumerate(text):
        new = change(char)
        free = outside(at, kept) and (words or not _inside_word(text, at))
        changed.append(new if free and len(new) == 1 else char)
    return "".join(changed)


def _inside_word(text: str, at: int) -> bool:
    before, after = text[at - 1 : at], text[at + 1 : at + 2]
    return all(char.isascii() and char.isalnum() for char in (before, after) if char) and bool(before and after)
