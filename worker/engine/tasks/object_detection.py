"""Images to boxes around things of known classes, by COCO's average precision."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from worker.engine.contracts import check_labels
from worker.engine.images import picture_of
from worker.engine.labels import resolve_some
from worker.engine.measures import detection
from worker.engine.measures.detection import AveragePrecision, Box
from worker.engine.records import Record
from worker.engine.tasks.task import Measure, Measured, Role, Task, Value, bad_gold, refused

MAX_GOLD = 2000
MAX_BOXES = 300  # of one answer; COCO looks at a hundred of each class
FARTHEST = 1e6  # pixels
ROW_BYTES = 4096
BOX_BYTES = 160
# Which boxes of an answer enter its digest: those that a user would be shown.
SURE = 0.5
CORNERS = 4


@dataclass(frozen=True, kw_only=True)
class DetectionSettings:
    """The classes of a benchmark, and how its boxes are written: as COCO's left, top, width, height, or corners."""

    labels: list[str]
    label_map: dict[str, str] | None = field(default=None)
    box_format: Literal["xywh", "xyxy"] = "xywh"

    def __post_init__(self) -> None:
        check_labels(self.labels, least=1)


class ObjectDetection(Task[DetectionSettings]):
    """Boxes with a class and a score."""

    name = "object-detection"
    roles = {"input": Role(default="image"), "target": Role(default="objects")}
    settings_type = DetectionSettings
    heads = ("ForObjectDetection",)
    answering = "worker.engine.answering.detecting"
    # Two boxes with the same score to six digits may change places from one machine to the next.
    measures = (
        Measure("box_ap", "corpus", tolerance=1e-3),
        Measure("box_ap50", "corpus", tolerance=1e-3),
    )
    default_primary = "box_ap"
    reads_text = False

    def read(self, record: Record, settings: DetectionSettings) -> tuple[Value, Value]:
        """Return the image, and the boxes of the reference by their corners."""
        boxes = [
            {"label": record.one_label("target", label, settings.labels), "box": _corners(record, box, settings)}
            | ({"crowd": True} if is_crowd else {})
            for label, box, is_crowd in _objects(record)
        ]
        return picture_of(record, "input").as_value(), {"boxes": boxes}

    def fit(self, own: list[str], settings: DetectionSettings) -> list[str | None]:
        """Return the class that each output leads to; what a benchmark does not ask for leads nowhere."""
        places = resolve_some(own, settings.labels, settings.label_map)
        return [None if place is None else settings.labels[place] for place in places]

    def check_gold(self, value: Value, settings: DetectionSettings) -> Value:
        """Return the boxes of the reference, each of a known class."""
        boxes = value.get("boxes")
        if set(value) != {"boxes"} or not isinstance(boxes, list) or len(boxes) > MAX_GOLD:
            raise bad_gold("it has no list of boxes")
        if not all(isinstance(box, dict) and set(box) - {"crowd"} == {"label", "box"} for box in boxes):
            raise bad_gold("it has a box that is not a label and corners")
        if not all(box.get("crowd", True) is True for box in boxes):
            raise bad_gold("it has a box that may be a crowd or not")
        if not all(box["label"] in settings.labels and _are_corners(box["box"]) for box in boxes):
            raise bad_gold("it has a box of an unknown class, or without four corners")
        return value

    def max_row_bytes(self, settings: DetectionSettings) -> int:
        """Return the room for all boxes of an image: an escaped character takes 12 bytes at most."""
        return ROW_BYTES + MAX_BOXES * (BOX_BYTES + 12 * max(map(len, settings.labels)))

    def check(self, value: Value, gold: Value, settings: DetectionSettings) -> Value:
        """Return boxes with a known class, finite corners and a score from 0 to 1."""
        boxes = value.get("boxes")
        if set(value) != {"boxes"} or not isinstance(boxes, list):
            raise refused("must have exactly id and a list of boxes")
        if len(boxes) > MAX_BOXES:
            raise refused(f"must have at most {MAX_BOXES} boxes")
        known = set(settings.labels)
        for box in boxes:
            if not isinstance(box, dict) or set(box) != {"label", "box", "score"}:
                raise refused("has a box that is not a label, corners and a score")
            if not isinstance(box["label"], str) or box["label"] not in known:
                raise refused("has a box of a class that the benchmark does not know")
            if not _are_corners(box["box"]):
                raise refused("has a box whose corners are not left, top, right and bottom")
            if not _is_number(box["score"]) or not 0 <= box["score"] <= 1:
                raise refused("has a score that is not a number from 0 to 1")
        return value

    def digest_part(self, prediction: Value) -> list[str]:
        """Return the classes of the boxes that a user would be shown; corners and scores move between machines."""
        return sorted(box["label"] for box in prediction["boxes"] if box["score"] >= SURE)

    def pretend(self, numbers: Iterator[float], question: Value, settings: DetectionSettings) -> Value:
        """Return one or two boxes somewhere in the image."""
        labels = settings.labels
        wide, high = question.get("width", 100), question.get("height", 100)
        boxes = []
        for _number in range(1 + int(2 * next(numbers))):
            left, top = (0.5 * next(numbers) * side for side in (wide, high))
            corners = [round(side, 3) for side in (left, top, left + 0.4 * wide, top + 0.4 * high)]
            label = labels[int(next(numbers) * len(labels))]
            boxes.append({"label": label, "box": corners, "score": round(next(numbers), 6)})
        return {"boxes": boxes}

    def measure(self, golds: Sequence[Value], predictions: Sequence[Value], settings: DetectionSettings) -> Measured:
        """Return average precision, in all and of each class."""
        found = detection.match([_boxes(row) for row in golds], [_boxes(row) for row in predictions])
        if not found.classes:
            raise bad_gold("no image of the benchmark has a box")
        return Measured(
            corpus={"box_ap": found.average_precision(), "box_ap50": found.average_precision_at_half()},
            details={"per_box_class": _per_class(found, predictions)},
            floors={"nothing": {"metrics": {"box_ap": 0.0, "box_ap50": 0.0}}},
        )


def _objects(record: Record) -> list[tuple[Any, Any, bool]]:
    """Return label, box and whether it is a crowd: of lists, as exports of Hugging Face have them, or of one list."""
    value = record.parsed("target")
    if isinstance(value, dict):
        labels = value.get("category", value.get("label", value.get("labels")))
        boxes = value.get("bbox", value.get("boxes"))
        crowds = value.get("iscrowd") or [None] * (len(labels) if isinstance(labels, list) else 0)
        if not isinstance(labels, list) or not isinstance(boxes, list) or len(labels) != len(boxes):
            raise record.bad("target", 'must have "bbox" and "category", two lists of the same length')
        pairs = list(zip(labels, boxes, strict=True))
    elif isinstance(value, list) and all(isinstance(thing, dict) for thing in value):
        pairs = [(thing.get("category", thing.get("label")), thing.get("bbox", thing.get("box"))) for thing in value]
        crowds = [thing.get("iscrowd") for thing in value]
    else:
        raise record.bad("target", 'must be {"bbox": [...], "category": [...]} or a list of such')
    if len(pairs) > MAX_GOLD:
        raise record.bad("target", f"has more than {MAX_GOLD} boxes")
    if not isinstance(crowds, list) or len(crowds) != len(pairs) or not all(_is_flag(flag) for flag in crowds):
        raise record.bad("target", 'has an "iscrowd" that is not 0 or 1 for each box')
    return [(label, box, bool(flag)) for (label, box), flag in zip(pairs, crowds, strict=True)]


def _is_flag(value: object) -> bool:
    return value is None or (isinstance(value, int) and value in (0, 1))


def _corners(record: Record, box: Any, settings: DetectionSettings) -> list[float]:
    if not isinstance(box, list) or len(box) != CORNERS or not all(_is_number(side) for side in box):
        raise record.bad("target", "has a box that is not a list of four numbers")
    left, top, third, fourth = map(float, box)
    right, bottom = (left + third, top + fourth) if settings.box_format == "xywh" else (third, fourth)
    if right <= left or bottom <= top:
        hint = "width and height above 0" if settings.box_format == "xywh" else "its right bottom corner last"
        raise record.bad("target", f"has a box without an area: {settings.box_format} needs {hint}")
    return [left, top, right, bottom]


def _are_corners(value: object) -> bool:
    if not isinstance(value, list) or len(value) != CORNERS or not all(_is_number(side) for side in value):
        return False
    left, top, right, bottom = value
    return bool(left <= right and top <= bottom)


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and math.isfinite(value) and abs(value) <= FARTHEST


def _boxes(row: Value) -> list[Box]:
    return [
        Box(
            box["label"],
            (box["box"][0], box["box"][1], box["box"][2], box["box"][3]),
            box.get("score", 1.0),
            bool(box.get("crowd", False)),
        )
        for box in row["boxes"]
    ]


def _per_class(found: detection.Detections, predictions: Sequence[Value]) -> list[dict[str, Any]]:
    counts: dict[str, int] = {}
    for row in predictions:
        for label in ObjectDetection.digest_part(ObjectDetection(), row):
            counts[label] = counts.get(label, 0) + 1
    return [
        {
            **row,
            "ap50": AveragePrecision([of_class], slice(0, 1)).value(),
            "predicted": counts.get(str(row["label"]), 0),
        }
        for row, of_class in zip(found.per_class(), found.classes, strict=True)
    ]
