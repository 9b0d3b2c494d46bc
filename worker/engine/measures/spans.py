"""Answers found in a passage: exact match and F1, by the rules of SQuAD and of CMRC 2018."""

import re
import string
from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np

from worker.engine.statistics.resampling import Array

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_ASCII_PUNCTUATION = str.maketrans("", "", string.punctuation)
# The signs that CMRC drops. Its list also holds "……", which is two characters and so never met.
_CMRC_SIGNS = frozenset("-:_*^/\\~`+=，。：？！“”；’《》·、「」（）－～『』")
_CHINESE = re.compile("[\u4e00-\u9fa5]")


def normalise_squad(text: str) -> str:
    """Return the text in lower case without ASCII punctuation, articles and extra space."""
    return " ".join(_ARTICLES.sub(" ", text.lower().translate(_ASCII_PUNCTUATION)).split())


def squad(golds: Sequence[Sequence[str]], predictions: Sequence[str]) -> dict[str, Array]:
    """Return exact match and word F1 of each question, the best over its references.

    A question without a reference has no answer in the passage, and the empty prediction is right (SQuAD 2).
    """
    return _scored(golds, predictions, squad_exact, squad_f1, normalise_squad)


def cmrc(golds: Sequence[Sequence[str]], predictions: Sequence[str]) -> dict[str, Array]:
    """Return exact match and F1 of each question, the best over its references, by the rules of CMRC 2018."""
    return _scored(golds, predictions, cmrc_exact, cmrc_f1, str)


def squad_exact(gold: str, prediction: str) -> float:
    """Return 1 when both texts are the same but for case, punctuation and articles."""
    return float(normalise_squad(gold) == normalise_squad(prediction))


def squad_f1(gold: str, prediction: str) -> float:
    """Return the F1 of the words of both texts."""
    wanted, answered = normalise_squad(gold).split(), normalise_squad(prediction).split()
    if not wanted or not answered:
        return float(wanted == answered)
    return _f1((Counter(wanted) & Counter(answered)).total(), len(answered), len(wanted))


def cmrc_exact(gold: str, prediction: str) -> float:
    """Return 1 when both texts are the same but for case and signs."""
    return float(_without_signs(gold) == _without_signs(prediction))


def cmrc_f1(gold: str, prediction: str) -> float:
    """Return the F1 of the longest piece that both texts share, in Chinese characters and other words."""
    wanted, answered = segment_cmrc(gold), segment_cmrc(prediction)
    return _f1(longest_common_piece(wanted, answered), len(answered), len(wanted))


def segment_cmrc(text: str) -> list[str]:
    """Return Chinese characters one by one and what stands between them as words, without signs.

    A dropped sign does not part words: `ab-cd` is one word. That is the rule of the official script.
    """
    pieces: list[str] = []
    word = ""
    for character in text.lower().strip():
        if character in _CMRC_SIGNS:
            continue
        if _CHINESE.match(character):
            pieces += [*words_of(word), character]
            word = ""
        else:
            word += character
    return pieces + words_of(word)


# What the Penn Treebank splits off: quotes, brackets, signs, contractions and the last full stop, but not the
# points and commas within numbers and abbreviations.
_TREEBANK = [
    (re.compile(r"([«“‘„]|`+)"), r" \1 "),
    (re.compile(r'^"'), r" `` "),
    (re.compile(r"([ (\[{<])(\"|'')"), r"\1 `` "),
    (re.compile(r"(?i)(?<!\w)(')(?!(?:re|ve|ll|m|t|s|d|n)\b)(?=\w)"), r"\1 "),
    (re.compile(r"([^.])(\.)([\])}>\"'»”’ ]*)\s*$"), r"\1 \2 \3 "),
    (re.compile(r"([:,])(?=\D|$)"), r" \1 "),
    (re.compile(r"(\.{2,}|[;@#$%&?!*\u2012-\u2015])"), r" \1 "),
    (re.compile(r"([^'])' "), r"\1 ' "),
    (re.compile(r"([\]\[(){}<>]|--)"), r" \1 "),
    (re.compile(r"\A(.*)\Z", re.DOTALL), r" \1 "),
    (re.compile(r"([»”’]|'')"), r" \1 "),
    (re.compile(r'"'), r" '' "),
    (re.compile(r"(?i)([^' ])('[smd]|'|'ll|'re|'ve|n't) "), r"\1 \2 "),
    (re.compile(r"(?i)\b(can|gim|gon|got|lem|wan)(not|me|na|ta)\b"), r" \1 \2 "),
    (re.compile(r"(?i)\b(d|more)('ye|'n)\b"), r" \1 \2 "),
    (re.compile(r"(?i) ('t)(is|was)\b"), r" \1 \2 "),
]


def words_of(text: str) -> list[str]:
    """Return the words of a text without Chinese, as the Penn Treebank parts them."""
    for pattern, replacement in _TREEBANK:
        text = pattern.sub(replacement, text)
    return text.split()


def longest_common_piece(first: Sequence[str], second: Sequence[str]) -> int:
    """Return the length of the longest run of neighbours that both have."""
    if not first or not second:
        return 0
    numbers = {word: number for number, word in enumerate(dict.fromkeys(second))}
    row = np.array([numbers[word] for word in second])
    lengths = np.zeros(len(second) + 1, dtype=np.intp)
    best = 0
    for word in first:
        lengths[1:] = np.where(row == numbers.get(word, -1), lengths[:-1] + 1, 0)
        best = max(best, int(lengths.max()))
    return best


def _scored(
    golds: Sequence[Sequence[str]],
    predictions: Sequence[str],
    exact: Callable[[str, str], float],
    f1: Callable[[str, str], float],
    normalise: Callable[[str], str],
) -> dict[str, Array]:
    scores = np.zeros((len(golds), 2))
    for place, (references, prediction) in enumerate(zip(golds, predictions, strict=True)):
        # A reference of which nothing is left once normalised can only be met by chance.
        wanted = [text for text in references if normalise(text)]
        if wanted:
            best = [max(rule(text, prediction) for text in wanted) for rule in (exact, f1)]
        else:
            best = [exact("", prediction)] * 2
        scores[place] = best
    return {"exact_match": scores[:, 0], "f1": scores[:, 1]}


def _without_signs(text: str) -> str:
    return "".join(character for character in text.lower().strip() if character not in _CMRC_SIGNS)


def _f1(shared: int, answered: int, wanted: int) -> float:
    return 2 * shared / (answered + wanted) if shared else 0.0
