"""The models of the demo: three sizes of one encoder, trained from scratch where the portal runs."""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from demo.engine import OnLine, OnProgress, run_engine
from demo.files import write_text
from demo.measuring import Measure, measure
from demo.sentences import LABELS, Sentence
from worker.engine.contracts import ENGINE_VERSION, EvaluateSpec, TrainSpec


@dataclass(frozen=True, slots=True)
class Recipe:
    """A name and how to train what it names; the paths of the spec are filled in when it is run."""

    name: str
    title: str
    spec: TrainSpec


def _spec(**sizes: Any) -> TrainSpec:
    return TrainSpec(train="", dev="", out_dir="", labels=list(LABELS), max_length=128, seed=0, threads=1, **sizes)


# Fifteen settings were compared by their mean dev accuracy over seeds 0 to 2, which were a few points apart and within
# noise; two of the base size tied, and the one whose weaker language was stronger was taken. Seed 0 is published for
# all. A linear model over words or characters does about as well on so few sentences.
RECIPES = (
    Recipe(
        "bilingual-sentiment-tiny",
        "Bilingual Sentiment Tiny",
        _spec(
            vocab_size=2000, hidden=64, layers=2, heads=4, intermediate=128, epochs=15, lr=1e-3, token_budget=400,
            token_dropout=0.15,
        ),
    ),
    Recipe(
        "bilingual-sentiment-small",
        "Bilingual Sentiment Small",
        _spec(hidden=128, layers=2, heads=2, intermediate=256, epochs=20, lr=1e-3),
    ),
    Recipe(
        "bilingual-sentiment-base",
        "Bilingual Sentiment Base",
        _spec(hidden=224, layers=3, heads=4, intermediate=448, epochs=12, lr=5e-4, token_budget=400),
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class TrainedModel:
    """A model folder with what its training and the dev sentences say about it."""

    recipe: Recipe
    folder: Path
    summary: Mapping[str, Any]
    dev: list[Measure]


def train_model(recipe: Recipe, dataset: Path, dev: list[Sentence], workdir: Path, on_line: OnLine) -> TrainedModel:
    """Train a model unless workdir holds it, trained on the same data by the same recipe and engine."""
    folder, record_path = workdir / recipe.name, workdir / f"{recipe.name}.json"
    fingerprint = _fingerprint(recipe, dataset)
    record = _read_record(record_path)
    if record.get("fingerprint") != fingerprint or not folder.is_dir():
        on_line(f"Training {recipe.name}.")
        record = {"fingerprint": fingerprint, **_train(recipe, dataset, dev, folder, on_line)}
        # Written last: a model without its record counts as unfinished.
        write_text(record_path, json.dumps(record, indent=1) + "\n")
    measures = [Measure(**row) for row in record["dev"]]
    on_line(f"{recipe.name} is trained: {measures[0].accuracy:.1%} of {measures[0].n} dev sentences are right.")
    return TrainedModel(recipe, folder, record["summary"], measures)


def _train(recipe: Recipe, dataset: Path, dev: list[Sentence], folder: Path, on_line: OnLine) -> dict[str, Any]:
    folder.parent.mkdir(parents=True, exist_ok=True)
    # A fresh folder for each try: a training that outlived a killed parent must not write into this one.
    with tempfile.TemporaryDirectory(prefix=f".{recipe.name}-", dir=folder.parent) as scratch:
        attempt = Path(scratch)
        spec = replace(
            recipe.spec,
            train=str(dataset / "data" / "train.jsonl"),
            dev=str(dataset / "data" / "dev.jsonl"),
            out_dir=str(attempt / "model"),
        )
        summary = run_engine("train", spec, attempt, _in_quarters(recipe.name, on_line))
        measures = measure(dev, _answers(spec, dev, attempt))
        shutil.rmtree(folder, ignore_errors=True)
        os.replace(attempt / "model", folder)
    return {"summary": summary, "dev": [asdict(row) for row in measures]}


def _answers(spec: TrainSpec, dev: list[Sentence], attempt: Path) -> dict[str, str]:
    questions = attempt / "inputs.jsonl"
    lines = (json.dumps({"id": row.id, "text": row.text}, ensure_ascii=False) + "\n" for row in dev)
    questions.write_text("".join(lines), encoding="utf-8")
    job = EvaluateSpec(
        task="text-classification",
        model_dir=spec.out_dir,
        inputs=str(questions),
        out_dir=str(attempt / "dev"),
        settings={"labels": spec.labels},
        max_length=spec.max_length,
        threads=spec.threads,
        device="cpu",
    )
    run_engine("evaluate", job, attempt, lambda fraction, message: None)
    with (attempt / "dev" / "predictions.jsonl").open(encoding="utf-8") as file:
        return {row["id"]: row["label"] for row in map(json.loads, file)}


def _fingerprint(recipe: Recipe, dataset: Path) -> str:
    digest = hashlib.sha256(json.dumps([ENGINE_VERSION, asdict(recipe.spec)], sort_keys=True).encode())
    for name in ("train", "dev"):
        digest.update((dataset / "data" / f"{name}.jsonl").read_bytes())
    return digest.hexdigest()


def _read_record(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return record


def _in_quarters(name: str, on_line: OnLine) -> OnProgress:
    """Turn hundreds of progress lines into four."""
    passed = 0

    def on_progress(fraction: float, message: str) -> None:
        nonlocal passed
        if int(4 * fraction) > passed:
            passed = int(4 * fraction)
            on_line(f"{name}: {fraction:.0%}, {message}.")

    return on_progress
