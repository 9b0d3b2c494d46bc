"""The measures are scikit-learn's to nine digits, and their intervals are honest."""

import warnings

import numpy as np
import pytest
from sklearn import metrics as sk

from worker.engine.measures import classes
from worker.engine.statistics import resampling
from worker.engine.statistics.intervals import bootstrap

AVERAGES = ("macro", "weighted")


def cases() -> list[tuple[int, np.ndarray, np.ndarray]]:
    random = np.random.RandomState(3)
    found = []
    for size, rows in ((2, 50), (3, 200), (7, 90), (40, 60)):
        gold = random.randint(0, size, rows)
        found.append((size, gold, np.where(random.rand(rows) < 0.6, gold, random.randint(0, size, rows))))
    # A label that never occurs, a label that is never answered, one single answer, and everything right.
    found.append((3, np.array([0, 1, 0, 1]), np.array([0, 1, 1, 1])))
    found.append((3, np.array([0, 1, 2, 2]), np.array([0, 0, 0, 0])))
    found.append((2, np.array([1, 1, 1]), np.array([1, 1, 1])))
    return found


@pytest.mark.parametrize(("size", "gold", "predicted"), cases())
def test_measures_equal_scikit_learn(size, gold, predicted):
    mine = classes.measures(classes.margins_of(classes.confusion_matrix(gold, predicted, size)))
    labels = list(range(size))
    expected = {"accuracy": sk.accuracy_score(gold, predicted)}
    for average in AVERAGES:
        triple = sk.precision_recall_fscore_support(gold, predicted, labels=labels, average=average, zero_division=0)
        for name, value in zip(("precision", "recall", "f1"), triple[:3], strict=True):
            expected[f"{name}_{average}"] = value
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # scikit-learn warns of a single label; its value is what counts
        expected["mcc"] = sk.matthews_corrcoef(gold, predicted)
    assert set(expected) == set(classes.CONFUSION_METRICS)
    for name, value in expected.items():
        assert float(mine[name]) == pytest.approx(value, abs=1e-9), name


@pytest.mark.parametrize(("size", "gold", "predicted"), cases())
def test_per_class_and_confusion_equal_scikit_learn(size, gold, predicted):
    labels = list(range(size))
    confusion = classes.confusion_matrix(gold, predicted, size)
    assert confusion.tolist() == sk.confusion_matrix(gold, predicted, labels=labels).tolist()
    expected = sk.precision_recall_fscore_support(gold, predicted, labels=labels, average=None, zero_division=0)
    for mine, theirs in zip(classes.per_class(classes.margins_of(confusion)), expected[:3], strict=True):
        assert mine == pytest.approx(theirs, abs=1e-9)


def test_log_loss_equals_scikit_learn_even_for_a_sure_mistake():
    random = np.random.RandomState(0)
    scores = random.dirichlet([1, 1, 1], size=80)
    scores[0], gold = [0.0, 1.0, 0.0], random.randint(0, 3, 80)
    gold[0] = 0
    assert classes.log_losses(scores, gold).mean() == pytest.approx(
        sk.log_loss(gold, scores, labels=[0, 1, 2]), abs=1e-9
    )


def test_calibration_error_is_the_gap_between_confidence_and_accuracy():
    scores = np.array([[0.9, 0.1]] * 10)
    predicted, gold = np.zeros(10, dtype=np.intp), np.array([0] * 6 + [1] * 4)
    assert classes.calibration_error(scores, predicted, gold) == pytest.approx(0.3)


def intervals(gold, predicted, size, *, draws: int, seed: int) -> dict[str, tuple[float, float]]:
    table = classes.Confusion(gold, predicted, size)
    statistics = {name: table.statistic(name) for name in classes.CORPUS_METRICS}
    found = bootstrap(statistics, len(gold), draws=draws, seed=seed)
    return {name: (interval.low, interval.high) for name, interval in found.items()}


def small_case() -> tuple[np.ndarray, np.ndarray]:
    return np.repeat([0, 0, 1, 1], [30, 10, 5, 40]), np.repeat([0, 1, 0, 1], [30, 10, 5, 40])


def test_the_bootstrap_agrees_with_resampling_the_examples():
    size, gold, predicted = cases()[1]
    fast = intervals(gold, predicted, size, draws=4000, seed=1)
    random = np.random.RandomState(2)
    slow = []
    for _ in range(1500):
        drawn = random.randint(0, len(gold), len(gold))
        confusion = classes.confusion_matrix(gold[drawn], predicted[drawn], size)
        slow.append(float(classes.measures(classes.margins_of(confusion))["f1_macro"]))
    assert fast["f1_macro"] == pytest.approx(tuple(np.percentile(slow, [2.5, 97.5])), abs=0.012)


def test_the_bootstrap_is_fixed_by_its_seed():
    first = intervals(*small_case(), 2, draws=500, seed=5)
    assert first == intervals(*small_case(), 2, draws=500, seed=5)
    assert first != intervals(*small_case(), 2, draws=500, seed=6)
    # The stream of numpy's RandomState is frozen, so this number may never change.
    assert first["f1_macro"] == pytest.approx((0.7358279037966537, 0.8919350360536423), abs=1e-12)


def test_the_bootstrap_does_not_depend_on_how_many_draws_are_held_at_once(monkeypatch):
    whole = intervals(*small_case(), 2, draws=500, seed=5)
    monkeypatch.setattr(resampling, "CHUNK_NUMBERS", 100)
    assert intervals(*small_case(), 2, draws=500, seed=5) == whole


def test_floors_are_what_guessing_and_the_most_frequent_label_give():
    support = np.array([60.0, 30.0, 10.0])
    winner, constant = classes.majority(support)
    assert (winner, constant["accuracy"], constant["mcc"]) == (0, 0.6, 0.0)
    assert constant["f1_macro"] == pytest.approx(2 * 60 / 160 / 3)
    guessed = classes.chance(support)
    assert guessed["accuracy"] == pytest.approx(1 / 3)
    assert guessed["mcc"] == pytest.approx(0)
