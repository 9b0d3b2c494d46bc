"""Comparisons of two models equal scipy's tests and what is computed by hand."""

import itertools

import numpy as np
import pytest
from scipy import stats

from worker.engine.statistics import paired, power
from worker.engine.statistics.resampling import mean_of


@pytest.mark.parametrize(("only_a", "only_b"), [(0, 0), (1, 0), (5, 5), (3, 11), (40, 61), (700, 801), (9000, 9400)])
def test_exact_mcnemar_equals_the_binomial_test(only_a, only_b):
    total = only_a + only_b
    expected = stats.binomtest(only_a, total).pvalue if total else 1.0
    assert paired.exact_mcnemar(only_a, only_b) == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_exact_mcnemar_equals_the_hand_computed_value():
    # 2 * (1 + 8 + 28) / 2**8.
    assert paired.exact_mcnemar(2, 6) == pytest.approx(74 / 256, abs=1e-12)


def test_mcnemar_counts_only_where_one_alone_is_right():
    a, b = np.array([1.0] * 6 + [0.0] * 2 + [1.0] * 50), np.array([0.0] * 6 + [1.0] * 2 + [1.0] * 50)
    found = paired.mcnemar(a, b)
    assert found.p == pytest.approx(74 / 256, abs=1e-12)
    assert found.difference == pytest.approx(4 / 58)


def test_paired_normal_equals_the_hand_computed_value():
    # Differences 1, 0, 1, 0: mean 0.5, squared deviations add up to 1, error sqrt(1 / 12).
    found = paired.paired_normal(np.array([1.0, 1, 1, 0]), np.array([0.0, 1, 0, 0]))
    error = (1 / 12) ** 0.5
    assert found.low == pytest.approx(0.5 - 1.959963984540054 * error, abs=1e-12)
    assert found.p == pytest.approx(2 * stats.norm.sf(0.5 / error), abs=1e-12)


def test_a_pair_is_told_apart_where_separate_samples_are_not():
    # The measured example: the variance of a difference is that of both less twice what they share.
    random = np.random.RandomState(0)
    hard = random.normal(size=2000)
    a = (hard + random.normal(size=2000) < 0.62).astype(float)
    b = (hard + random.normal(size=2000) < 0.50).astype(float)
    found = paired.paired_normal(a, b)
    together = np.cov(a, b)
    error = ((together[0, 0] + together[1, 1] - 2 * together[0, 1]) / 2000) ** 0.5
    assert (found.high - found.low) / 2 == pytest.approx(1.959963984540054 * error, abs=1e-9)
    assert error < ((together[0, 0] + together[1, 1]) / 2000) ** 0.5


def test_equal_models_are_not_told_apart():
    same = np.array([1.0, 0.0, 1.0])
    assert paired.paired_normal(same, same).p == 1.0
    assert paired.mcnemar(same, same).p == 1.0
    assert paired.paired_permutation(same, same, draws=100, seed=0).p == 1.0
    assert paired.paired_bootstrap(mean_of(same), mean_of(same), 3, draws=100, seed=0).p == 1.0


def test_clusters_widen_the_interval():
    random = np.random.RandomState(1)
    shift = np.repeat(random.normal(size=40), 5)
    a = shift + random.normal(size=200) * 0.1
    clusters = np.repeat(np.arange(40), 5)
    plain, careful = paired.paired_normal(a, np.zeros(200)), paired.paired_normal(a, np.zeros(200), clusters)
    assert careful.high - careful.low > 2 * (plain.high - plain.low)


def test_permutation_of_few_examples_tries_all_signs():
    a, b = np.array([3.0, 1.0, 4.0, 1.5, 5.0]), np.array([1.0, 1.0, 2.5, 2.0, 1.0])
    differences = a - b
    sums = [abs(np.dot(signs, differences)) for signs in itertools.product((1, -1), repeat=5)]
    expected = np.mean([value >= abs(differences.sum()) - 1e-12 for value in sums])
    assert paired.paired_permutation(a, b, draws=10, seed=0).p == pytest.approx(expected, abs=1e-12)


def test_permutation_of_many_examples_agrees_with_scipy():
    random = np.random.RandomState(2)
    a, b = random.rand(150) + 0.07, random.rand(150)
    expected = stats.permutation_test(
        (a - b,), np.mean, permutation_type="samples", n_resamples=20000, random_state=np.random.RandomState(1)
    ).pvalue
    assert paired.paired_permutation(a, b, draws=20000, seed=4).p == pytest.approx(expected, abs=0.01)


def test_permutation_does_not_depend_on_how_many_are_held_at_once(monkeypatch):
    random = np.random.RandomState(3)
    a, b = random.rand(40), random.rand(40)
    whole = paired.paired_permutation(a, b, draws=500, seed=4)
    monkeypatch.setattr(paired, "CHUNK_NUMBERS", 400)
    assert paired.paired_permutation(a, b, draws=500, seed=4) == whole


def test_paired_bootstrap_of_means_agrees_with_the_normal_comparison():
    random = np.random.RandomState(5)
    a = random.rand(500) + 0.02
    b = a + random.normal(0.02, 0.2, size=500)
    boot = paired.paired_bootstrap(mean_of(a), mean_of(b), 500, draws=5000, seed=1)
    normal = paired.paired_normal(a, b)
    assert (boot.low, boot.high, boot.p) == pytest.approx((normal.low, normal.high, normal.p), abs=0.02)


def test_holm_equals_the_hand_computed_values():
    # 4 * .01, then 3 * .02, then max(.06, 2 * .025), then max(.06, .04).
    assert paired.holm([0.02, 0.04, 0.01, 0.025]) == pytest.approx([0.06, 0.06, 0.04, 0.06], abs=1e-12)
    assert paired.holm([0.5, 0.9]) == [1.0, 1.0]
    assert paired.holm([]) == []


@pytest.mark.parametrize(("size", "points"), [(164, 15.5), (1000, 6.3), (2000, 4.4)])
def test_detectable_difference_of_separate_samples(size, points):
    assert round(100 * power.detectable_proportion(size), 1) == points


@pytest.mark.parametrize(("size", "points"), [(164, 10.9), (1000, 4.4), (2000, 3.1)])
def test_detectable_difference_of_pairs(size, points):
    assert round(100 * power.detectable_proportion(size, correlation=0.5), 1) == points


def test_detectable_difference_from_the_standard_error_of_pairs():
    # 1.960 + 0.842 standard errors: 5 % by chance alone, and found in 80 % of repeats.
    assert round(power.detectable_paired(0.01), 5) == 0.02802


def test_needed_size_is_the_other_way_round():
    size = power.needed_size(0.05, share=0.7, correlation=0.3)
    assert power.detectable_proportion(size, share=0.7, correlation=0.3) <= 0.05
    assert power.detectable_proportion(size - 1, share=0.7, correlation=0.3) > 0.05
