"""How many texts of a test are found again word for word elsewhere: by runs of 13 words, or of 8 Chinese characters.

Runs that many rows of the test have in common are its own phrases, such as an instruction, and prove nothing. Rows too
short for a run count when one of the other texts is the same as a whole.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

WORDS, CHARACTERS = 13, 8
LEAST = 4  # words or characters, below which the same text says nothing
MAX_RUNS = 3_000_000
MAX_TEXT = 20_000
COMMON_ROWS, COMMON_SHARE = 10, 0.01
_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003134f]")
_WORD = re.compile(r"[^\W_]+")

Rows = Iterable[Sequence[str]]  # the texts of each row


@dataclass(frozen=True)
class Shared:
    """Rows that were compared, found again, and compared as a whole; rows of the others that were read."""

    tested: int
    shared: int
    short: int
    rows: int
    is_whole: bool


def shared(test: Callable[[], Rows], others: Rows) -> Shared:
    """Compare; `test` is gone through twice, so that nothing but numbers is kept of it."""
    counts: Counter[int] = Counter()
    rows, is_whole = 0, True
    for texts in test():
        rows += 1
        if len(counts) > MAX_RUNS:
            is_whole = False
            break
        counts.update(_wanted(texts)[0])
    common = max(COMMON_ROWS, COMMON_SHARE * rows)
    wanted = {run for run, count in counts.items() if count <= common}
    found: set[int] = set()
    read = 0
    for texts in others:
        read += 1
        for text in texts:
            found.update(wanted.intersection(_all_of(text)))
    tested = again = short = 0
    for number, texts in enumerate(test()):
        if number >= rows:
            break
        runs, is_short = _wanted(texts)
        if runs:
            tested += 1
            short += is_short
            again += not found.isdisjoint(runs)
    return Shared(tested, again, short, read, is_whole)


def _wanted(texts: Sequence[str]) -> tuple[set[int], bool]:
    """Return what must be found again of a row, and whether that is its longest text as a whole."""
    pieces = [_pieces(text) for text in texts]
    runs = {run for words, signs in pieces for run in (_runs(signs, CHARACTERS) if signs else _runs(words, WORDS))}
    if runs:
        return runs, False
    longest = max((signs or words for words, signs in pieces), key=len, default=())
    return ({_whole(longest)} if len(longest) >= LEAST else set()), True


def _all_of(text: str) -> Iterator[int]:
    """Return every run of a text, and the text as a whole."""
    words, signs = _pieces(text)
    yield from _runs(words, WORDS)
    yield from _runs(signs, CHARACTERS)
    for piece in (words, signs):
        if len(piece) >= LEAST:
            yield _whole(piece)


def _pieces(text: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the words of a text in one case, and its Chinese characters where it is mostly Chinese or holds some."""
    plain = unicodedata.normalize("NFKC", text[:MAX_TEXT]).casefold()
    signs = tuple(_HAN.findall(plain))
    words = tuple(_WORD.findall(plain))
    return words, signs if len(signs) >= LEAST else ()


def _runs(pieces: Sequence[str], length: int) -> Iterator[int]:
    return (hash(tuple(pieces[start : start + length])) for start in range(len(pieces) - length + 1))


def _whole(pieces: Sequence[str]) -> int:
    return hash(("whole", *pieces))
