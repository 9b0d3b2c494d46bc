"""A stand-in without torch that keeps the engine's contract: the same command line, files and kinds of answers.

Its answers hang on a hash of the question alone. A "fake_engine" object in the model's config.json makes it fail or
dawdle on demand: {"error": "weights_incomplete", "message": "...", "seconds": 2, "turn_seconds": 1}.
"""

import hashlib
import json
import struct
import sys
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any, get_args

from worker.engine import cli
from worker.engine.answering.answers import Answers
from worker.engine.contracts import ENGINE_VERSION, EngineError, ErrorCode, EvaluateSpec, TrainSpec
from worker.engine.decoding import read_json_object
from worker.engine.evaluating import answer_all
from worker.engine.progress import Progress
from worker.engine.provenance import cpu_name, versions
from worker.engine.rows import Questions, read_labelled, write_lines
from worker.engine.tasks.task import Task, Value

FAKE_VERSION = f"{ENGINE_VERSION}+fake"
CONFIG_LIMIT = 1 << 20
STEPS = 10
SURE = 0.9


def evaluate(spec: EvaluateSpec, progress: Progress) -> dict[str, Any]:
    """Answer every question by a hash of it and write what the engine would write."""
    config = read_json_object(Path(spec.model_dir) / "config.json", limit=CONFIG_LIMIT, code="bad_config")
    _obey(config.get("fake_engine") or {}, progress)
    return answer_all(spec, progress, _answer, version=FAKE_VERSION, device="cpu")


def _answer(task: Task[Any], spec: EvaluateSpec, settings: Any, questions: Questions, progress: Progress) -> Answers:
    config = read_json_object(Path(spec.model_dir) / "config.json", limit=CONFIG_LIMIT, code="bad_config")
    predictions = [task.pretend(_numbers(value), value, settings) for value in questions.values]
    time.sleep(float((config.get("fake_engine") or {}).get("turn_seconds", 0)))
    weights = [path.stat().st_size for path in sorted(Path(spec.model_dir).glob("*.safetensors"))]
    report: dict[str, Any] = {
        "truncated_rows": 0,
        "max_length": spec.max_length or 512,
        "label_map": {label: label for label in spec.settings.get("labels", ())},
        "device": "cpu",
        "device_name": cpu_name(),
        "model_type": str(config.get("model_type", "fake")),
        "architecture": "Fake",
        "parameters": sum(weights) // 4,
        "weights_bytes": sum(weights),
        "unused_tensors": 0,
        "load_seconds": 0.01,
        "predict_seconds": 0.01,
        "latency": {"batch": 1, "warm_up": 10, "samples": 100, "p50_ms": 1.0, "p90_ms": 2.0, "p99_ms": 3.0},
        "peak_device_bytes": None,
    }
    return Answers(predictions=predictions, report=report)


def train(spec: TrainSpec, progress: Progress) -> dict[str, Any]:
    """Write the files of a trained model: a config, an empty vocabulary and weights without a tensor."""
    counts = {
        name: len(read_labelled(Path(path), spec.text_field, spec.label_field, spec.labels))
        for name, path in _splits(spec)
    }
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


def _obey(orders: dict[str, Any], progress: Progress) -> None:
    for step in range(STEPS):
        progress.report(step / STEPS, "pretending", always=True)
        time.sleep(float(orders.get("seconds", 0)) / STEPS)
    code: ErrorCode | None = orders.get("error")
    if code is not None:
        if code not in get_args(ErrorCode):
            raise EngineError("bad_config", f"fake_engine asks for an error that does not exist: {code}")
        raise EngineError(code, str(orders.get("message", f"The stand-in was told to fail with {code}.")))


def _numbers(question: Value) -> Iterator[float]:
    """Yield numbers from 0 to 1 that hang on the question alone."""
    raw = json.dumps(question, sort_keys=True).encode()
    for turn in count():
        digest = hashlib.sha256(b"%d %s" % (turn, raw)).digest()
        yield from (int.from_bytes(digest[at : at + 4], "big") / 2**32 for at in range(0, len(digest), 4))


def _splits(spec: TrainSpec) -> tuple[tuple[str, str], ...]:
    return (("train", spec.train), ("dev", spec.dev))


if __name__ == "__main__":
    sys.exit(cli.run(sys.argv[1:], cli.FAKE_VERBS))
