"""Slips of the fingers: a wrong key, two letters swapped, one lost, one too many. For Chinese, of whole characters."""

from collections.abc import Callable
from random import Random

from worker.engine.perturbing.draws import chosen, pick
from worker.engine.perturbing.scripts import Script, Span, han_of, replaced, script_of, words_of

# The keys beside each key of a QWERTY keyboard.
NEIGHBOURS = {
    "q": "wa", "w": "qes", "e": "wrd", "r": "etf", "t": "ryg", "y": "tuh", "u": "yij", "i": "uok", "o": "ipl",
    "p": "ol", "a": "qsz", "s": "awdx", "d": "sefc", "f": "drgv", "g": "fthb", "h": "gyjn", "j": "hukm", "k": "jil",
    "l": "kop", "z": "asx", "x": "zsdc", "c": "xdfv", "v": "cfgb", "b": "vghn", "n": "bhjm", "m": "njk",
}  # fmt: skip
SHORTEST = 4  # of a shorter word too little is left to be read
FEWEST_HAN = 4


def keyboard(text: str, rng: Random, share: float) -> str:
    """Hit the key beside the right one, once in each chosen word."""
    edits = []
    for start, end in chosen(rng, words_of(text, SHORTEST), share):
        at = start + int(rng.random() * (end - start))
        edits.append((at, at + 1, _beside(text[at], rng)))
    return replaced(text, edits)


def swap(text: str, rng: Random, share: float) -> str:
    """Swap two neighbours: inner letters of a word, or two Chinese characters."""
    if script_of(text) == "han":
        return replaced(text, [_swapped(text, at) for at in _apart(chosen(rng, _pairs(text), share))])
    edits = []
    for start, end in chosen(rng, words_of(text, SHORTEST), share):
        if places := [at for at in range(start + 1, end - 2) if text[at].lower() != text[at + 1].lower()]:
            edits.append(_swapped(text, pick(rng, places)))
    return replaced(text, edits)


def drop(text: str, rng: Random, share: float) -> str:
    """Leave out an inner letter of a word, or a Chinese character of a longer text."""
    return replaced(text, [(at, at + 1, "") for at in _places(text, rng, share)])


def insert(text: str, rng: Random, share: float) -> str:
    """Type a letter of a word twice, or hit the key beside it as well; of Chinese, type a character twice."""
    edits = []
    for at in _places(text, rng, share):
        extra = text[at] if rng.random() < 0.5 else _beside(text[at], rng)
        edits.append((at, at, extra))
    return replaced(text, edits)


KINDS: dict[Script, tuple[Callable[[str, Random, float], str], ...]] = {
    "latin": (keyboard, swap, drop, insert),
    "han": (swap, drop, insert),
    "other": (),
}


def slip(text: str, rng: Random, share: float) -> str:
    """Make one kind of these slips; where a text has no place for it, it stays as it is."""
    kinds = KINDS[script_of(text)]
    changed = pick(rng, kinds)(text, rng, share) if kinds else text
    return changed if changed.strip() else text


def _places(text: str, rng: Random, share: float) -> list[int]:
    if script_of(text) == "han":
        free = han_of(text)
        return chosen(rng, free, share) if len(free) >= FEWEST_HAN else []
    return [_inner(span, rng) for span in chosen(rng, words_of(text, SHORTEST), share)]


def _inner(span: Span, rng: Random) -> int:
    """Return a position that is neither the first nor the last letter, by which readers know a word."""
    start, end = span
    return start + 1 + int(rng.random() * (end - start - 2))


def _beside(char: str, rng: Random) -> str:
    neighbours = NEIGHBOURS.get(char.lower())
    if neighbours is None:
        return char
    other = pick(rng, neighbours)
    return other.upper() if char.isupper() else other


def _pairs(text: str) -> list[int]:
    free = set(han_of(text))
    return [at for at in sorted(free) if at + 1 in free and text[at] != text[at + 1]]


def _apart(positions: list[int]) -> list[int]:
    """Leave out a pair that shares a character with the one before it."""
    apart: list[int] = []
    for at in positions:
        if not apart or at > apart[-1] + 1:
            apart.append(at)
    return apart


def _swapped(text: str, at: int) -> tuple[int, int, str]:
    return at, at + 2, text[at + 1] + text[at]
