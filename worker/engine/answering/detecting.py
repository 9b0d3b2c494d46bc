"""Models that draw boxes around things in an image: detectors with one box for each of their queries."""

import time
from collections.abc import Sequence

import numpy as np
import torch

from worker.engine.answering.answers import Answers
from worker.engine.answering.linear_layers import multiply_with_onednn
from worker.engine.answering.measuring import described, latency, speed
from worker.engine.answering.pictures import pixels_of, plan
from worker.engine.contracts import EvaluateSpec
from worker.engine.inference import Logits, check_finite, run_planned
from worker.engine.load_vision import LoadedVision, load_vision
from worker.engine.progress import Progress
from worker.engine.rows import Questions
from worker.engine.tasks.heads import SCORE_DIGITS
from worker.engine.tasks.object_detection import MAX_BOXES, DetectionSettings, ObjectDetection
from worker.engine.tasks.task import Value

CORNER_DIGITS = 3


def answer(
    task: ObjectDetection,
    spec: EvaluateSpec,
    settings: DetectionSettings,
    questions: Questions,
    progress: Progress,
) -> Answers:
    """Find the things in every image, in batches of one size."""
    model = load_vision(spec.model_dir, heads=task.heads, dtype=spec.dtype, device=spec.device)
    multiply_with_onednn(model.model)
    labels = task.fit(model.config.labels, settings)
    images = questions.values
    found: list[list[Value]] = [[] for _image in images]
    started = time.perf_counter()

    def detect(batch: list[int]) -> None:
        logits, boxes = _output(model, [images[index] for index in batch])
        for row, index in enumerate(batch):
            found[index] = _things(logits[row], boxes[row], images[index], labels)

    run_planned(
        model.device,
        plan(model, images, spec.token_budget),
        detect,
        done=lambda count: progress.report(0.9 * count / len(images), f"{count} of {len(images)} images"),
        questions="images",
    )
    seconds = time.perf_counter() - started
    progress.report(0.9, "measuring latency", always=True)

    def answer_one(image: Value) -> None:
        with torch.inference_mode():
            _output(model, [image])

    known = {own: label for own, label in zip(model.config.labels, labels, strict=True) if label is not None}
    report = {
        "label_map": known,
        **speed(seconds, len(images)),
        "latency": latency(images, answer_one),
        **described(model),
    }
    return Answers(predictions=[{"boxes": boxes} for boxes in found], report=report)


def _output(model: LoadedVision, images: Sequence[Value]) -> tuple[Logits, Logits]:
    """Return logits (rows, queries, labels + none) and boxes (rows, queries, 4): centre and extent, from 0 to 1."""
    output = model.model(pixel_values=pixels_of(model, images))
    logits, boxes = (part.double().cpu().numpy() for part in (output.logits, output.pred_boxes))
    check_finite(logits)
    check_finite(boxes)
    return logits, boxes


def _things(logits: Logits, boxes: Logits, image: Value, labels: Sequence[str | None]) -> list[Value]:
    """Return the most probable class of each query with its box, the surest first, as transformers reads them."""
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares = (shifted / shifted.sum(axis=1, keepdims=True))[:, :-1]  # the last one says that nothing is there
    winners = shares.argmax(axis=1)
    scores = shares[np.arange(len(shares)), winners]
    extent = np.array([image["width"], image["height"]] * 2)
    corners = np.concatenate([boxes[:, :2] - boxes[:, 2:] / 2, boxes[:, :2] + boxes[:, 2:] / 2], axis=1) * extent
    found = []
    for query in np.argsort(-scores, kind="stable").tolist():
        label = labels[int(winners[query])]
        if label is not None:
            box = [round(side, CORNER_DIGITS) for side in corners[query].tolist()]
            found.append({"label": label, "box": box, "score": round(float(scores[query]), SCORE_DIGITS)})
    return found[:MAX_BOXES]
