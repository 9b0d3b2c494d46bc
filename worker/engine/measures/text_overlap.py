"""Texts against reference texts: BLEU and chrF++ by sacrebleu, and ROUGE with words or Chinese characters."""

import importlib
import re
from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from worker.engine.measures.ratios import ratio
from worker.engine.statistics.resampling import Array, OfSums

# Those of sacrebleu that neither download a model nor need another library.
Tokenization = Literal["13a", "intl", "zh", "char"]
RougeTokenization = Literal["words", "zh"]

_ORDERS = 4
_BETA_SQUARED = 4.0
_WORDS = re.compile(r"[a-z0-9]+")
_CHINESE_OR_WORDS = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]|[a-z0-9]+")


@dataclass(frozen=True)
class Overlap:
    """A number from 0 to 1 that can be resampled, and the signature that says how it was computed."""

    statistic: OfSums
    signature: str


def bleu(predictions: Sequence[str], references: Sequence[Sequence[str]], tokenization: Tokenization) -> Overlap:
    """Return corpus BLEU with sacrebleu's defaults but for the tokenization."""
    metric = _metric("bleu", "BLEU", tokenize=tokenization, force=True)
    counts = _counts(metric, predictions, references)
    return Overlap(OfSums(counts, bleu_of), metric.get_signature().format())


def chrf(predictions: Sequence[str], references: Sequence[Sequence[str]]) -> Overlap:
    """Return corpus chrF++: characters up to six in a row and words up to two."""
    metric = _metric("chrf", "CHRF", word_order=2)
    counts = _counts(metric, predictions, references)
    return Overlap(OfSums(counts, chrf_of), metric.get_signature().format())


def _metric(module: str, name: str, **options: Any) -> Any:
    # It brings clients of XML and Redis along, which every process of every other kind of task would wait for.
    return getattr(importlib.import_module(f"sacrebleu.metrics.{module}"), name)(**options)


def bleu_of(sums: Array) -> Array:
    """Return BLEU from sums (..., 10): length, reference length, right n-grams, n-grams; exponential smoothing."""
    length, wanted = sums[..., 0], sums[..., 1]
    right, total = sums[..., 2 : 2 + _ORDERS], sums[..., 2 + _ORDERS :]
    # Each order without a hit counts half of what the one before did.
    misses = np.cumsum(right == 0, axis=-1)
    precisions = ratio(np.where(right > 0, right, 0.5**misses), total)
    logs = np.log(np.where(precisions > 0, precisions, 1.0)).mean(axis=-1)
    brevity = np.exp(np.minimum(0.0, 1.0 - ratio(wanted, length)))
    scored = (right.sum(axis=-1) > 0) & (precisions > 0).all(axis=-1)
    return np.where(scored, brevity * np.exp(logs), 0.0)


def chrf_of(sums: Array) -> Array:
    """Return chrF from sums (..., 3 * orders): n-grams, n-grams of the reference and shared ones, for each order."""
    grouped = sums.reshape(*sums.shape[:-1], -1, 3)
    answered, wanted, shared = np.moveaxis(grouped, -1, 0)
    counted = (answered > 0) & (wanted > 0)
    orders = counted.sum(axis=-1)
    precision = ratio((ratio(shared, answered) * counted).sum(axis=-1), orders)
    recall = ratio((ratio(shared, wanted) * counted).sum(axis=-1), orders)
    return ratio((1 + _BETA_SQUARED) * precision * recall, _BETA_SQUARED * precision + recall)


def rouge(
    predictions: Sequence[str], references: Sequence[Sequence[str]], tokenization: RougeTokenization
) -> dict[str, Array]:
    """Return the F1 of ROUGE-1, ROUGE-2 and ROUGE-L of each text, the best over its references, unstemmed."""
    scores = np.zeros((len(predictions), 3))
    for row, (prediction, texts) in enumerate(zip(predictions, references, strict=True)):
        answered = rouge_tokens(prediction, tokenization)
        for text in texts:
            wanted = rouge_tokens(text, tokenization)
            found = (_ngram_f1(wanted, answered, 1), _ngram_f1(wanted, answered, 2), _lcs_f1(wanted, answered))
            scores[row] = np.maximum(scores[row], found)
    return {name: scores[:, column] for column, name in enumerate(("rouge1", "rouge2", "rougeL"))}


def rouge_tokens(text: str, tokenization: RougeTokenization) -> list[str]:
    """Return words of ASCII letters and digits, as the reference does, or Chinese characters and such words.

    The reference finds no token at all in Chinese and gives every summary 0.
    """
    pattern = _WORDS if tokenization == "words" else _CHINESE_OR_WORDS
    return pattern.findall(text.lower())


def longest_common_subsequence(first: Sequence[Hashable], second: Sequence[Hashable]) -> int:
    """Return its length, by the bits of one long number for each row (Allison and Dix 1986)."""
    places: dict[Hashable, int] = {}
    for place, token in enumerate(first):
        places[token] = places.get(token, 0) | 1 << place
    row = 0
    for token in second:
        candidates = row | places.get(token, 0)
        row = candidates & ~(candidates - (row << 1 | 1))
    return row.bit_count()


def _counts(metric: Any, predictions: Sequence[str], references: Sequence[Sequence[str]]) -> Array:
    """Return what sacrebleu counts in each text; it keeps that to itself, so its version is held to one minor."""
    most = max(len(texts) for texts in references)
    # A text with fewer references than others has None for the rest.
    streams = [[texts[place] if place < len(texts) else None for texts in references] for place in range(most)]
    return np.array(metric._extract_corpus_statistics(predictions, streams), dtype=np.float64)


def _ngram_f1(wanted: list[str], answered: list[str], order: int) -> float:
    ours, theirs = _ngrams(answered, order), _ngrams(wanted, order)
    shared = (ours & theirs).total()
    return 2 * shared / (ours.total() + theirs.total()) if shared else 0.0


def _ngrams(tokens: list[str], order: int) -> Counter[tuple[str, ...]]:
    return Counter(zip(*(tokens[start:] for start in range(order)), strict=False))


def _lcs_f1(wanted: list[str], answered: list[str]) -> float:
    shared = longest_common_subsequence(wanted, answered)
    return 2 * shared / (len(wanted) + len(answered)) if shared else 0.0
