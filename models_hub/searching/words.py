"""Texts become words, for documents and questions alike, so that every database finds the same.

English words are kept and stemmed (Snowball). Chinese has no blanks: each run of a document becomes its pairs of
neighbouring characters, which find every word without a dictionary that would miss new ones. A question is cut into
words first, so that nobody has to hold the pairs between two of them. Traditional characters count as simplified ones.
"""

import re
import threading
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

import Stemmer

from models_hub.searching import cutting
from portal.folding import simplified

RULES = 1  # raised when documents must be made anew
MAX_WORD = 40
MAX_TEXT = 20_000
MAX_QUESTION = 200
MAX_TERMS = 24
_CJK = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u3040-\u30ff\uac00-\ud7af\U00020000-\U0003134f"
_RUN = re.compile(rf"[{_CJK}]+|[^\W_{_CJK}]+")
_IS_CJK = re.compile(rf"[{_CJK}]")
# A stemmer keeps its word while it works on it: each thread has its own.
_OWN = threading.local()
# Words that say nothing; a question made of them alone keeps them.
STOP = frozenset(
    "a an and are as at be by can do for from how i in into is it my of on or that the this to was what which with "
    "的 了 和 与 及 或 在 是 有 我 你 对 从 把 被 用 于 为 个 能 一个 哪个 什么 怎么 如何 可以 能够 我要 想要".split()
)
# What nearly every repository is about: it ranks, but who lacks the word is found too where nobody has them all.
WEAK = frozenset("model models dataset datasets data set small language 模型 数据 集 数据集 语言".split())


class Term(NamedTuple):
    """One thing that a question asks for: a word, or what begins with one. `stem` finds its other forms."""

    word: str
    stem: str
    is_prefix: bool


def normalized(text: str) -> str:
    """Return a text with forms that mean the same made one: full width, ligatures, case, traditional characters."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return simplified(folded)


def is_run(text: str) -> bool:
    """Say whether a text is one run of characters without blanks, as Chinese is."""
    return (found := _RUN.match(text)) is not None and found[0] == text and _IS_CJK.match(text) is not None


def of(text: str) -> list[str]:
    """Return the words of a document in their order, with those stems that differ after their words."""
    found: list[str] = []
    for run in _RUN.findall(normalized(text[:MAX_TEXT])):
        if _IS_CJK.match(run):
            found.extend(_pairs(run))
            continue
        word = run[:MAX_WORD]
        found.append(word)
        if (stem := stem_of(word)) != word:
            found.append(stem)
    return found


def asked(text: str) -> list[Term]:
    """Return what a question asks for; a word of letters is taken for a beginning too, since readers type so."""
    terms: dict[str, Term] = {}
    for run in _RUN.findall(normalized(text[:MAX_QUESTION])):
        if _IS_CJK.match(run):
            cut = [word for word in cutting.cut(run) if word not in STOP] or [run]
            several = [word for word in cut if len(word) > 1] or cut
            terms.update((pair, Term(pair, pair, len(pair) == 1)) for word in several for pair in _asked_pairs(word))
        else:
            word = run[:MAX_WORD]
            terms[word] = Term(word, stem_of(word), len(word) > 1)
    telling = [term for word, term in terms.items() if word not in STOP]
    return (telling or list(terms.values()))[:MAX_TERMS]


@lru_cache(maxsize=20_000)
def stem_of(word: str) -> str:
    if not (word.isascii() and word.isalpha()):
        return word
    if not hasattr(_OWN, "stemmer"):
        _OWN.stemmer = Stemmer.Stemmer("english")
    return str(_OWN.stemmer.stemWord(word))


def _asked_pairs(word: str) -> list[str]:
    return [first + second for first, second in pairwise(word)] or [word]


def _pairs(run: str) -> Iterator[str]:
    if len(run) == 1:
        yield run
        return
    yield from (first + second for first, second in pairwise(run))
    # One character may be asked for alone, and the last one begins no pair.
    yield run[-1]
