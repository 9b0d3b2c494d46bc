"""Ranks over tasks: points and means as computed by hand, and intervals that know their doubt."""

import numpy as np
import pytest
from scipy import stats

from worker.engine.statistics import ranking
from worker.engine.statistics.ranking import TaskScores, rank_models
from worker.engine.statistics.resampling import OfSums, mean_of

MISSING = np.nan


def hits(*shares: float, size: int = 400, seed: int = 0) -> np.ndarray:
    """Models (rows) of these accuracies that find the same examples hard."""
    random = np.random.RandomState(seed)
    hard = random.rand(size)
    noise = random.rand(len(shares), size)
    return (0.7 * hard + 0.3 * noise < np.array(shares)[:, None]).astype(float)


def test_normalised_scores_lie_between_the_floor_and_the_best():
    assert ranking.normalised(np.array([0.25, 1.0, 0.625]), 0.25).tolist() == [0.0, 100.0, 50.0]


def test_a_score_below_the_floor_stays_below_zero():
    assert ranking.normalised(np.array([0.1]), 0.25)[0] == pytest.approx(-20)


def test_a_measure_where_less_is_better_is_turned_round():
    assert ranking.normalised(np.array([8.0, 2.0]), 8.0, 0.0).tolist() == [0.0, 75.0]


def test_the_mean_is_over_all_tasks_or_there_is_none():
    means = ranking.averages(np.array([[10.0, 30.0], [50.0, MISSING]]))
    assert means[0] == 20.0
    assert np.isnan(means[1])


def test_the_mean_heeds_the_weights_of_a_suite():
    assert ranking.averages(np.array([[10.0, 40.0]]), np.array([2.0, 1.0]))[0] == pytest.approx(20.0)


def test_borda_counts_whom_each_model_leaves_behind():
    scores = np.array([[0.9, 0.5, 0.7], [0.8, 0.5, MISSING], [0.1, 0.9, 0.9]])
    # Points: task 1: 2, 1, 0; task 2, a tie for second: 0.5, 0.5, 2; task 3 of the two present: 1 and 2 of 3 models.
    assert ranking.borda(scores).tolist() == [3.5, 1.5, 4.0]


def test_borda_equals_average_ranks_of_scipy():
    scores = np.random.RandomState(0).randint(0, 5, size=(9, 6)).astype(float)
    expected = sum(9 - stats.rankdata(-column, method="average") for column in scores.T)
    assert ranking.borda(scores) == pytest.approx(expected, abs=1e-12)


def test_a_clear_order_is_ranked_with_certainty():
    found = rank_models([TaskScores(400, hits(0.3, 0.9, 0.6))], draws=500, seed=0)
    assert [standing.rank for standing in found.standings] == [3, 1, 2]
    assert [(s.rank_low, s.rank_high) for s in found.standings] == [(3, 3), (1, 1), (2, 2)]
    assert [standing.p_best for standing in found.standings] == [0.0, 1.0, 0.0]
    assert [standing.group for standing in found.standings] == [3, 1, 2]
    assert found.p_above[1].tolist() == [1.0, 0.5, 1.0]


def test_equal_models_share_place_chance_and_group():
    items = np.repeat(hits(0.6), 2, axis=0)
    found = rank_models([TaskScores(400, items)], draws=200, seed=0)
    assert [s.rank for s in found.standings] == [1, 1]
    assert [s.p_best for s in found.standings] == [0.5, 0.5]
    assert [s.group for s in found.standings] == [1, 1]
    assert found.p_above[0, 1] == 0.5


def test_models_that_differ_by_noise_are_of_one_group():
    found = rank_models([TaskScores(200, hits(0.60, 0.61, 0.95, size=200))], draws=500, seed=0)
    assert [s.group for s in found.standings] == [2, 2, 1]
    assert (found.standings[0].rank_low, found.standings[0].rank_high) == (2, 3)


def test_the_same_draws_for_every_model_cancel_what_is_hard_for_all():
    items = hits(0.60, 0.68)
    found = rank_models([TaskScores(400, items)], draws=2000, seed=0)
    difference = items[1] - items[0]
    z = difference.mean() / (difference.std(ddof=1) / 20)
    assert found.p_above[1, 0] == pytest.approx(stats.norm.cdf(z), abs=0.02)


def test_intervals_of_one_task_are_those_of_its_examples():
    items = hits(0.5)
    found = rank_models([TaskScores(400, items)], draws=4000, seed=0).standings[0]
    error = items[0].std(ddof=1) / 20
    assert (found.low, found.high) == pytest.approx(
        (100 * (items.mean() - 1.96 * error), 100 * (items.mean() + 1.96 * error)), abs=0.7
    )


def test_few_tasks_are_said_to_be_few_and_widen_the_interval():
    tasks = [TaskScores(300, hits(share, size=300, seed=n)) for n, share in enumerate((0.2, 0.5, 0.9))]
    found = rank_models(tasks, draws=1000, seed=0)
    assert found.few_tasks
    # Drawing the hardest or the easiest of three tasks thrice is likely enough to reach the ends.
    assert found.standings[0].high - found.standings[0].low > 40


def test_a_category_keeps_its_number_of_tasks():
    tasks = [TaskScores(300, hits(share, size=300), category=str(share)) for share in (0.2, 0.5, 0.9)]
    found = rank_models(tasks, draws=1000, seed=0)
    assert found.standings[0].high - found.standings[0].low < 12


def test_two_levels_add_up_to_the_variance_of_both():
    random = np.random.RandomState(3)
    tasks = [TaskScores(50, random.normal(mean, 0.5, size=(1, 50))) for mean in random.normal(0, 0.3, size=12)]
    found = rank_models(tasks, draws=6000, seed=1)
    means = np.array([task.items.mean() for task in tasks])
    within = np.mean([task.items.var() / 50 for task in tasks]) / 12
    expected = 100 * (means.var() / 12 + within) ** 0.5
    assert found.draws.std() == pytest.approx(expected, rel=0.04)


def test_a_corpus_number_is_ranked_like_the_mean_it_equals():
    items = hits(0.4, 0.7, size=120)
    as_items = rank_models([TaskScores(120, items)], draws=300, seed=2)
    as_corpus = rank_models([TaskScores(120, corpus=[mean_of(row) for row in items])], draws=300, seed=2)
    assert as_corpus.draws == pytest.approx(as_items.draws, abs=1e-9)


def test_ranking_does_not_depend_on_how_many_draws_are_held_at_once(monkeypatch):
    tasks = [TaskScores(90, hits(0.4, 0.5, size=90)), TaskScores(60, hits(0.5, 0.4, size=60), weight=2.0, floor=0.25)]
    whole = rank_models(tasks, draws=200, seed=2).draws
    monkeypatch.setattr(ranking, "CHUNK_NUMBERS", 1000)
    assert rank_models(tasks, draws=200, seed=2).draws == pytest.approx(whole, abs=1e-9)


def test_a_statistic_of_sums_can_be_ranked():
    counts = np.random.RandomState(0).randint(1, 9, size=(2, 80, 2)).astype(float)
    ratios = [OfSums(part, lambda sums: sums[..., 0] / sums.sum(axis=-1)) for part in counts]
    found = rank_models([TaskScores(80, corpus=ratios)], draws=100, seed=0)
    assert found.standings[0].score == pytest.approx(100 * counts[0, :, 0].sum() / counts[0].sum())


def test_interval_ranks_count_who_lies_wholly_above():
    low, high = np.array([50.0, 40.0, 10.0]), np.array([60.0, 55.0, 30.0])
    assert ranking.interval_ranks(low, high) == [1, 1, 3]
