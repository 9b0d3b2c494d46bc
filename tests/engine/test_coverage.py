"""Intervals that say 95 % hold the truth in 93 to 97 of 100 samples; `benchmarks/coverage.py` draws many more."""

import pytest

from benchmarks.coverage import CASES, coverage

# Replicates and bootstrap draws: as many as a second allows.
CHEAP, COSTLY = (3000, 0), (500, 400)


@pytest.mark.parametrize("name", CASES)
def test_intervals_hold_the_truth_as_often_as_they_say(name):
    bootstrapped = name.startswith(("macro", "Spearman"))
    replicates, draws = COSTLY if bootstrapped else CHEAP
    assert 0.93 <= coverage(CASES[name], replicates=replicates, draws=draws) <= 0.97
