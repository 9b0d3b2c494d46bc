"""What of public scores is shown: too little to find out answers by sending many guesses.

The ladder rule (Blum and Hardt 2015, “The Ladder: A Reliable Leaderboard for Machine Learning Competitions”): another
score is shown only when it is better than the one shown before by more than the standard error of the difference, and
what is shown is rounded.
"""

import math

Z_95 = 1.959963984540054
COARSEST = 1.0
ROUNDING = 1e-6
USUAL = 0.01  # where there is no spread to go by, as with a perfect score


def standard_error(low: float, high: float) -> float:
    """Return the standard error that a 95 % interval was made from, or would have been."""
    return (high - low) / (2 * Z_95)


def unit_of(low: float | None, high: float | None) -> float:
    """Return how finely a score may be told: the power of ten at or below its standard error."""
    if low is None or high is None or high <= low:
        return USUAL
    error = standard_error(low, high)
    return min(float(10.0 ** math.floor(math.log10(error) + 1e-9)), COARSEST)


def rounded(value: float, unit: float) -> float:
    """Return the multiple of the unit that is nearest."""
    places = max(0, -math.floor(math.log10(unit) + 1e-9))
    return round(round(value / unit) * unit, places)


def is_improvement(difference: float, low: float, high: float, *, lower_is_better: bool) -> bool:
    """Say whether a difference to the shown score, new minus shown, is more than its standard error.

    `low` and `high` are the 95 % interval of the difference on the same rows.
    """
    gain = -difference if lower_is_better else difference
    # One more right answer is exactly its own standard error, which rounding must not make an improvement.
    return gain > 0 and gain > standard_error(low, high) * (1 + ROUNDING)
