"""Intervals equal what is computed by hand or by scipy, and are fixed by their seed."""

import numpy as np
import pytest
from scipy import stats

from worker.engine.statistics import intervals, resampling
from worker.engine.statistics.resampling import OfSums, mean_of


@pytest.mark.parametrize(("hits", "total"), [(81, 263), (0, 5), (5, 5), (1, 1), (999, 1000), (15, 148)])
def test_wilson_equals_scipy(hits, total):
    expected = stats.binomtest(hits, total).proportion_ci(0.95, method="wilson")
    found = intervals.wilson(hits, total)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=1e-9)
    assert found.value == hits / total


def test_wilson_equals_the_published_example():
    # Newcombe (1998): 81 of 263 has the 95 % score interval 0.2553 to 0.3662.
    found = intervals.wilson(81, 263)
    assert (round(found.low, 4), round(found.high, 4)) == (0.2553, 0.3662)


def test_mean_equals_the_hand_computed_interval():
    # Mean 2.5; squared deviations add up to 5; 5 / (4 * 3) under the root.
    found = intervals.mean(np.array([1.0, 2.0, 3.0, 4.0]))
    spread = 1.959963984540054 * (5 / 12) ** 0.5
    assert (found.value, found.low, found.high) == pytest.approx((2.5, 2.5 - spread, 2.5 + spread), abs=1e-12)


def test_mean_equals_scipy():
    values = np.random.RandomState(1).gamma(2.0, size=300)
    low, high = stats.norm.interval(0.95, loc=values.mean(), scale=stats.sem(values))
    found = intervals.mean(values)
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-9)


def test_a_single_value_has_no_spread():
    assert intervals.mean(np.array([0.7])) == intervals.Interval(0.7, 0.7, 0.7, "normal")


def test_clustered_equals_the_hand_computed_interval():
    # Mean 0.5; the deviations of the clusters add up to 1, -1 and 0; (1/6) * sqrt(1 + 1 + 0).
    found = intervals.clustered(np.array([1.0, 1, 0, 0, 1, 0]), np.array([0, 0, 1, 1, 2, 2]))
    spread = 1.959963984540054 * 2**0.5 / 6
    assert (found.low, found.high) == pytest.approx((0.5 - spread, 0.5 + spread), abs=1e-12)


def test_clusters_of_one_are_the_plain_error_but_for_the_lost_degree_of_freedom():
    values = np.random.RandomState(2).rand(50)
    plain = intervals.standard_error(values)
    assert intervals.standard_error(values, np.arange(50)) == pytest.approx(plain * (49 / 50) ** 0.5, abs=1e-12)


def test_percentile_bootstrap_of_a_mean_is_the_normal_interval():
    values = np.random.RandomState(3).normal(size=400)
    boot = intervals.bootstrap({"mean": mean_of(values)}, 400, draws=4000, seed=1)["mean"]
    normal = intervals.mean(values)
    assert (boot.value, boot.low, boot.high) == pytest.approx((normal.value, normal.low, normal.high), abs=0.006)


def test_bca_equals_scipy_on_the_same_kind_of_draws():
    values = np.random.RandomState(4).lognormal(size=80)
    expected = stats.bootstrap(
        (values,), np.mean, n_resamples=20000, method="BCa", random_state=np.random.RandomState(9)
    ).confidence_interval
    found = intervals.bca(mean_of(values), 80, draws=20000, seed=3)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=0.02)


def test_bca_equals_a_slow_computation_with_the_same_draws():
    values = np.random.RandomState(5).lognormal(size=30)
    found = intervals.bca(mean_of(values), 30, draws=600, seed=7)
    random = np.random.RandomState(7)
    means = np.array([values[row].mean() for row in random.randint(0, 30, size=(600, 30), dtype=np.int64)])
    bias = stats.norm.ppf((means < values.mean()).mean())
    without = np.array([np.delete(values, place).mean() for place in range(30)])
    lean = without.mean() - without
    acceleration = (lean**3).sum() / (6 * (lean**2).sum() ** 1.5)
    shifted = bias + stats.norm.ppf([0.025, 0.975])
    levels = 100 * stats.norm.cdf(bias + shifted / (1 - acceleration * shifted))
    assert (found.low, found.high) == pytest.approx(tuple(np.percentile(means, levels)), abs=1e-9)


def test_bca_of_a_number_that_never_moves_is_that_number():
    assert intervals.bca(mean_of(np.ones(9)), 9, draws=100, seed=0).low == 1.0


def test_draws_are_fixed_by_their_seed():
    statistic = mean_of(np.arange(20.0))
    found = intervals.bootstrap({"m": statistic}, 20, draws=500, seed=5)["m"]
    # The stream of numpy's RandomState is frozen, so these numbers may never change.
    assert (found.low, found.high) == pytest.approx((6.9, 11.92625), abs=1e-12)
    assert found != intervals.bootstrap({"m": statistic}, 20, draws=500, seed=6)["m"]


@pytest.mark.parametrize("clusters", [None, np.arange(20) // 4])
def test_draws_do_not_depend_on_how_many_are_held_at_once(monkeypatch, clusters):
    whole = np.concatenate(list(resampling.draws_of(20, draws=50, seed=5, clusters=clusters)))
    monkeypatch.setattr(resampling, "CHUNK_NUMBERS", 140)
    pieces = list(resampling.draws_of(20, draws=50, seed=5, clusters=clusters))
    assert len(pieces) > 5
    assert np.concatenate(pieces).tolist() == whole.tolist()


def test_each_draw_holds_as_many_examples_as_there_are():
    for weights in resampling.draws_of(30, draws=40, seed=0):
        assert set(weights.sum(axis=1)) == {30.0}


def test_clusters_are_drawn_whole():
    clusters = np.array([0, 0, 1, 2, 2, 2])
    for weights in resampling.draws_of(6, draws=100, seed=0, clusters=clusters):
        assert (weights[:, 0] == weights[:, 1]).all()
        assert (weights[:, 3] == weights[:, 5]).all()
        assert (weights[:, [0, 2, 3]].sum(axis=1) == 3).all()


def test_jackknife_leaves_each_example_out_once():
    values = np.array([1.0, 2.0, 6.0])
    assert resampling.without_each(mean_of(values), 3).tolist() == [4.0, 3.5, 1.5]
    assert resampling.without_each(mean_of(values), 3, clusters=np.array([0, 0, 1])).tolist() == [6.0, 1.5]


def test_a_number_of_sums_is_that_of_the_drawn_examples():
    random = np.random.RandomState(0)
    counts = random.randint(0, 9, size=(25, 2)).astype(float)
    ratio = OfSums(counts, lambda sums: sums[..., 0] / sums[..., 1])
    weights = np.concatenate(list(resampling.draws_of(25, draws=10, seed=1)))
    for weight, found in zip(weights, ratio.resampled(weights), strict=True):
        drawn = np.repeat(counts, weight.astype(int), axis=0)
        assert found == pytest.approx(drawn[:, 0].sum() / drawn[:, 1].sum(), abs=1e-12)
