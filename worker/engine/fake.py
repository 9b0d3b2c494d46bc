"""A stand-in without torch that keeps the engine's contract: the same command line, files and kinds of answers.

Its predictions hang on a hash of the text alone. A "fake_engine" object in the model's config.json makes it fail or
dawdle on demand: {"error": "weights_incomplete", "message": "...", "seconds": 2}.
"""

import hashlib
import json
import struct
import sys
import time
from pathlib import Path
from typing import Any, get_args

from worker.engine import cli
from worker.engine.contracts import ENGINE_VERSION, EngineError, ErrorCode, EvaluateSpec, FieldSpec, TrainSpec
from worker.engine.decoding import read_json_object
from worker.engine.predictions import Prediction, digest_of, write_predictions
from worker.engine.progress import Progress
from worker.engine.provenance import cpu_name, peak_rss_bytes, versions
from worker.engine.rows import Row, read_questions, read_rows, write_lines

FAKE_VERSION = f"{ENGINE_VERSION}+fake"
CONFIG_LIMIT = 1 << 20
STEPS = 10
SURE = 0.9


def evaluate(spec: EvaluateSpec, progress: Progress) -> dict[str, Any]:
    """Answer every question by a hash of its text and write what the engine would write."""
    config = read_json_object(Path(spec.model_dir) / "config.json", limit=CONFIG_LIMIT, code="bad_config")
    _obey(config.get("fake_engine") or {}, progress)
    rows = read_questions(Path(spec.inputs))
    predictions = [_prediction(row, spec.labels) for row in rows]
    weights = [path.stat().st_size for path in sorted(Path(spec.model_dir).glob("*.safetensors"))]
    report: dict[str, Any] = {
        "engine_version": FAKE_VERSION,
        "task": spec.task,
        "rows": len(rows),
        "truncated_rows": 0,
        "max_length": spec.max_length or 512,
        "seed": spec.seed,
        "threads": spec.threads,
        "dtype": spec.dtype,
        "device": "cpu",
        "device_name": cpu_name(),
        "load_average": None,
        "versions": versions(),
        "model_type": str(config.get("model_type", "fake")),
        "architecture": "Fake",
        "parameters": sum(weights) // 4,
        "weights_bytes": sum(weights),
        "unused_tensors": 0,
        "label_map": {label: label for label in spec.labels},
        "load_seconds": 0.01,
        "predict_seconds": 0.01,
        "examples_per_second": 100.0 * len(rows),
        "latency": {"batch": 1, "samples": len(rows), "p50_ms": 1.0, "p90_ms": 2.0},
        "peak_rss_bytes": peak_rss_bytes(),
        "peak_device_bytes": None,
        "prediction_digest": digest_of(predictions),
    }
    out_dir = Path(spec.out_dir)
    out_dir.mkdir(parents=True, exist_ok=True)
    write_predictions(out_dir / "predictions.jsonl", predictions)
    (out_dir / "report.json").write_text(json.dumps(report, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    progress.report(1.0, "done", always=True)
    return report


def train(spec: TrainSpec, progress: Progress) -> dict[str, Any]:
    """Write the files of a trained model: a config, an empty vocabulary and weights without a tensor."""
    fields = FieldSpec(input=spec.text_field, target=spec.label_field)
    counts = {name: len(read_rows(Path(path), fields, spec.labels)) for name, path in _splits(spec)}
    out_dir = Path(spec.out_dir)
    out_dir.mkdir(parents=True, exist_ok=True)
    config = {
        "architectures": ["BertForSequenceClassification"],
        "model_type": "bert",
        "id2label": {str(index): label for index, label in enumerate(spec.labels)},
    }
    summary: dict[str, Any] = {
        "engine_version": FAKE_VERSION,
        "epochs": spec.epochs,
        "best_epoch": spec.epochs,
        "best_dev_accuracy": SURE,
        "best_dev_loss": 0.1,
        "train_rows": counts["train"],
        "dev_rows": counts["dev"],
        "steps": spec.epochs,
        "parameters": 0,
        "vocab_size": 0,
        "seed": spec.seed,
        "threads": spec.threads,
        "versions": versions(),
        "seconds": 0.01,
    }
    log = (
        {"epoch": epoch, "step": epoch, "total_steps": spec.epochs, "loss": 1 / epoch, "dev_accuracy": SURE}
        for epoch in range(1, spec.epochs + 1)
    )
    tokenizer = {"version": "1.0", "model": {"type": "WordLevel", "vocab": {}, "unk_token": "[UNK]"}}
    for name, content in (
        ("config.json", config),
        ("tokenizer.json", tokenizer),
        ("training_summary.json", summary),
    ):
        (out_dir / name).write_text(json.dumps(content, ensure_ascii=False) + "\n", encoding="utf-8")
    (out_dir / "model.safetensors").write_bytes(struct.pack("<Q", 8) + b"{}      ")
    write_lines(out_dir / "training_log.jsonl", log)
    progress.report(1.0, "done", always=True)
    return summary


VERBS = {
    **cli.VERBS,
    "evaluate": cli.Verb(EvaluateSpec, "worker.engine.fake", "evaluate"),
    "train": cli.Verb(TrainSpec, "worker.engine.fake", "train"),
}


def _obey(orders: dict[str, Any], progress: Progress) -> None:
    for step in range(STEPS):
        progress.report(step / STEPS, "pretending", always=True)
        time.sleep(float(orders.get("seconds", 0)) / STEPS)
    code: ErrorCode | None = orders.get("error")
    if code is not None:
        if code not in get_args(ErrorCode):
            raise EngineError("bad_config", f"fake_engine asks for an error that does not exist: {code}")
        raise EngineError(code, str(orders.get("message", f"The stand-in was told to fail with {code}.")))


def _prediction(row: Row, labels: list[str]) -> Prediction:
    digest = hashlib.sha256("\0".join([row.text, row.text2 or ""]).encode()).digest()
    winner = labels[int.from_bytes(digest[:8], "big") % len(labels)]
    rest = (1 - SURE) / (len(labels) - 1)
    return Prediction(row.id, winner, {label: SURE if label == winner else rest for label in labels})


def _splits(spec: TrainSpec) -> tuple[tuple[str, str], ...]:
    return (("train", spec.train), ("dev", spec.dev))


if __name__ == "__main__":
    sys.exit(cli.run(sys.argv[1:], VERBS))
