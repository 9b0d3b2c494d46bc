"""Boards of many models: the same draws for each, ranks among any of them."""

from functools import cache

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from worker.engine.statistics import boards
from worker.engine.statistics.ranking import TaskScores, averages, borda, rank_models

FEW = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
DRAWS = 64


def drawn(*rows):
    return np.array(rows, dtype=np.float32)


def test_ranks_stand_between_what_most_draws_say():
    # In 40 draws the first is ahead of the second in all but four, and the third is last in each.
    first, second = [9.0] * 36 + [5.0] * 4, [7.0] * 40
    found = boards.rank_intervals(drawn(first, second, [1.0] * 40), np.arange(3))
    assert found.best.tolist() == [1, 1, 3]
    assert found.worst.tolist() == [2, 2, 3]
    assert found.p_best == pytest.approx([0.9, 0.1, 0])


def test_equal_models_share_the_best_place_and_the_chance_to_be_first():
    found = boards.rank_intervals(drawn([5.0] * 40, [5.0] * 40, [4.0] * 40), np.arange(3))
    assert (found.best.tolist(), found.worst.tolist()) == ([1, 1, 3], [1, 1, 3])
    assert found.p_best == pytest.approx([0.5, 0.5, 0])


def test_ranks_of_some_are_ranks_among_all():
    rows = drawn(*np.random.RandomState(0).normal(size=(9, 50)))
    whole, some = boards.rank_intervals(rows, np.arange(9)), boards.rank_intervals(rows, np.array([7, 2]))
    assert some.best.tolist() == whole.best[[7, 2]].tolist()
    assert some.worst.tolist() == whole.worst[[7, 2]].tolist()


def test_a_tie_begins_anew_where_the_first_of_it_is_surely_ahead():
    # 97.5 % of 40 draws are 39: the second loses 38 of them to the first, the third all, the fourth none to the third.
    rows = drawn([5.0] * 40, [4.0] * 38 + [6.0] * 2, [3.0] * 40, [3.0] * 40)
    assert boards.tie_groups(rows).tolist() == [1, 1, 2, 2]
    assert boards.tie_groups(rows[:0]).tolist() == []


def test_ties_are_those_that_each_with_each_gives(monkeypatch):
    monkeypatch.setattr(boards, "BLOCK", 3)
    random = np.random.RandomState(1)
    items = (random.random_sample((12, 80)) < np.linspace(0.9, 0.4, 12)[:, None]).astype(float)
    found = rank_models([TaskScores(80, items)], draws=400, seed=0)
    order = np.argsort([-one.score for one in found.standings], kind="stable")
    groups = boards.tie_groups(found.draws.T[order].astype(np.float32))
    assert groups.tolist() == [found.standings[place].group for place in order]


def test_an_interval_alone_gives_draws_whose_middle_is_that_interval():
    plan = boards.plan_of(["a"], [1.0], draws=2000, seed=0)
    rows = boards.drawn_interval(plan, 0, 7, 60.0, 50.0, 65.0)
    assert np.percentile(rows, [2.5, 50, 97.5]) == pytest.approx([50, 60, 65], abs=0.05)


def test_a_task_that_is_drawn_twice_counts_twice_and_is_twice_as_sure():
    plan = boards.plan_of(["a", "a"], [1.0, 1.0], draws=4000, seed=0)
    copies = plan.copies[:, 0]
    rows = boards.drawn_interval(plan, 0, 7, 60.0, 50.0, 70.0)
    once, twice = rows[copies == 1], rows[copies == 2] / 2
    assert set(rows[copies == 0]) == {0.0}
    assert once.mean() == pytest.approx(60, abs=0.6)
    assert once.std() / twice.std() == pytest.approx(2**0.5, rel=0.1)


@pytest.mark.parametrize("clusters", [None, np.repeat(np.arange(30), 3)])
def test_a_model_alone_has_the_draws_that_it_has_among_others(clusters):
    plan = boards.plan_of(["a", "b", "a"], [1.0, 2.0, 1.0], draws=50, seed=3)
    items = np.random.RandomState(0).random_sample((4, 90))
    together = boards.drawn_items(plan, 2, TaskScores(90, items, clusters=clusters))
    alone = boards.drawn_items(plan, 2, TaskScores(90, items[2:3], clusters=clusters))
    assert alone[:, 0] == pytest.approx(together[:, 2], abs=1e-9)


def test_clusters_are_drawn_whole():
    plan = boards.plan_of(["a"], [1.0], draws=3000, seed=0)
    hits = np.repeat([1.0, 0.0, 1.0, 0.0], 25)  # four passages with 25 questions each, all or none of them right
    loose = boards.drawn_items(plan, 0, TaskScores(100, hits[None]))
    tied = boards.drawn_items(plan, 0, TaskScores(100, hits[None], clusters=np.repeat(np.arange(4), 25)))
    assert tied.std() == pytest.approx(100 * (0.25 / 4) ** 0.5, rel=0.05)
    assert loose.std() == pytest.approx(100 * (0.25 / 100) ** 0.5, rel=0.05)


def test_the_mean_of_a_draw_is_that_of_the_tasks_that_it_holds():
    plan = boards.Plan(np.array([[2, 0], [1, 1]]), np.array([1.0, 3.0]), 0)
    by_task = np.array([[[2 * 50.0, 50.0]], [[0.0, 90.0]]], dtype=np.float32)  # copies x score
    assert boards.mean_in_draws(plan, by_task).tolist() == [[50.0, (50 + 3 * 90) / 4]]


def test_draws_without_a_plan_agree_with_those_that_rank_each_with_each():
    items = (np.random.RandomState(5).random_sample((3, 200)) < np.array([[0.9], [0.8], [0.6]])).astype(float)
    tasks = [TaskScores(200, items), TaskScores(200, items[:, ::-1])]
    plan = boards.plan_of(["", ""], [1.0, 1.0], draws=3000, seed=0)
    by_task = np.stack([boards.drawn_items(plan, number, task).T for number, task in enumerate(tasks)])
    rows = boards.mean_in_draws(plan, by_task.astype(np.float32))
    known = rank_models(tasks, draws=3000, seed=1)
    low, high = boards.middle(rows)
    assert low == pytest.approx([one.low for one in known.standings], abs=0.7)
    assert high == pytest.approx([one.high for one in known.standings], abs=0.7)


@cache
def plan():
    return boards.plan_of(["a", "b", "a"], [1.0, 1.0, 2.0], draws=DRAWS, seed=0)


def standing(cells):
    """Rank models by their cells (models, 3), each with an interval of its own."""
    scores = averages(cells, plan().weights)
    order = np.argsort(-scores, kind="stable")
    by_task = np.stack(
        [
            [boards.drawn_interval(plan(), task, 1, value, value - 2, value + 2) for value in cells[order, task]]
            for task in range(3)
        ]
    ).astype(np.float32)
    rows = boards.mean_in_draws(plan(), by_task)
    between = boards.rank_intervals(rows, np.arange(len(cells)))
    back = np.argsort(order, kind="stable")
    return boards.ranks_of(scores), between.best[back], between.worst[back], boards.tie_groups(rows)[back]


CELLS = arrays(float, st.tuples(st.integers(2, 7), st.just(3)), elements=st.integers(-20, 100).map(float))


@FEW
@given(cells=CELLS, data=st.data())
def test_the_order_of_rows_changes_nothing(cells, data):
    order = np.array(data.draw(st.permutations(range(len(cells)))))
    for found, turned in zip(standing(cells)[:3], standing(cells[order])[:3], strict=True):
        assert turned.tolist() == found[order].tolist()
    assert borda(cells[order]).tolist() == borda(cells)[order].tolist()


@FEW
@given(cells=CELLS, worse=st.integers(1, 50))
def test_a_model_that_is_worse_than_all_lifts_none_above_its_betters(cells, worse):
    added = np.vstack([cells, cells.min(axis=0) - worse])
    before, best, worst, _groups = standing(cells)
    after, best_now, worst_now, _groups = standing(added)
    assert after[:-1].tolist() == before.tolist()
    assert after[-1] == len(added)
    assert best_now[:-1].tolist() == best.tolist()
    assert worst_now[:-1].tolist() == worst.tolist()


@FEW
@given(cells=CELLS)
def test_ranks_ties_and_points_hold_together(cells):
    ranks, best, worst, groups = standing(cells)
    assert (best <= worst).all()
    assert best.min() == ranks.min() == groups.min() == 1
    by_rank = np.argsort(ranks, kind="stable")
    assert (np.diff(groups[by_rank]) >= 0).all()
    # On each task the points of all models together are as many as there are pairs.
    assert borda(cells).sum() == pytest.approx(3 * len(cells) * (len(cells) - 1) / 2)
