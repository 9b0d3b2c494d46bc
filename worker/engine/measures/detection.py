"""Boxes around things in images: mean average precision as COCO computes it.

For each class and each overlap that is asked for, boxes are taken from the surest down. Each takes the free box of
the reference that it overlaps most; a second box on the same thing is wrong. Precision is read at 101 steps of recall.
A crowd is many things in one box: it is never missed, and what lies in it is neither right nor wrong.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from worker.engine.measures.ratios import ratio
from worker.engine.statistics.resampling import CHUNK_NUMBERS, Array

OVERLAPS = np.linspace(0.5, 0.95, 10)
RECALLS = np.linspace(0.0, 1.0, 101)
# What COCO looks at in one image, of each class.
MOST_BOXES = 100


class Box(NamedTuple):
    """A thing of a class within left, top, right and bottom; a prediction has a score, and is no crowd."""

    label: str
    corners: tuple[float, float, float, float]
    score: float = 1.0
    is_crowd: bool = False


@dataclass(frozen=True)
class _Class:
    """The boxes of one class over all images, the surest first."""

    images: npt.NDArray[np.intp]  # (boxes,) which image
    right: npt.NDArray[np.bool_]  # (overlaps, boxes)
    counted: npt.NDArray[np.bool_]  # (overlaps, boxes) all but those in a crowd
    wanted: npt.NDArray[np.intp]  # (images,) how many the reference has


@dataclass(frozen=True)
class AveragePrecision:
    """The mean over classes and overlaps, which can be had again for resampled images."""

    classes: Sequence[_Class]
    overlaps: slice

    def value(self) -> float:
        """Return it over all images."""
        images = len(self.classes[0].wanted)
        return float(self.resampled(np.ones((1, images)))[0])

    def resampled(self, weights: Array) -> Array:
        """Return it for each row of weights over images; classes that a draw lacks are left out of its mean."""
        total, counted = np.zeros(len(weights)), np.zeros(len(weights))
        for found in self.classes:
            wanted = weights @ found.wanted
            for right, outside in zip(found.right[self.overlaps], found.counted[self.overlaps], strict=True):
                total += np.where(wanted > 0, _interpolated(right, outside, found.images, weights, wanted), 0.0)
                counted += wanted > 0
        return ratio(total, counted)


@dataclass(frozen=True)
class Detections:
    """Predictions matched with the reference."""

    labels: list[str]
    classes: list[_Class]

    def average_precision(self) -> AveragePrecision:
        """Return the mean over overlaps .50 to .95: COCO's AP."""
        return AveragePrecision(self.classes, slice(None))

    def average_precision_at_half(self) -> AveragePrecision:
        """Return AP at an overlap of one half."""
        return AveragePrecision(self.classes, slice(0, 1))

    def per_class(self) -> list[dict[str, float | str | int]]:
        """Return AP and the number of boxes of each class that the reference has."""
        return [
            {"label": label, "ap": AveragePrecision([found], slice(None)).value(), "support": int(found.wanted.sum())}
            for label, found in zip(self.labels, self.classes, strict=True)
        ]


def match(golds: Sequence[Sequence[Box]], predictions: Sequence[Sequence[Box]]) -> Detections:
    """Match the boxes of every image; a class that the reference never has, but in crowds, is left out as in COCO."""
    labels = sorted({box.label for boxes in golds for box in boxes if not box.is_crowd})
    return Detections(labels, [_matched_class(golds, predictions, label) for label in labels])


def overlaps_of(first: Array, second: Array, crowds: npt.NDArray[np.bool_] | None = None) -> Array:
    """Return intersection over union (n, m) of corners (n, 4) and (m, 4); with a crowd, over the first box alone."""
    low = np.maximum(first[:, None, :2], second[None, :, :2])
    high = np.minimum(first[:, None, 2:], second[None, :, 2:])
    shared = np.clip(high - low, 0, None).prod(axis=2)
    areas = [np.clip(corners[:, 2:] - corners[:, :2], 0, None).prod(axis=1) for corners in (first, second)]
    union = areas[0][:, None] + areas[1][None, :] - shared
    if crowds is not None:
        union = np.where(crowds[None, :], areas[0][:, None], union)
    return ratio(shared, union)


def _matched_class(golds: Sequence[Sequence[Box]], predictions: Sequence[Sequence[Box]], label: str) -> _Class:
    scores, images, right, counted = [], [], [], []
    wanted = np.zeros(len(golds), dtype=np.intp)
    for image, (reference, predicted) in enumerate(zip(golds, predictions, strict=True)):
        truth = [box for box in reference if box.label == label]
        boxes = sorted((box for box in predicted if box.label == label), key=lambda box: -box.score)[:MOST_BOXES]
        wanted[image] = sum(not box.is_crowd for box in truth)
        scores += [box.score for box in boxes]
        images += [image] * len(boxes)
        hits, crowded = _hits(truth, boxes)
        right.append(hits)
        counted.append(~crowded)
    order = np.argsort(-np.array(scores), kind="stable")
    return _Class(
        images=np.array(images, dtype=np.intp)[order],
        right=np.concatenate(right, axis=1)[:, order],
        counted=np.concatenate(counted, axis=1)[:, order],
        wanted=wanted,
    )


def _hits(truth: list[Box], boxes: list[Box]) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Return which boxes are right, and which lie in a crowd, each (overlaps, boxes)."""
    hits = np.zeros((len(OVERLAPS), len(boxes)), dtype=np.bool_)
    crowded = np.zeros_like(hits)
    if not truth or not boxes:
        return hits, crowded
    crowds = np.array([box.is_crowd for box in truth])
    given, wanted = (np.array([box.corners for box in side]) for side in (boxes, truth))
    overlaps = overlaps_of(given, wanted, crowds)
    for level, least in enumerate(OVERLAPS):
        free = ~crowds
        for place, row in enumerate(overlaps):
            near = row >= min(least, 1 - 1e-10)
            candidates = np.where(free & near, row, -1.0)
            # Of equal overlaps COCO takes the last.
            best = len(truth) - 1 - int(np.argmax(candidates[::-1]))
            if candidates[best] >= 0:
                hits[level, place], free[best] = True, False
            else:
                crowded[level, place] = bool((crowds & near).any())
    return hits, crowded


def _interpolated(
    right: npt.NDArray[np.bool_],
    counted: npt.NDArray[np.bool_],
    images: npt.NDArray[np.intp],
    weights: Array,
    wanted: Array,
) -> Array:
    """Return the mean over recall steps of the best precision at that recall or more (draws,)."""
    if not len(right):
        return np.zeros(len(weights))
    # There may be a hundred boxes in each image, and as many times the memory of the weights.
    chunk = max(1, CHUNK_NUMBERS // len(right))
    pieces = range(0, len(weights), chunk)
    return np.concatenate(
        [_envelope(right, counted, weights[at : at + chunk, images], wanted[at : at + chunk]) for at in pieces]
    )


def _envelope(right: npt.NDArray[np.bool_], counted: npt.NDArray[np.bool_], weights: Array, wanted: Array) -> Array:
    hits = np.cumsum(weights * right, axis=1)
    boxes = np.cumsum(weights * counted, axis=1)
    precision, recall = ratio(hits, boxes), ratio(hits, wanted[:, None])
    # From the right, so that precision never rises again with recall.
    precision = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
    found = np.zeros(len(weights))
    for draw in range(len(weights)):
        places = np.searchsorted(recall[draw], RECALLS, side="left")
        reached = places < recall.shape[1]
        found[draw] = precision[draw, places[reached]].sum() / len(RECALLS)
    return found
