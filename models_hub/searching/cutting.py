"""Runs of Chinese characters are cut into words, as jieba does it without guessing new ones.

The dictionary is jieba's (0.42.1, by Sun Junyi, MIT licence), written by `manage.py write_chinese_words`. It is kept as
it lies in its file, bytes in a block for each first character: libraries make objects of each of its 350,000 words,
30 MB in the web process.
"""

import gzip
from functools import cache
from math import log
from pathlib import Path

WORDS = Path(__file__).with_name("chinese_words.gz")
LONGEST = 16  # characters; nothing longer is in the dictionary


def cut(run: str) -> list[str]:
    """Return the words of a run of characters: of all ways to cut it, the one whose words are the commonest."""
    ends = len(run)
    best, chosen = [0.0] * (ends + 1), [0] * ends
    for start in range(ends - 1, -1, -1):
        found = _counts(run[start : start + LONGEST]) or {1: 1}
        best[start], chosen[start] = max(
            (log(count) - _log_total() + best[start + length], start + length) for length, count in found.items()
        )
    words, at = [], 0
    while at < ends:
        words.append(run[at : chosen[at]])
        at = chosen[at]
    return words


def load() -> None:
    """Read the dictionary now, before the processes part."""
    _dictionary()


def _counts(text: str) -> dict[int, int]:
    """Return the lengths of words that the text begins with, and how often each of them was counted."""
    block = _dictionary().get(text[0], b"")
    found = {}
    for length in range(1, len(text) + 1):
        line = b"\n" + text[1:length].encode()
        at = block.find(line)
        if at < 0:
            break
        at += len(line)
        if block[at : at + 1] == b" ":  # lines are in order: the word itself comes before those that begin with it
            found[length] = int(block[at : block.index(b"\n", at)])
    return found


@cache
def _dictionary() -> dict[str, bytes]:
    """Return for each first character its words, each without it and with its count in a line: "\n 12\n国 34\n"."""
    blocks = gzip.decompress(WORDS.read_bytes()).split(b"\n\n")
    heads = (block.partition(b"\n") for block in blocks[1:])
    return {head.decode(): b"\n" + lines + b"\n" for head, _, lines in heads}


@cache
def _log_total() -> float:
    """Return the logarithm of the count of all words, which the file begins with."""
    with gzip.open(WORDS) as file:
        return log(int(file.readline()))
