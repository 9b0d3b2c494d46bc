"""The first images that a model got wrong: what it took them for, or the boxes that it missed and made up."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from leaderboard.examples import SHOWN, Drawn, Mistake, Pairs, label_in, value_in
from leaderboard.models import Benchmark
from leaderboard.pictures import Album

MAX_BOXES = 50
# What a user would be shown, and how much two boxes must share to be about the same thing.
SURE, SHARED = 0.5, 0.5
CORNERS = 4

Corners = tuple[float, float, float, float]  # left, top, right, bottom


def wrong_images(benchmark: Benchmark, pairs: Pairs) -> list[Mistake]:
    """Return the first images with another label than the right one."""
    album = Album()

    def found() -> Iterator[Mistake]:
        for row, answer in pairs:
            right, given = label_in(row.get(benchmark.fields["target"]), benchmark.labels), answer.get("label")
            picture = album.picture_of(row.get(benchmark.fields["input"]))
            if right is None or picture is None or right == given:
                continue
            scores = answer.get("scores")
            sure = scores.get(given) if isinstance(scores, dict) else None
            yield Mistake(
                id=str(answer.get("id", "")), text="", text2="", label=right, answer=str(given),
                confidence=sure if isinstance(sure, int | float) else None, picture=picture,
            )  # fmt: skip

    return list(islice(found(), SHOWN))


def wrong_boxes(benchmark: Benchmark, pairs: Pairs) -> list[Mistake]:
    """Return the first images in which a thing is missed or made up, with all boxes that matter."""
    album = Album()

    def found() -> Iterator[Mistake]:
        for row, answer in pairs:
            things, crowds = _reference(benchmark, row)
            boxes = _compared(things, [box for box in _given(answer) if not _lies_in(box, crowds)])
            missed = sum(box.verdict == "missed" for box in boxes)
            wrong = sum(box.verdict == "wrong" for box in boxes)
            picture = album.picture_of(row.get(benchmark.fields["input"])) if missed or wrong else None
            if picture is not None:
                yield Mistake(
                    id=str(answer.get("id", "")), text="", text2="", label=str(missed), answer=str(wrong),
                    confidence=None, picture=picture, boxes=boxes[:MAX_BOXES],
                )  # fmt: skip

    return list(islice(found(), SHOWN))


def _reference(
    benchmark: Benchmark, row: dict[str, Any]
) -> tuple[list[tuple[str, Corners]], list[tuple[str, Corners]]]:
    """Return the boxes of single things, and those of crowds."""
    value = value_in(row.get(benchmark.fields["target"]))
    things: Iterable[tuple[Any, Any, Any]] = ()
    if isinstance(value, dict):
        labels = value.get("category", value.get("label", value.get("labels")))
        boxes = value.get("bbox", value.get("boxes"))
        if isinstance(labels, list) and isinstance(boxes, list):
            things = zip(labels, boxes, value.get("iscrowd") or [0] * len(boxes), strict=False)
    elif isinstance(value, list):
        listed = [thing for thing in value if isinstance(thing, dict)]
        things = [
            (thing.get("category", thing.get("label")), thing.get("bbox", thing.get("box")), thing.get("iscrowd"))
            for thing in listed
        ]
    has_extent = benchmark.settings.get("box_format", "xywh") == "xywh"
    found: tuple[list[tuple[str, Corners]], list[tuple[str, Corners]]] = ([], [])
    for name, box, is_crowd in things:
        label, corners = label_in(name, benchmark.labels), _corners(box)
        if label is not None and corners is not None:
            left, top, third, fourth = corners
            found[bool(is_crowd)].append((label, (left, top, left + third, top + fourth) if has_extent else corners))
    return found


def _lies_in(box: tuple[str, Corners], crowds: Sequence[tuple[str, Corners]]) -> bool:
    """Say whether at least half of a box lies in a crowd of its class: then it is neither right nor wrong."""
    label, (left, top, right, bottom) = box
    for name, corners in crowds:
        wide, high = min(right, corners[2]) - max(left, corners[0]), min(bottom, corners[3]) - max(top, corners[1])
        if name == label and wide > 0 and high > 0 and wide * high >= SHARED * (right - left) * (bottom - top):
            return True
    return False


def _given(answer: dict[str, Any]) -> list[tuple[str, Corners]]:
    """Return the boxes of an answer that a user would be shown, the surest first."""
    boxes = answer.get("boxes")
    found = []
    for box in boxes if isinstance(boxes, list) else ():
        if not isinstance(box, dict):
            continue
        score, corners = box.get("score"), _corners(box.get("box"))
        if corners is not None and isinstance(score, int | float) and score >= SURE:
            found.append((float(score), str(box.get("label", "")), corners))
    found.sort(key=lambda box: -box[0])
    return [(label, corners) for _score, label, corners in found]


def _compared(reference: Sequence[tuple[str, Corners]], given: Sequence[tuple[str, Corners]]) -> list[Drawn]:
    """Return all boxes with what became of each; every thing can be found once."""
    free = list(reference)
    drawn = []
    for label, corners in given:
        fitting = [thing for thing in free if thing[0] == label and _shared(thing[1], corners) >= SHARED]
        if fitting:
            free.remove(max(fitting, key=lambda thing: _shared(thing[1], corners)))
        drawn.append(_drawn(label, corners, "right" if fitting else "wrong"))
    return [*(_drawn(*thing, "missed") for thing in free), *drawn]


def _shared(first: Corners, second: Corners) -> float:
    wide = min(first[2], second[2]) - max(first[0], second[0])
    high = min(first[3], second[3]) - max(first[1], second[1])
    if wide <= 0 or high <= 0:
        return 0.0
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (first, second)]
    return wide * high / (sum(areas) - wide * high)


def _drawn(label: str, corners: Corners, verdict: str) -> Drawn:
    left, top, right, bottom = corners
    return Drawn(label, left, top, right - left, bottom - top, verdict)


def _corners(box: object) -> Corners | None:
    if not isinstance(box, list) or len(box) != CORNERS:
        return None
    if not all(isinstance(side, int | float) and abs(side) < 1e6 for side in box):
        return None
    return float(box[0]), float(box[1]), float(box[2]), float(box[3])
