"""What p-values are worth where several differences are tested. Needs no arrays, so that anybody may load it."""

from collections.abc import Sequence


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p-values corrected for so many comparisons (Holm 1979), in the order they came."""
    order = sorted(range(len(p_values)), key=lambda index: p_values[index])
    corrected = [0.0] * len(p_values)
    highest = 0.0
    for step, index in enumerate(order):
        highest = max(highest, min(1.0, (len(order) - step) * p_values[index]))
        corrected[index] = highest
    return corrected
