"""Correlations equal scipy's, also when examples are drawn anew."""

import warnings

import numpy as np
import pytest
from scipy import stats

from tests.engine.real_data import rows_of
from worker.engine.measures.correlation import Spearman, errors, pearson
from worker.engine.statistics.resampling import draws_of


def cases() -> list[tuple[np.ndarray, np.ndarray]]:
    random = np.random.RandomState(0)
    x = random.normal(size=120)
    return [
        (x, x + random.normal(size=120)),
        (np.round(x), np.round(x + random.normal(size=120))),
        (x + 1e6, -x * 1e-4 + 7),
        (random.randint(0, 3, 40).astype(float), random.rand(40)),
    ]


@pytest.mark.parametrize(("x", "y"), cases())
def test_correlations_equal_scipy(x, y):
    assert pearson(x, y).value() == pytest.approx(stats.pearsonr(x, y).statistic, abs=1e-9)
    assert Spearman(x, y).value() == pytest.approx(stats.spearmanr(x, y).statistic, abs=1e-9)


@pytest.mark.parametrize(("x", "y"), cases())
def test_resampled_correlations_are_those_of_the_drawn_examples(x, y):
    weights = next(draws_of(len(x), draws=25, seed=2))
    linear, ranked = pearson(x, y).resampled(weights), Spearman(x, y).resampled(weights)
    for row, weight in enumerate(weights):
        drawn = np.repeat(np.arange(len(x)), weight.astype(int))
        assert linear[row] == pytest.approx(stats.pearsonr(x[drawn], y[drawn]).statistic, abs=1e-9)
        assert ranked[row] == pytest.approx(stats.spearmanr(x[drawn], y[drawn]).statistic, abs=1e-9)


@pytest.mark.parametrize("name", ["noncommercial/stsb_en", "noncommercial/stsb_zh"])
def test_similarity_on_real_data_equals_scipy(name):
    rows = rows_of(name)
    gold = np.array([row["score"] for row in rows])
    # Shared characters over all: quick, rough, and with many ties.
    pairs = [(set(row["text1"].lower()), set(row["text2"].lower())) for row in rows]
    found = np.array([len(a & b) / len(a | b) for a, b in pairs])
    assert Spearman(gold, found).value() == pytest.approx(stats.spearmanr(gold, found).statistic, abs=1e-9)
    assert pearson(gold, found).value() == pytest.approx(stats.pearsonr(gold, found).statistic, abs=1e-9)
    assert Spearman(gold, found).value() > 0.3


def test_hand_computed_ranks_with_ties():
    # Ranks 1, 2.5, 2.5, 4 and 1, 2, 3, 4: 4.5 over sqrt(4.5 * 5).
    statistic = Spearman(np.array([1.0, 5, 5, 9]), np.array([1.0, 2, 3, 4]))
    assert statistic.value() == pytest.approx(4.5 / (4.5 * 5) ** 0.5, abs=1e-12)


def test_what_never_moves_correlates_with_nothing():
    moving, still = np.arange(10.0), np.full(10, 0.1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert pearson(moving, still).value() == 0.0
        assert Spearman(moving, still).value() == 0.0
        # Draws that hold one example alone must not divide by nothing either.
        alone = np.zeros((1, 10))
        alone[0, 3] = 10
        assert pearson(moving, moving**2).resampled(alone)[0] == 0.0
        assert Spearman(moving, moving**2).resampled(alone)[0] == 0.0


def test_errors_are_counted_for_each_example():
    found = errors(np.array([1.0, 2.0]), np.array([3.0, 1.5]))
    assert found["squared_error"].tolist() == [4.0, 0.25]
    assert found["absolute_error"].tolist() == [2.0, 0.5]
