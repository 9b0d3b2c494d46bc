"""The ladder rule by hand: what is shown of public scores, and what many guesses gain by it."""

import numpy as np
import pytest

from leaderboard.challenges import ladder
from worker.engine.statistics.paired import paired_normal


def improves(before: list[int], after: list[int], *, lower_is_better: bool = False) -> bool:
    found = paired_normal(np.array(after, dtype=float), np.array(before, dtype=float))
    return ladder.is_improvement(found.difference, found.low, found.high, lower_is_better=lower_is_better)


def test_one_more_right_answer_is_its_own_standard_error_and_no_improvement() -> None:
    # Differences 1, 0, 0, 0: their mean is 1/4, and so is sqrt((9/16 + 3/16) / (4 * 3)).
    assert not improves([0, 0, 1, 1], [1, 0, 1, 1])


def test_two_more_right_answers_of_four_are_more_than_the_standard_error() -> None:
    # The mean is 1/2, the standard error sqrt(1 / (4 * 3)) = 0.289.
    assert improves([0, 0, 1, 1], [1, 1, 1, 1])


def test_gains_and_losses_cancel_out() -> None:
    # Differences 1, 1, -1, 0: the mean 1/4 is below sqrt(2.75 / (4 * 3)) = 0.479.
    assert not improves([0, 0, 1, 1], [1, 1, 0, 1])


def test_an_equal_or_a_worse_one_is_no_improvement() -> None:
    assert not improves([1, 0, 1, 0], [1, 0, 1, 0])
    assert not improves([1, 1, 1, 1], [0, 0, 1, 1])


def test_of_errors_the_smaller_one_is_better() -> None:
    assert improves([1, 1, 1, 0], [0, 0, 0, 0], lower_is_better=True)
    assert not improves([0, 0, 0, 0], [1, 1, 1, 0], lower_is_better=True)


@pytest.mark.parametrize(
    ("value", "low", "high", "shown"),
    [
        (0.83456, 0.80, 0.87, 0.83),  # the standard error is 0.018: two places
        (0.83456, 0.828, 0.841, 0.835),  # 0.0033: three
        (0.83456, 0.5, 1.0, 0.8),  # 0.128: one
        (1.0, 1.0, 1.0, 1.0),
        (12.3456, 11, 14, 12.3),
    ],
)
def test_a_score_is_told_as_finely_as_its_standard_error(value: float, low: float, high: float, shown: float) -> None:
    assert ladder.rounded(value, ladder.unit_of(low, high)) == shown


def test_guessing_gains_next_to_nothing() -> None:
    """Blum and Hardt's attack: random guesses, of which those that look better than chance vote in the end."""
    random = np.random.RandomState(3)
    truth = random.randint(0, 2, 200)
    guesses = random.randint(0, 2, (300, 200))
    right = (guesses == truth).astype(float)
    naive = np.array([row.mean() for row in right])
    best, shown = right[0], [right[0].mean()]
    for row in right[1:]:
        if improves(list(best), list(row)):
            best = row
            shown.append(row.mean())
    attacked = (guesses[naive > 0.5].mean(axis=0) > 0.5).astype(int)
    assert (attacked == truth).mean() > 0.7, "with every score shown, the vote learns the answers"
    assert len(shown) <= 8, "of 300 guesses a handful is told anything about"
