"""Short answers written by a model: the same text, or the same number."""

import re
import string
import unicodedata
from collections.abc import Sequence
from decimal import Decimal

import numpy as np

from worker.engine.statistics.resampling import Array

MARKER = "####"
_NUMBER = re.compile(r"-?[0-9][0-9,]{0,40}(?:\.[0-9]{1,40})?|-?\.[0-9]{1,40}")
_CHINESE_SIGNS = "，。？！；：、“”‘’（）《》〈〉【】「」『』…—～·"
_SIGNS = str.maketrans("", "", string.punctuation + _CHINESE_SIGNS)


def normalised(text: str, *, ignore_case: bool = True, ignore_punctuation: bool = True) -> str:
    """Return the text with one kind of width and space, and without what is not to count."""
    text = unicodedata.normalize("NFKC", text)
    if ignore_case:
        text = text.casefold()
    if ignore_punctuation:
        text = text.translate(_SIGNS)
    return " ".join(text.split())


def exact_match(
    golds: Sequence[Sequence[str]],
    predictions: Sequence[str],
    *,
    ignore_case: bool = True,
    ignore_punctuation: bool = True,
) -> Array:
    """Return 1 for each answer that equals one of its references."""
    found = []
    for references, prediction in zip(golds, predictions, strict=True):
        texts = [
            normalised(text, ignore_case=ignore_case, ignore_punctuation=ignore_punctuation)
            for text in (prediction, *references)
        ]
        found.append(float(texts[0] in texts[1:]))
    return np.array(found)


def number_in(text: str) -> Decimal | None:
    """Return the number that an answer comes to: the first one after `####`, else the last one of all.

    That is how GSM8K marks its solutions, and how models without the habit are read.
    """
    text = unicodedata.normalize("NFKC", text)
    _, marker, marked = text.rpartition(MARKER)
    found = _NUMBER.findall(marked)
    if not found:
        return None
    return Decimal((found[0] if marker else found[-1]).replace(",", ""))


def same_number(golds: Sequence[str], predictions: Sequence[str]) -> Array:
    """Return 1 for each answer whose number equals that of the reference: 18, 18.0 and 18.00 are one."""
    found = []
    for gold, prediction in zip(golds, predictions, strict=True):
        wanted, answered = number_in(gold), number_in(prediction)
        found.append(float(answered is not None and answered == wanted))
    return np.array(found)
