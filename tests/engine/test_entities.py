"""Entities are read and counted as strict seqeval does."""

import random
import warnings

import numpy as np
import pytest
from seqeval import metrics as seqeval
from seqeval.scheme import IOB2

from tests.engine.real_data import rows_of
from worker.engine.measures import entities
from worker.engine.measures.entities import Entity
from worker.engine.statistics.resampling import draws_of

TAGS = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]
STRICT = {"mode": "strict", "scheme": IOB2, "zero_division": 0}


def noisy(golds: list[list[str]], share: float, seed: int) -> list[list[str]]:
    tags = sorted({tag for gold in golds for tag in gold})
    chance = random.Random(seed)
    return [[chance.choice(tags) if chance.random() < share else tag for tag in gold] for gold in golds]


def assert_equal_to_seqeval(golds: list[list[str]], predictions: list[list[str]]) -> None:
    types = sorted({tag[2:] for tags in (*golds, *predictions) for tag in tags if tag != "O"})
    found = entities.compare(golds, predictions, types)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # seqeval warns where a type has no entity; its value is what counts
        report = seqeval.classification_report(golds, predictions, output_dict=True, **STRICT)
    micro = report["micro avg"]
    assert found.precision().value() == pytest.approx(micro["precision"], abs=1e-9)
    assert found.recall().value() == pytest.approx(micro["recall"], abs=1e-9)
    assert found.f1().value() == pytest.approx(micro["f1-score"], abs=1e-9)
    rows = [row for row in found.per_type() if row["type"] in report]
    for row in rows:
        theirs = report[row["type"]]
        mine = (row["precision"], row["recall"], row["f1"], row["support"])
        assert mine == pytest.approx(
            (theirs["precision"], theirs["recall"], theirs["f1-score"], theirs["support"]), abs=1e-9
        )
    if len(rows) == len(types):
        assert found.f1_macro().value() == pytest.approx(report["macro avg"]["f1-score"], abs=1e-9)


@pytest.mark.parametrize("name", ["open/wnut17", "open/weibo_ner"])
@pytest.mark.parametrize("share", [0.0, 0.1, 0.6])
def test_scores_on_real_data_equal_strict_seqeval(name, share):
    golds = [row["tags"] for row in rows_of(name)]
    assert_equal_to_seqeval(golds, noisy(golds, share, seed=1))


@pytest.mark.parametrize("seed", range(5))
def test_scores_of_random_tags_equal_strict_seqeval(seed):
    chance = random.Random(seed)
    golds, predictions = ([[chance.choice(TAGS) for _ in range(12)] for _ in range(60)] for _ in range(2))
    assert_equal_to_seqeval(golds, predictions)


def test_an_inside_tag_opens_no_entity():
    # The lenient reading calls this prediction perfect.
    found = entities.compare([["B-PER", "I-PER", "O", "B-LOC"]], [["I-PER", "I-PER", "O", "I-LOC"]], ["PER", "LOC"])
    assert found.f1().value() == 0.0


def test_an_entity_ends_where_another_begins_or_the_type_changes():
    tags = ["B-PER", "B-PER", "I-PER", "I-LOC", "I-LOC", "B-LOC", "O", "B-LOC"]
    assert entities.entities_of(tags) == [
        Entity("PER", 0, 1),
        Entity("PER", 1, 3),
        Entity("LOC", 5, 6),
        Entity("LOC", 7, 8),
    ]


def test_hand_computed_scores():
    golds = [["B-PER", "I-PER", "O"], ["B-LOC", "O", "B-PER"], ["O", "O", "O"]]
    predictions = [["B-PER", "O", "O"], ["B-LOC", "O", "B-PER"], ["O", "B-LOC", "O"]]
    found = entities.compare(golds, predictions, ["PER", "LOC"])
    # Two of four predicted ones are right, of three.
    assert found.precision().value() == pytest.approx(2 / 4)
    assert found.recall().value() == pytest.approx(2 / 3)
    assert found.f1().value() == pytest.approx(4 / 7)
    assert found.f1_macro().value() == pytest.approx((1 / 2 + 2 / 3) / 2)
    assert found.exact().tolist() == [0.0, 1.0, 0.0]


def test_resampled_scores_are_those_of_the_drawn_sentences():
    golds = [["B-PER", "O"], ["B-LOC", "I-LOC"], ["O", "B-PER"], ["B-LOC", "B-PER"]]
    predictions = [["B-PER", "O"], ["B-LOC", "O"], ["O", "B-LOC"], ["B-LOC", "B-PER"]]
    statistic = entities.compare(golds, predictions, ["LOC", "PER"]).f1_macro()
    weights = next(draws_of(4, draws=20, seed=3))
    for weight, value in zip(weights, statistic.resampled(weights), strict=True):
        drawn = np.repeat(np.arange(4), weight.astype(int))
        again = entities.compare([golds[i] for i in drawn], [predictions[i] for i in drawn], ["LOC", "PER"])
        assert value == pytest.approx(again.f1_macro().value(), abs=1e-12)


def test_types_are_named_by_tags_and_tags_are_checked():
    assert entities.types_of(["O", "B-PER", "I-PER", "I-LOC"]) == ["PER", "LOC"]
    assert [tag for tag in ("O", "B-x", "I-x.y", "B-", "X-a", "", "o") if entities.is_tag(tag)] == ["O", "B-x", "I-x.y"]
