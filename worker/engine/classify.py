"""Answer a benchmark with one model and say what it took: predictions.jsonl and report.json."""

import json
import random
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from worker.engine.contracts import ENGINE_VERSION, EvaluateSpec
from worker.engine.inference import Logits, forward, predict_logits, softmax
from worker.engine.labels import resolve_labels
from worker.engine.load import Classifier, load_classifier
from worker.engine.predictions import Prediction, digest_of, write_predictions
from worker.engine.progress import Progress
from worker.engine.provenance import cpu_name, load_average, peak_rss_bytes, versions
from worker.engine.rows import Row, read_questions

LATENCY_WARM_UP = 5
LATENCY_SAMPLES = 50
LATENCY_SECONDS = 10.0


def evaluate(spec: EvaluateSpec, progress: Progress) -> dict[str, Any]:
    """Write predictions.jsonl and report.json into spec.out_dir and return the report."""
    busy = load_average()
    repeatable(spec.seed, spec.threads)
    rows = read_questions(Path(spec.inputs))
    progress.report(0.0, "loading the model", always=True)
    classifier = load_classifier(spec.model_dir, dtype=spec.dtype, device=spec.device)
    positions = resolve_labels(classifier.config.labels, spec.labels, spec.label_map)
    max_length = classifier.max_length(spec.max_length)
    progress.report(0.05, "tokenising", always=True)
    started = time.perf_counter()
    tokens = classifier.tokenizer.tokenize(
        rows, max_length=max_length, vocab_size=classifier.vocab_size, filler=classifier.pad_id or 0
    )
    logits = predict_logits(
        classifier,
        tokens,
        budget=spec.token_budget,
        done=lambda count: progress.report(0.1 + 0.8 * count / len(rows), f"{count} of {len(rows)} texts"),
    )
    seconds = time.perf_counter() - started
    predictions = _predictions(rows, softmax(logits), positions, spec.labels)
    progress.report(0.9, "measuring latency", always=True)
    report: dict[str, Any] = {
        "engine_version": ENGINE_VERSION,
        "task": spec.task,
        "rows": len(rows),
        "truncated_rows": sum(row.truncated for row in tokens),
        "max_length": max_length,
        "seed": spec.seed,
        "threads": spec.threads,
        "dtype": spec.dtype,
        "device": classifier.device.type,
        "device_name": _device_name(classifier.device),
        "load_average": busy,
        "versions": versions(),
        "model_type": classifier.config.config.model_type,
        "architecture": classifier.config.model_class.__name__,
        "parameters": classifier.parameters,
        "weights_bytes": classifier.weights_bytes,
        "unused_tensors": len(classifier.unused_tensors),
        "label_map": {
            name: spec.labels[position] for name, position in zip(classifier.config.labels, positions, strict=True)
        },
        "load_seconds": round(classifier.load_seconds, 4),
        "predict_seconds": round(seconds, 4),
        "examples_per_second": round(len(rows) / seconds, 2),
        "latency": _latency(classifier, rows, max_length),
        "peak_rss_bytes": peak_rss_bytes(),
        "peak_device_bytes": torch.cuda.max_memory_allocated() if classifier.device.type == "cuda" else None,
        "prediction_digest": digest_of(predictions),
    }
    out_dir = Path(spec.out_dir)
    out_dir.mkdir(parents=True, exist_ok=True)
    write_predictions(out_dir / "predictions.jsonl", predictions)
    (out_dir / "report.json").write_text(json.dumps(report, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    progress.report(1.0, "done", always=True)
    return report


def repeatable(seed: int, threads: int) -> None:
    """Fix everything that would let the same job answer differently the second time."""
    torch.set_num_threads(threads)
    random.seed(seed)
    torch.manual_seed(seed)
    # Some GPU operations have no deterministic form; a warning is better than no answer.
    torch.use_deterministic_algorithms(mode=True, warn_only=True)
    torch.backends.cudnn.benchmark = False


def _predictions(
    rows: Sequence[Row], probabilities: Logits, positions: list[int], labels: list[str]
) -> list[Prediction]:
    merged = np.zeros((len(rows), len(labels)))
    # Several labels of a model may lead to one of the benchmark; their probabilities add up.
    for own, position in enumerate(positions):
        merged[:, position] += probabilities[:, own]
    merged = np.minimum(merged, 1.0)
    winners = merged.argmax(axis=1)
    return [
        Prediction(row.id, labels[winner], dict(zip(labels, scores, strict=True)))
        for row, winner, scores in zip(rows, winners.tolist(), merged.tolist(), strict=True)
    ]


def _latency(classifier: Classifier, rows: Sequence[Row], max_length: int) -> dict[str, Any]:
    """Time texts one by one, tokenising included: what a user of the model waits for.

    The sample is fixed by the data, evenly spread over the file, and cut short for a slow model.
    """
    spread = np.linspace(0, len(rows) - 1, min(len(rows), LATENCY_SAMPLES))
    sample = [rows[round(position)] for position in spread.tolist()]
    warm_up = [sample[index % len(sample)] for index in range(LATENCY_WARM_UP)]
    started = time.perf_counter()
    for row in warm_up:
        _answer(classifier, row, max_length)
        if time.perf_counter() - started > LATENCY_SECONDS:
            break
    times: list[float] = []
    started = time.perf_counter()
    for row in sample:
        before = time.perf_counter()
        _answer(classifier, row, max_length)
        times.append(1000 * (time.perf_counter() - before))
        if time.perf_counter() - started > LATENCY_SECONDS:
            break
    return {
        "batch": 1,
        "samples": len(times),
        "p50_ms": round(float(np.percentile(times, 50)), 3),
        "p90_ms": round(float(np.percentile(times, 90)), 3),
    }


def _answer(classifier: Classifier, row: Row, max_length: int) -> None:
    tokens = classifier.tokenizer.tokenize(
        [row], max_length=max_length, vocab_size=classifier.vocab_size, filler=classifier.pad_id or 0
    )
    with torch.inference_mode():
        forward(classifier, tokens)


def _device_name(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else cpu_name()
