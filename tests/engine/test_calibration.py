"""Calibration is binned as defined; the squared error equals scikit-learn's."""

import numpy as np
import pytest
from sklearn import metrics as sk

from worker.engine.measures import calibration, images


def made_up(size: int = 500) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.RandomState(0)
    confidence = random.beta(5, 2, size=size)
    return confidence, (random.rand(size) < confidence**2).astype(float)


def test_expected_error_equals_the_definition():
    confidence, right = made_up()
    expected = 0.0
    for place in range(15):
        low, high = place / 15, (place + 1) / 15
        chosen = (confidence > low) & (confidence <= high)
        if chosen.any():
            expected += chosen.mean() * abs(confidence[chosen].mean() - right[chosen].mean())
    assert calibration.expected_error(confidence, right) == pytest.approx(expected, abs=1e-9)


def test_equal_mass_holds_as_many_in_each_bin():
    confidence, right = made_up(150)
    rows = calibration.reliability(confidence, right, "equal_mass")
    assert [row["n"] for row in rows] == [10] * 15
    order = np.argsort(confidence)
    expected = np.mean([abs(confidence[part].mean() - right[part].mean()) for part in np.split(order, 15)])
    assert calibration.expected_error(confidence, right, "equal_mass") == pytest.approx(expected, abs=1e-9)


def test_equal_confidences_stay_in_one_bin():
    rows = calibration.reliability(np.array([0.5] * 20 + [0.9] * 10), np.ones(30), "equal_mass", 15)
    assert [row["n"] for row in rows] == [20, 10]


def test_hand_computed_bins():
    rows = calibration.reliability(np.array([0.05, 0.15, 0.2, 1.0]), np.array([0.0, 1.0, 0.0, 1.0]), size=10)
    assert [(row["low"], row["n"], row["accuracy"]) for row in rows] == [(0.0, 1, 0.0), (0.1, 2, 0.5), (0.9, 1, 1.0)]
    assert rows[1]["confidence"] == pytest.approx(0.175)


def test_brier_equals_scikit_learn():
    random = np.random.RandomState(1)
    probabilities, gold = random.dirichlet([1, 1], size=60), random.randint(0, 2, 60)
    # Of two labels scikit-learn counts one; the distance of both is twice that.
    expected = 2 * sk.brier_score_loss(gold, probabilities[:, 1])
    assert calibration.brier(probabilities, gold).mean() == pytest.approx(expected, abs=1e-9)


def test_hand_computed_brier():
    found = calibration.brier(np.array([[0.7, 0.2, 0.1], [0.0, 0.0, 1.0]]), np.array([0, 1]))
    assert found == pytest.approx([0.09 + 0.04 + 0.01, 2.0])


def test_top_hits_equal_scikit_learn():
    random = np.random.RandomState(2)
    scores, gold = random.rand(80, 10), random.randint(0, 10, 80)
    ranked = [[str(label) for label in row] for row in np.argsort(-scores, axis=1)]
    for cutoff in (1, 5):
        expected = sk.top_k_accuracy_score(gold, scores, k=cutoff, labels=range(10))
        found = images.top([str(label) for label in gold], ranked, cutoff)
        assert found.mean() == pytest.approx(expected, abs=1e-9)
