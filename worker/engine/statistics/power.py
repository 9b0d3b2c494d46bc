"""How small a difference a benchmark can show."""

from math import ceil, sqrt
from statistics import NormalDist

from worker.engine.statistics.intervals import Z_95


def detectable_proportion(size: int, *, share: float = 0.5, correlation: float = 0.0, power: float = 0.8) -> float:
    """Return the smallest difference of two proportions that is found with this power at the 5 % level.

    The correlation is that of the two models' hits on the same examples; zero stands for two separate samples.
    """
    return detectable_mean(size, spread=sqrt(share * (1 - share)), correlation=correlation, power=power)


def detectable_mean(size: int, *, spread: float, correlation: float = 0.0, power: float = 0.8) -> float:
    """Return the smallest difference of two means whose examples have this standard deviation."""
    reach = Z_95 + NormalDist().inv_cdf(power)
    return reach * spread * sqrt(2 * (1 - correlation) / size)


def detectable_paired(error: float, *, power: float = 0.8) -> float:
    """Return the smallest difference that is found where its standard error on the same examples is this."""
    return (Z_95 + NormalDist().inv_cdf(power)) * error


def needed_size(difference: float, *, share: float = 0.5, correlation: float = 0.0, power: float = 0.8) -> int:
    """Return how many examples it takes to find a difference of two proportions."""
    one = detectable_proportion(1, share=share, correlation=correlation, power=power)
    return max(1, ceil((one / difference) ** 2))
