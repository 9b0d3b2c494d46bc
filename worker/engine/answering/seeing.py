"""Models that say what an image shows: classifiers of images."""

import time

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
from worker.engine.tasks.choices import LabelSettings
from worker.engine.tasks.image_classification import ImageClassification
from worker.engine.tasks.task import Value


def answer(
    task: ImageClassification,
    spec: EvaluateSpec,
    settings: LabelSettings,
    questions: Questions,
    progress: Progress,
) -> Answers:
    """Classify every image in batches of one size."""
    model = load_vision(
        spec.model_dir, heads=task.heads, problem_types=task.problem_types, dtype=spec.dtype, device=spec.device
    )
    multiply_with_onednn(model.model)
    positions = task.fit(model.config.labels, settings)
    images = questions.values
    started = time.perf_counter()
    logits = np.empty((len(images), len(model.config.labels)), dtype=np.float64)

    def see(batch: list[int]) -> None:
        logits[batch] = _logits(model, [images[index] for index in batch])

    run_planned(
        model.device,
        plan(model, images, spec.token_budget),
        see,
        done=lambda count: progress.report(0.9 * count / len(images), f"{count} of {len(images)} images"),
        questions="images",
    )
    check_finite(logits)
    seconds = time.perf_counter() - started
    progress.report(0.9, "measuring latency", always=True)

    def answer_one(image: Value) -> None:
        with torch.inference_mode():
            _logits(model, [image])

    report = {
        "label_map": task.reading(model.config.labels, positions, settings),
        **speed(seconds, len(images)),
        "latency": latency(images, answer_one),
        **described(model),
    }
    return Answers(predictions=task.answers(logits, positions, settings), report=report)


def _logits(model: LoadedVision, images: list[Value]) -> Logits:
    found: Logits = model.model(pixel_values=pixels_of(model, images)).logits.double().cpu().numpy()  # (rows, labels)
    return found
