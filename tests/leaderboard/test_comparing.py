"""Which differences of models are more than chance, worked out by hand where that can be done."""

import numpy as np
import pytest

from leaderboard.comparing import differences
from leaderboard.comparing.differences import Pair, Task
from leaderboard.comparing.items import Items
from leaderboard.models import Benchmark, Evaluation

N = 20
ALL_RIGHT, HALF, TWO_WRONG = [1] * N, [1, 0] * (N // 2), [0, 0] + [1] * (N - 2)


class Kept:
    """Items of evaluations by their ids, as a reader gives them."""

    def __init__(self, *items: Items | None) -> None:
        self.items = items

    def of(self, evaluation: Evaluation) -> Items | None:
        return self.items[evaluation.pk]


def items(ids: int = N, clusters: list[int] | None = None, **metrics: list[float]) -> Items:
    arrays = {name: np.array(values, dtype=float) for name, values in metrics.items()}
    return Items([str(number) for number in range(ids)], arrays, None if clusters is None else np.array(clusters))


def tasks(*kept: Items | None, metric: str = "accuracy", all_pairs: bool = False) -> list[Task]:
    """Models with these items on one benchmark, each with a score of 0.5 from 0.3 to 0.7."""
    benchmark = Benchmark(pk=7, name="Mood", version=1, task="text-classification", primary_metric=metric)
    held = [{7: Evaluation(pk=pk, benchmark=benchmark, value=0.5, low=0.3, high=0.7)} for pk in range(len(kept))]
    return differences.tasks_of(held, Kept(*kept), all_pairs=all_pairs)


def only(*kept: Items | None, **options) -> Pair:
    return tasks(*kept, **options)[0].pairs[0]


def pair(**changes) -> Pair:
    given = {"first": 1, "second": 0, "metric": "accuracy", "difference": 0.1, "low": 0.0, "high": 0.2}
    return Pair(**given | changes)


def test_what_one_model_alone_has_right_is_tested_exactly():
    found = only(items(accuracy=ALL_RIGHT), items(accuracy=HALF))
    # 10 of 20 are right for the first alone and none for the second: p = 2 · 0.5 ** 10.
    assert (found.test, found.p) == ("mcnemar_exact", pytest.approx(2 / 1024))
    assert (found.difference, found.verdict) == (pytest.approx(-0.5), "behind")


def test_two_examples_are_not_enough_to_tell_models_apart():
    found = only(items(accuracy=ALL_RIGHT), items(accuracy=TWO_WRONG))
    assert (found.p, found.verdict) == (pytest.approx(0.5), "even")
    # The standard error of differences of which 2 of 20 are -1 is sqrt(1.8 / 380).
    assert found.smallest == pytest.approx(2.80159 * (1.8 / 380) ** 0.5, rel=1e-4)


def test_all_pairs_that_are_shown_are_corrected_together():
    kept = [items(accuracy=values) for values in (ALL_RIGHT, HALF, TWO_WRONG)]
    first = tasks(*kept)[0].pairs
    assert [one.corrected for one in first] == [pytest.approx(4 / 1024), pytest.approx(0.5)]
    every = tasks(*kept, all_pairs=True)[0].pairs
    assert [(one.first, one.second) for one in every] == [(1, 0), (2, 0), (2, 1)]
    assert min(one.corrected for one in every) == pytest.approx(6 / 1024)


def test_holm_leaves_pairs_without_a_test_alone():
    task = Task(Benchmark(), [], "accuracy", [pair(p=0.01), pair(), pair(p=0.04)])
    assert [one.corrected for one in differences.corrected([task])[0].pairs] == [pytest.approx(0.02), None, 0.04]


def test_where_less_is_better_the_smaller_number_is_ahead():
    assert pair(metric="log_loss", difference=-0.1, p=0.01, corrected=0.01).verdict == "ahead"
    assert pair(metric="log_loss", difference=0.1, p=0.01, corrected=0.01).verdict == "behind"
    assert pair(p=0.01, corrected=0.01).verdict == "ahead"


@pytest.mark.parametrize(
    ("low", "high", "verdict"), [(0.01, 0.2, "apart"), (-0.2, -0.1, "apart"), (-0.1, 0.2, "overlap")]
)
def test_without_examples_intervals_lie_apart_or_overlap(low, high, verdict):
    assert pair(low=low, high=high).verdict == verdict


def test_a_metric_of_the_whole_is_tested_by_another_one_of_the_same_answers():
    task = tasks(items(accuracy=ALL_RIGHT), items(accuracy=HALF), metric="f1_macro")[0]
    assert (task.metric, task.tested, task.is_other) == ("f1_macro", "accuracy", True)


def test_numbers_of_few_examples_are_tested_by_swapping_names():
    found = only(items(log_loss=[0.5] * N), items(log_loss=[0.7] * N), metric="log_loss")
    assert (found.test, found.verdict) == ("paired_permutation", "behind")


def test_examples_that_hang_together_are_not_counted_as_so_many():
    alone = only(items(accuracy=ALL_RIGHT), items(accuracy=HALF))
    halves = [0] * 10 + [1] * 10
    together = only(items(accuracy=ALL_RIGHT, clusters=halves), items(accuracy=HALF, clusters=halves))
    assert together.test == "paired_normal"
    assert together.high - together.low != alone.high - alone.low


@pytest.mark.parametrize("other", [None, items(ids=3, accuracy=[1, 1, 1]), items(mcc=ALL_RIGHT)])
def test_what_has_no_such_examples_is_compared_by_intervals(other):
    found = only(items(accuracy=ALL_RIGHT), other)
    assert not found.is_tested
    assert (found.low, found.high) == (pytest.approx(-0.4), pytest.approx(0.4))
    assert found.smallest is None


def test_each_pair_is_tallied_over_all_benchmarks():
    found = tasks(items(accuracy=ALL_RIGHT), items(accuracy=HALF), items(accuracy=TWO_WRONG), None)
    said = [(one.ahead, one.behind, one.even, one.untested) for one in differences.tallies(found)]
    assert said == [(0, 1, 0, 0), (0, 0, 1, 0), (0, 0, 0, 1)]
    turned = differences.tallies(found)[0].turned
    assert (turned.first, turned.second, turned.ahead, turned.behind) == (0, 1, 1, 0)
