"""Scales of charts: from numbers to places, and the round numbers that are written beside them."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

STEPS = (1, 2, 5, 10)
MOST_TICKS = 7


@dataclass(frozen=True)
class Tick:
    """A round number and its place in per cent."""

    at: float
    text: str


@dataclass(frozen=True)
class Axis:
    """A scale from `low` to `high`."""

    low: float
    high: float
    is_log: bool
    ticks: Sequence[Tick]

    @property
    def down(self) -> list[Tick]:
        """The round numbers by their places from the top."""
        return [Tick(round(100 - tick.at, 2), tick.text) for tick in self.ticks]

    def at(self, number: float) -> float:
        """Return the place of a number in per cent of the way from low to high; at an end for what lies beyond it."""
        return _at(number, self.low, self.high, is_log=self.is_log)


def plain(number: float) -> str:
    """Write a number as it is; a sum of steps that should be zero is zero."""
    return f"{0 if math.isclose(number, 0, abs_tol=1e-9) else number:g}"


def linear(numbers: Iterable[float], write: Callable[[float], str], *, with_zero: bool = False) -> Axis:
    """Return a scale between round numbers that holds all of these."""
    known = [*numbers, *([0.0] if with_zero else [])] or [0.0, 1.0]
    low, high = min(known), max(known)
    if low == high:
        low, high = low - 0.5, high + 0.5
    step = _step((high - low) / (MOST_TICKS - 1))
    first, last = math.floor(low / step), math.ceil(high / step)
    marks = [number * step for number in range(first, last + 1)]
    return _axis(marks[0], marks[-1], marks, write, is_log=False)


def logarithmic(numbers: Iterable[float], write: Callable[[float], str]) -> Axis:
    """Return a scale on which equal ways are equal factors; numbers must be above zero."""
    known = [number for number in numbers if number > 0] or [1.0, 10.0]
    low, high = min(known) / 1.4, max(known) * 1.4
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    span = math.log10(high / low)
    factors: Sequence[float] = (1, 2, 5) if span < 2.2 else (1, 3) if span < 4 else (1,)
    marks = [factor * 10.0**decade for decade in decades for factor in factors if low <= factor * 10.0**decade <= high]
    return _axis(low, high, marks, write, is_log=True)


def ranks(best: int, worst: int) -> Axis:
    """Return a scale of whole ranks; the first one is always written."""
    step = max(1, round(_step(max(worst - best, 1) / (2 * MOST_TICKS))))
    marks = [best, *(rank for rank in range(best + 1, worst + 1) if rank % step == 0 and rank - best >= step / 2)]
    return _axis(best - 0.5, worst + 0.5, marks, plain, is_log=False)


def days(numbers: Sequence[float], write: Callable[[float], str]) -> Axis:
    """Return a scale of moments in seconds, with some of them written."""
    low, high = min(numbers), max(numbers)
    if high - low < 86_400:
        low, high = low - 43_200, high + 43_200
    pad = (high - low) / 40
    return _axis(low - pad, high + pad, [low + share * (high - low) / 4 for share in range(5)], write, is_log=False)


def _axis(low: float, high: float, marks: Iterable[float], write: Callable[[float], str], *, is_log: bool) -> Axis:
    ticks = [Tick(_at(mark, low, high, is_log=is_log), write(mark)) for mark in marks]
    return Axis(low, high, is_log, ticks)


def _at(number: float, low: float, high: float, *, is_log: bool) -> float:
    if is_log:
        number, low, high = (math.log(max(one, 1e-300)) for one in (number, low, high))
    return round(100 * min(max((number - low) / (high - low), 0.0), 1.0), 2)


def _step(least: float) -> float:
    """Return the smallest round step of at least so much."""
    power = 10.0 ** math.floor(math.log10(least))
    return float(next(step * power for step in STEPS if step * power >= least * (1 - 1e-9)))
