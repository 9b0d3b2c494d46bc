"""Average precision as pycocotools computes it."""

import contextlib
import io
from collections.abc import Sequence

from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from worker.engine.measures.detection import Box


def coco(golds: list[list[Box]], predictions: list[list[Box]], labels: Sequence[str]) -> tuple[float, float]:
    """Ask pycocotools for AP and AP at one half."""

    def wide(box: Box) -> list[float]:
        left, top, right, bottom = box.corners
        return [left, top, right - left, bottom - top]

    truth = [(image, box) for image, boxes in enumerate(golds) for box in boxes]
    with contextlib.redirect_stdout(io.StringIO()):
        reference = COCO()
        reference.dataset = {
            "images": [{"id": image + 1} for image in range(len(golds))],
            "categories": [{"id": number + 1} for number in range(len(labels))],
            "annotations": [
                {
                    "id": number + 1,
                    "image_id": image + 1,
                    "category_id": labels.index(box.label) + 1,
                    "bbox": wide(box),
                    "area": wide(box)[2] * wide(box)[3],
                    "iscrowd": int(box.is_crowd),
                }
                for number, (image, box) in enumerate(truth)
            ],
        }
        reference.createIndex()
        found = reference.loadRes(
            [
                {
                    "image_id": image + 1,
                    "category_id": labels.index(box.label) + 1,
                    "bbox": wide(box),
                    "score": box.score,
                }
                for image, boxes in enumerate(predictions)
                for box in boxes
            ]
        )
        judge = COCOeval(reference, found, "bbox")
        judge.evaluate()
        judge.accumulate()
        judge.summarize()
    return float(judge.stats[0]), float(judge.stats[1])
