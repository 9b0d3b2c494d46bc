"""Sets of labels are measured as scikit-learn does."""

import numpy as np
import pytest
from sklearn import metrics as sk

from tests.engine.real_data import rows_of
from worker.engine.measures.multilabel import Assigned
from worker.engine.statistics.resampling import draws_of


def from_real_data(name: str) -> Assigned:
    rows = rows_of(name)
    labels = sorted({label for row in rows for label in row["labels"]})
    gold = np.array([[label in row["labels"] for label in labels] for row in rows])
    return Assigned(gold, gold ^ (np.random.RandomState(1).rand(*gold.shape) < 0.04))


def made_up(seed: int) -> Assigned:
    random = np.random.RandomState(seed)
    gold, predicted = random.rand(70, 6) < 0.3, random.rand(70, 6) < 0.4
    gold[:, 5] = predicted[:, 4] = False  # a label that never occurs, and one that is never given
    return Assigned(gold, predicted)


def assert_equal_to_scikit_learn(assigned: Assigned) -> None:
    gold, predicted = assigned.gold.astype(int), assigned.predicted.astype(int)
    f1 = {average: sk.f1_score(gold, predicted, average=average, zero_division=0) for average in ("micro", "macro")}
    assert assigned.f1_micro().value() == pytest.approx(f1["micro"], abs=1e-9)
    assert assigned.f1_macro().value() == pytest.approx(f1["macro"], abs=1e-9)
    assert assigned.exact().mean() == pytest.approx(sk.accuracy_score(gold, predicted), abs=1e-9)
    assert 1 - assigned.hamming().mean() == pytest.approx(sk.hamming_loss(gold, predicted), abs=1e-9)
    # scikit-learn calls two empty sets undefined and takes its zero_division for them.
    samples = sk.f1_score(gold, predicted, average="samples", zero_division=1)
    assert assigned.f1_samples().mean() == pytest.approx(samples, abs=1e-9)
    expected = sk.precision_recall_fscore_support(gold, predicted, zero_division=0)
    rows = assigned.per_label([str(place) for place in range(gold.shape[1])])
    for name, column in zip(("precision", "recall", "f1", "support"), expected, strict=True):
        assert [row[name] for row in rows] == pytest.approx(list(column), abs=1e-9)


@pytest.mark.parametrize("name", ["open/goemotions", "open/xed_zh"])
def test_scores_on_real_data_equal_scikit_learn(name):
    assert_equal_to_scikit_learn(from_real_data(name))


@pytest.mark.parametrize("seed", range(3))
def test_scores_with_absent_labels_equal_scikit_learn(seed):
    assert_equal_to_scikit_learn(made_up(seed))


def test_resampled_scores_are_those_of_the_drawn_examples():
    assigned = made_up(0)
    weights = next(draws_of(70, draws=10, seed=1))
    found = assigned.f1_macro().resampled(weights)
    for weight, value in zip(weights, found, strict=True):
        drawn = np.repeat(np.arange(70), weight.astype(int))
        assert value == pytest.approx(Assigned(assigned.gold[drawn], assigned.predicted[drawn]).f1_macro().value())


def test_hand_computed_scores():
    assigned = Assigned(
        np.array([[1, 1, 0], [0, 1, 0], [0, 0, 0]], dtype=bool), np.array([[1, 0, 0], [0, 1, 1], [0, 0, 0]], dtype=bool)
    )
    assert assigned.f1_micro().value() == pytest.approx(2 * 2 / (3 + 3))
    assert assigned.f1_macro().value() == pytest.approx((1 + 2 / 3 + 0) / 3)
    assert assigned.f1_samples() == pytest.approx([2 / 3, 2 / 3, 1.0])
    assert assigned.exact().tolist() == [0.0, 0.0, 1.0]
