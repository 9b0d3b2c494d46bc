"""Words and what may stand in their place, from a file of the data set. Imports no torch.

The file is a JSON object of {"word": ["other", ...]}, or lines of word, tab, other, tab, other.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from worker.engine.contracts import EngineError
from worker.engine.decoding import parse_json
from worker.engine.perturbing.scripts import HAN, Span

MAX_BYTES = 16 << 20
MAX_WORDS, MAX_SYNONYMS, MAX_CHARACTERS = 200_000, 50, 60
# Chinese writes no spaces: its words are found by the longest that the lexicon has.
LONGEST_HAN = 8
_HAN_WORD = re.compile(f"[{HAN}]{{1,{LONGEST_HAN}}}")


@dataclass(frozen=True)
class Lexicon:
    """Synonyms by word, in small letters."""

    synonyms: dict[str, list[str]]

    def of(self, word: str) -> list[str]:
        """Return what may stand for a word, written as large as the word is."""
        return [cased(other, word) for other in self.synonyms.get(word.lower(), [])]

    def han_words(self, text: str) -> Iterator[Span]:
        """Yield the Chinese words of a text that have synonyms, from left to right, none within another."""
        at = 0
        while at < len(text):
            run = _HAN_WORD.match(text, at)
            ends = range(run.end(), at, -1) if run else range(0)
            end = next((end for end in ends if text[at:end] in self.synonyms), None)
            if end is not None:
                yield at, end
            at = end or at + 1


def cased(other: str, word: str) -> str:
    """Return a word written as large as the one that it stands for."""
    if word.isupper() and len(word) > 1:
        return other.upper()
    return other[:1].upper() + other[1:] if word[:1].isupper() else other


def read(path: str) -> Lexicon:
    """Read a lexicon; every error is `bad_data` and says what to mend."""
    try:
        with Path(path).open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise _bad(f"cannot be read: {error.strerror}") from error
    if len(raw) > MAX_BYTES:
        raise _bad(f"is larger than {MAX_BYTES >> 20} MB")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _bad("is not UTF-8") from error
    found = _kept(_of_json(raw) if text.lstrip().startswith("{") else _of_lines(text))
    if not found:
        raise _bad("has no words: it must be a JSON object of words and lists, or lines of words with tabs between")
    return Lexicon(found)


def _of_json(raw: bytes) -> Iterator[tuple[str, list[Any]]]:
    try:
        value = parse_json(raw.removeprefix(b"\xef\xbb\xbf"))
    except (ValueError, RecursionError) as error:
        raise _bad("is not JSON, though it begins like it") from error
    for word, others in value.items():
        if not isinstance(others, str | list):
            raise _bad(f'must have a list of words for "{word[:MAX_CHARACTERS]}"')
        yield word, [others] if isinstance(others, str) else others


def _of_lines(text: str) -> Iterator[tuple[str, list[Any]]]:
    for line in text.splitlines():
        word, *others = line.split("\t")
        yield word, list(others)


def _kept(entries: Iterator[tuple[str, list[Any]]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for word, others in entries:
        name = word.strip().lower()
        texts = [other.strip() for other in others if isinstance(other, str)]
        kept = [other for other in texts if 0 < len(other) <= MAX_CHARACTERS and other.lower() != name]
        if kept and 0 < len(name) <= MAX_CHARACTERS:
            found[name] = list(dict.fromkeys([*found.get(name, []), *kept]))[:MAX_SYNONYMS]
        if len(found) > MAX_WORDS:
            raise _bad(f"has more than {MAX_WORDS} words")
    return found


def _bad(what: str) -> EngineError:
    return EngineError("bad_data", f"the lexicon {what}")
