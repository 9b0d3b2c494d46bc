"""Average precision equals COCO's own, and can be resampled."""

import numpy as np
import pytest

from tests.engine.coco import coco
from worker.engine.measures import detection
from worker.engine.measures.detection import Box

LABELS = ("cat", "dog", "cow")


def scenes(seed: int, images: int = 25, crowds: float = 0.0) -> tuple[list[list[Box]], list[list[Box]]]:
    """Boxes of the reference, and predictions: most near one of them, some doubled, some of the wrong class."""
    crowded = np.random.RandomState(seed + 100)
    random = np.random.RandomState(seed)
    golds, predictions = [], []
    for _ in range(images):
        truth = []
        for _ in range(random.randint(0, 6)):
            left, top, wide, high = random.uniform(0, 60), random.uniform(0, 60), *random.uniform(5, 40, 2)
            corners = (left, top, left + wide, top + high)
            truth.append(Box(LABELS[random.randint(0, 3)], corners, is_crowd=bool(crowded.rand() < crowds)))
        found = []
        for box in truth + truth[: len(truth) // 2]:
            moved = np.array(box.corners) + random.normal(0, 2.0, 4)
            corners = (*np.minimum(moved[:2], moved[2:]), *np.maximum(moved[:2], moved[2:]))
            label = box.label if random.rand() < 0.85 else LABELS[random.randint(0, 3)]
            found.append(Box(label, tuple(float(c) for c in corners), float(random.rand())))
        golds.append(truth)
        predictions.append(found)
    return golds, predictions


@pytest.mark.parametrize("seed", range(6))
def test_average_precision_equals_coco(seed):
    golds, predictions = scenes(seed)
    found = detection.match(golds, predictions)
    expected = coco(golds, predictions, LABELS)
    assert found.average_precision().value() == pytest.approx(expected[0], abs=1e-9)
    assert found.average_precision_at_half().value() == pytest.approx(expected[1], abs=1e-9)
    assert 0.1 < expected[0] < expected[1] < 1


@pytest.mark.parametrize("seed", range(4))
def test_crowds_are_taken_as_coco_takes_them(seed):
    golds, predictions = scenes(seed, crowds=0.3)
    # A crowd as large as the image: several boxes lie in it, and none of them is wrong.
    golds[0].append(Box("cat", (0, 0, 100, 100), is_crowd=True))
    predictions[0] += [Box("cat", (at, at, at + 9, at + 9), 0.99) for at in (10.0, 30.0, 50.0)]
    found = detection.match(golds, predictions)
    expected = coco(golds, predictions, LABELS)
    assert found.average_precision().value() == pytest.approx(expected[0], abs=1e-9)
    assert found.average_precision_at_half().value() == pytest.approx(expected[1], abs=1e-9)
    single = [[box._replace(is_crowd=False) for box in boxes] for boxes in golds]
    assert detection.match(single, predictions).average_precision().value() != pytest.approx(expected[0], abs=1e-3)


@pytest.mark.parametrize("crowds", [0.0, 0.3])
def test_one_class_alone_is_scored_as_coco_scores_it(crowds):
    sides = [[[box._replace(label="cat") for box in boxes] for boxes in side] for side in scenes(5, crowds=crowds)]
    expected = coco(*sides, ["cat"])
    assert detection.match(*sides).average_precision().value() == pytest.approx(expected[0], abs=1e-9)


def test_a_class_of_crowds_alone_is_left_out():
    golds = [[Box("cat", (0, 0, 9, 9)), Box("dog", (0, 0, 9, 9), is_crowd=True)]]
    predictions = [[Box("cat", (0, 0, 9, 9), 0.5), Box("dog", (20, 20, 29, 29), 0.9)]]
    assert detection.match(golds, predictions).labels == ["cat"]
    expected = coco(golds, predictions, LABELS)[0]
    assert detection.match(golds, predictions).average_precision().value() == pytest.approx(expected, abs=1e-9)


def test_resampled_precision_equals_coco_on_the_drawn_images():
    golds, predictions = scenes(7, images=12)
    statistic = detection.match(golds, predictions).average_precision()
    random = np.random.RandomState(0)
    for _ in range(5):
        drawn = np.sort(random.randint(0, 12, 12))
        weights = np.bincount(drawn, minlength=12)[None, :].astype(float)
        expected = coco([golds[i] for i in drawn], [predictions[i] for i in drawn], LABELS)[0]
        assert statistic.resampled(weights)[0] == pytest.approx(expected, abs=1e-9)


def test_resampling_does_not_depend_on_how_many_draws_are_held_at_once(monkeypatch):
    statistic = detection.match(*scenes(3)).average_precision()
    weights = np.random.RandomState(1).multinomial(25, np.ones(25) / 25, size=20).astype(float)
    whole = statistic.resampled(weights)
    monkeypatch.setattr(detection, "CHUNK_NUMBERS", 50)
    assert statistic.resampled(weights).tolist() == whole.tolist()


def test_hand_computed_average_precision():
    truth = [[Box("cat", (0, 0, 10, 10)), Box("cat", (20, 0, 30, 10))]]
    # The surest is right, the next is a second box on the same cat, the last overlaps the other cat by 8 of 10.
    found = [
        [
            Box("cat", (0, 0, 10, 10), 0.9),
            Box("cat", (0, 0, 10, 9), 0.8),
            Box("cat", (20, 0, 30, 8), 0.7),
        ]
    ]
    half = detection.match(truth, found).average_precision_at_half().value()
    # Recall .5 at precision 1 (51 steps of recall), then recall 1 at two of three.
    assert half == pytest.approx((51 * 1 + 50 * 2 / 3) / 101, abs=1e-12)
    # Above an overlap of .8 only the first half is reached.
    whole = detection.match(truth, found).average_precision().value()
    assert whole == pytest.approx((7 * half + 3 * 51 / 101) / 10, abs=1e-12)


def test_overlap_of_boxes():
    found = detection.overlaps_of(np.array([[0.0, 0, 10, 10]]), np.array([[5.0, 5, 15, 15], [20, 20, 30, 30]]))
    assert found.tolist() == [[pytest.approx(25 / 175), 0.0]]


def test_an_image_without_boxes_of_the_reference_can_only_spoil_precision():
    truth, found = [[Box("cat", (0, 0, 9, 9))], []], [[Box("cat", (0, 0, 9, 9), 0.5)], [Box("cat", (0, 0, 9, 9), 0.9)]]
    assert detection.match(truth, found).average_precision().value() == pytest.approx(0.5)


def test_classes_are_told_apart():
    rows = detection.match(*scenes(1)).per_class()
    assert [row["label"] for row in rows] == ["cat", "cow", "dog"]
    assert sum(row["support"] for row in rows) == sum(len(boxes) for boxes in scenes(1)[0])
