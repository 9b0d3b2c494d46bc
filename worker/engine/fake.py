"""A stand-in without torch that keeps the engine's contract: the same command line, files and kinds of answers.

Its answers hang on a hash of the question alone. A "fake_engine" object in the model's config.json makes it fail or
dawdle on demand: {"error": "weights_incomplete", "message": "...", "seconds": 2, "turn_seconds": 1}.
"""

import hashlib
import json
import math
import os
import signal
import struct
import sys
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from random import Random
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
from worker.engine.tuning.contracts import (
    ARITHMETIC,
    CHECKPOINT_DIR,
    MODEL_DIR,
    REWRITTEN_FILE,
    SUMMARY_FILE,
    FinetuneSpec,
    RewriteSpec,
)
from worker.engine.tuning.log import Log
from worker.engine.tuning.search_contracts import ProposeSpec, Span

FAKE_VERSION = f"{ENGINE_VERSION}+fake"
CONFIG_LIMIT = 1 << 20
STEPS = 10
SURE = 0.9


def evaluate(spec: EvaluateSpec, progress: Progress) -> dict[str, Any]:
    """Answer every question by a hash of it and write what the engine would write."""
    _obey(_config(spec).get("fake_engine") or {}, progress)
    return answer_all(spec, progress, _answer, version=FAKE_VERSION, device="cpu")


def _config(spec: EvaluateSpec) -> dict[str, Any]:
    """Return config.json of the model, of an adapter alone that of its base."""
    path = Path(spec.model_dir) / "config.json"
    if spec.base_dir is not None and not path.exists():
        path = Path(spec.base_dir) / "config.json"
    return read_json_object(path, limit=CONFIG_LIMIT, code="bad_config")


def _answer(task: Task[Any], spec: EvaluateSpec, settings: Any, questions: Questions, progress: Progress) -> Answers:
    config = _config(spec)
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


def finetune(spec: FinetuneSpec, progress: Progress) -> dict[str, Any]:
    """Pretend to learn for ten steps, going on from a checkpoint, and write a model without a tensor.

    The score is made of the learning rate, so that a search has something to find.
    """
    out_dir = Path(spec.out_dir)
    base = _base(spec)
    state_path = out_dir / CHECKPOINT_DIR / "state.json"
    state = read_json_object(state_path, limit=CONFIG_LIMIT, code="bad_spec") if state_path.exists() else {}
    log = Log(out_dir, seq=int(state.get("seq", 0)))
    rate = spec.recipe.lr
    score = round(SURE - abs(math.log10(rate) + 3) / 10, 6)
    orders = base.get("fake_engine") or {}
    for step in range(int(state.get("step", 0)) + 1, STEPS + 1):
        progress.report(step / STEPS, "pretending", always=True)
        time.sleep(float(orders.get("seconds", 0)) / STEPS)
        log.write("step", step=step, steps=STEPS, epoch=step / STEPS, loss=1 / step, lr=rate, grad_norm=1.0)
        if step % 5 == 0:
            log.write("dev", step=step, epoch=step / STEPS, loss=1 / step, metrics={"f1_macro": score}, best=True)
            state_path.parent.mkdir(parents=True, exist_ok=True)
            part = state_path.with_suffix(".part")
            part.write_text(json.dumps({"arithmetic": ARITHMETIC, "step": step, "seq": log.seq}), encoding="utf-8")
            part.replace(state_path)
        if orders.get("die_at") == step and not state:
            time.sleep(float(orders.get("die_after", 1)))
            os.kill(os.getpid(), signal.SIGKILL)
    _obey({**orders, "seconds": 0}, progress)
    labels = spec.settings.get("labels", ["LABEL_0", "LABEL_1"])
    config = {
        "architectures": ["BertForSequenceClassification"],
        "model_type": "bert",
        "id2label": {str(index): label for index, label in enumerate(labels)},
    }
    tokenizer = {"version": "1.0", "model": {"type": "WordLevel", "vocab": {}, "unk_token": "[UNK]"}}
    model = out_dir / MODEL_DIR
    model.mkdir()
    for name, content in (("config.json", config), ("tokenizer.json", tokenizer)):
        (model / name).write_text(json.dumps(content, ensure_ascii=False) + "\n", encoding="utf-8")
    (model / "model.safetensors").write_bytes(struct.pack("<Q", 8) + b"{}      ")
    summary: dict[str, Any] = {"engine_version": FAKE_VERSION, "steps": STEPS, "best_value": score, "best_step": 5}
    (out_dir / SUMMARY_FILE).write_text(json.dumps(summary) + "\n", encoding="utf-8")
    progress.report(1.0, "done", always=True)
    return summary


def rewrite(spec: RewriteSpec, progress: Progress) -> dict[str, Any]:
    """Say that every text comes back with an exclamation mark."""
    rows = [json.loads(line) for line in Path(spec.train).read_text(encoding="utf-8").splitlines()]
    lines = [
        {"row": number, "words": {}, "back": {name: f"{text}!" for name, text in row["question"].items()}}
        for number, row in enumerate(rows)
    ]
    write_lines(Path(spec.out_dir) / REWRITTEN_FILE, lines)
    progress.report(1.0, "done", always=True)
    return {"rows": len(rows), "asked": len(lines)}


def propose(spec: ProposeSpec, progress: Progress) -> dict[str, Any]:
    """Draw options from their spans, evenly and always the same, without the second that optuna takes to start."""
    dice = Random(spec.seed + len(spec.trials))  # noqa: S311 - not for secrets
    params = [{name: _drawn(span, dice) for name, span in spec.space.items()} for _number in range(spec.count)]
    progress.report(1.0, "done", always=True)
    is_known = sum(trial.state == "finished" for trial in spec.trials) > 1
    return {"params": params, "importances": {name: 1 / len(spec.space) for name in spec.space} if is_known else {}}


def _drawn(span: Span, dice: Random) -> Any:
    if span.type == "choice":
        return dice.choice(span.choices)
    low, high = span.bounds()
    value = math.exp(dice.uniform(math.log(low), math.log(high))) if span.log else dice.uniform(low, high)
    value = min(max(value, low), high)
    return round(value) if span.type == "int" else value


def _base(spec: FinetuneSpec) -> dict[str, Any]:
    if spec.model_dir is None:
        return {}
    return read_json_object(Path(spec.model_dir) / "config.json", limit=CONFIG_LIMIT, code="bad_config")


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
