"""How small a difference between two models a benchmark can show at all."""

import math

# Two-sided test at 5 %, found in 80 % of all cases: 1.96 + 0.84.
FACTOR = 2.8
CORRELATION = 0.5  # of two models' answers to the same questions, as it is often found


def minimum_detectable_difference(n: int, accuracy: float, correlation: float = CORRELATION) -> float:
    """Return the smallest difference in accuracy that a paired test on `n` examples is likely to find.

    Close to 0 or 1 the formula would promise too much, so the accuracy is kept away from both.
    """
    accuracy = min(max(accuracy, 0.05), 0.95)
    return FACTOR * math.sqrt(2 * accuracy * (1 - accuracy) * (1 - correlation) / n)
