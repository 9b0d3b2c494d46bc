"""Curves and the areas below them equal scikit-learn's, ties included."""

import numpy as np
import pytest
from sklearn import metrics as sk

from worker.engine.measures import curves


def made_up(digits: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.RandomState(3)
    truth = random.rand(400) < 0.3
    return np.round(random.rand(400) * 0.6 + truth * 0.3, digits), truth


@pytest.mark.parametrize("digits", [1, 6])
def test_the_areas_equal_the_reference(digits):
    scores, truth = made_up(digits)
    found = curves.of_one(scores, truth)
    assert found["auroc"] == pytest.approx(sk.roc_auc_score(truth, scores), abs=1e-12)
    assert found["average_precision"] == pytest.approx(sk.average_precision_score(truth, scores), abs=1e-12)


def test_the_points_kept_are_points_of_the_curve_with_both_ends():
    scores, truth = made_up(6)
    found = curves.of_one(scores, truth)
    fallout, recall, _thresholds = sk.roc_curve(truth, scores, drop_intermediate=False)
    known = {(round(x, 4), round(y, 4)) for x, y in zip(fallout, recall, strict=True)}
    points = [tuple(point) for point in found["roc"]]
    assert set(points) <= known
    assert points[0] == (0, 0)
    assert points[-1] == (1, 1)
    assert len(points) <= curves.POINTS


def test_a_perfect_score_and_one_that_says_nothing():
    truth = np.array([True, True, False, False])
    assert curves.of_one(np.array([0.9, 0.8, 0.2, 0.1]), truth)["auroc"] == 1
    flat = curves.of_one(np.full(4, 0.5), truth)
    assert (flat["auroc"], flat["average_precision"]) == (0.5, 0.5)
    assert flat["roc"] == [[0, 0], [1, 1]]


def test_a_label_without_examples_of_its_own_or_of_others_has_no_curve():
    truth = np.array([[True, False, True], [False, False, True]])
    found = curves.of_labels(np.full((2, 3), 0.3), truth, ["a", "b", "c"])
    assert [one["label"] for one in found] == ["a"]
