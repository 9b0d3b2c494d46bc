"""What a language model finds likely: choices, pairs of sentences, and bits per byte."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from worker.engine.statistics.resampling import Array, OfSums

LN_2 = float(np.log(2))
MAX_EXPONENT = 700.0


def chosen(log_likelihoods: Sequence[float], choices: Sequence[str]) -> dict[str, int]:
    """Return which choice is the most likely: as it is, by character and by byte, as lm-eval names them.

    Of equals the first is taken.
    """
    scores = np.asarray(log_likelihoods, dtype=np.float64)
    characters = np.array([max(1, len(choice)) for choice in choices])
    sizes = np.array([max(1, len(choice.encode())) for choice in choices])
    return {
        "acc": int(np.argmax(scores)),
        "acc_norm": int(np.argmax(scores / characters)),
        "acc_bytes": int(np.argmax(scores / sizes)),
    }


def choice_accuracy(golds: Sequence[int], picks: Sequence[dict[str, int]]) -> dict[str, Array]:
    """Return 1 for each question whose right choice was taken, by each rule."""
    return {
        name: np.array([float(pick[name] == gold) for gold, pick in zip(golds, picks, strict=True)])
        for name in ("acc", "acc_norm", "acc_bytes")
    }


def bits_per_byte(log_likelihoods: Array, sizes: Array) -> OfSums:
    """Return the bits it takes to write one byte of UTF-8: the same for every tokenizer, and less is better."""
    return OfSums(np.stack([-log_likelihoods / LN_2, sizes], axis=1), _per_byte)


def byte_perplexity(log_likelihoods: Array, sizes: Array) -> OfSums:
    """Return 2 to the power of the bits per byte."""
    return OfSums(
        np.stack([-log_likelihoods / LN_2, sizes], axis=1), lambda sums: np.exp2(np.minimum(_per_byte(sums), 1000.0))
    )


def word_perplexity(log_likelihoods: Array, words: Array) -> OfSums:
    """Return the perplexity for each word; of texts without spaces between words it says nothing."""
    columns = np.stack([-log_likelihoods, words], axis=1)
    # A model that fits so badly that no number holds it gets the largest one.
    return OfSums(columns, lambda sums: np.exp(np.minimum(_per_byte(sums), MAX_EXPONENT)))


def preferred(good: Array, bad: Array) -> Array:
    """Return 1 for each pair whose good sentence is strictly the more likely one."""
    return (good > bad).astype(np.float64)


def by_group(values: Array, groups: Sequence[str]) -> list[dict[str, Any]]:
    """Return the mean of each group, such as a phenomenon of grammar, in order of name."""
    names, places = np.unique(np.array(groups, dtype=object), return_inverse=True)
    counts = np.bincount(places)
    means = np.bincount(places, weights=values) / counts
    return [
        {"group": str(name), "n": int(count), "value": float(mean)}
        for name, count, mean in zip(names, counts, means, strict=True)
    ]


def _per_byte(sums: Array) -> Array:
    return np.asarray(sums[..., 0] / sums[..., 1])
