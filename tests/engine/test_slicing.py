"""Parts of a benchmark get scores of their own, where they are large enough."""

import numpy as np
import pytest

from worker.engine import slicing
from worker.engine.marks import MAX_NAME, of_questions
from worker.engine.statistics.intervals import wilson
from worker.engine.statistics.resampling import mean_of


def test_lengths_are_cut_into_quarters():
    slices = slicing.by_length(range(1, 101))
    assert [(part.name, part.n) for part in slices] == [("1-25", 25), ("26-50", 25), ("51-75", 25), ("76-100", 25)]


def test_equal_lengths_stay_together():
    slices = slicing.by_length([2] * 70 + [4] * 30)
    assert [(part.name, part.n) for part in slices] == [("2", 70), ("4", 30)]


def test_every_example_is_in_one_length_and_one_script():
    random = np.random.RandomState(0)
    texts = [{"text": "字a "[random.randint(3)] * random.randint(1, 30)} for _ in range(300)]
    lengths, scripts = of_questions(texts)
    for slices in (slicing.by_length(lengths), slicing.by_value("script", scripts)):
        assert sum(part.members for part in slices).tolist() == [1.0] * 300


def test_scripts_are_told_apart():
    _lengths, scripts = of_questions([{"text": "hello there"}, {"text": "你好"}, {"tokens": ["good", "morning"]}])
    slices = slicing.by_value("script", scripts)
    assert [(part.name, part.n) for part in slices] == [("latin", 2), ("han", 1)]


def test_a_slice_has_its_own_score_and_interval():
    slices = slicing.by_value("label", ["good"] * 30 + ["bad"] * 20 + ["rare"] * 3)
    right = np.array([1.0] * 24 + [0.0] * 6 + [1.0] * 5 + [0.0] * 15 + [1.0] * 3)
    rows = slicing.scores_of_items(slices, right, is_proportion=True)
    assert [(row["name"], row["n"], row["value"]) for row in rows] == [("good", 30, 0.8), ("bad", 20, 0.25)]
    expected = wilson(24, 30)
    assert (rows[0]["low"], rows[0]["high"], rows[0]["method"]) == (expected.low, expected.high, "wilson")


def test_the_least_count_is_told_even_of_slices_that_are_not_shown():
    assert slicing.smallest_of(slicing.by_value("label", ["good"] * 30 + ["rare"] * 3)) == {"label": 3}


def test_a_measure_of_the_corpus_gives_the_others_no_weight():
    slices = slicing.by_value("genre", ["news"] * 40 + ["fiction"] * 60)
    values = np.array([1.0] * 30 + [0.0] * 70)
    rows = slicing.scores_of_corpus(slices, mean_of(values), draws=2000, seed=0)
    assert [(row["name"], row["value"]) for row in rows] == [("fiction", 0.0), ("news", 0.75)]
    assert (rows[1]["low"], rows[1]["high"]) == pytest.approx((0.61, 0.88), abs=0.03)


def test_no_more_slices_than_a_page_can_show():
    slices = slicing.by_value("column", [f"value {at % 400}" for at in range(4000)])
    assert len(slices) == slicing.MOST_SLICES


def test_names_of_slices_are_short_and_in_one_line():
    (part,) = slicing.by_value("column", ["a\nb" + "c" * 500])
    assert part.name.startswith("a bccc")
    assert len(part.name) == MAX_NAME


def test_clustered_examples_get_a_robust_interval():
    slices = slicing.by_value("label", ["one"] * 40)
    rows = slicing.scores_of_items(
        slices, np.array([1.0, 0.0] * 20), is_proportion=True, clusters=np.repeat(np.arange(10), 4)
    )
    assert rows[0]["method"] == "cluster_robust"
