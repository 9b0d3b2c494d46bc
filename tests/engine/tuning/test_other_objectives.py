"""Vectors of texts, hidden words and images are learned, and evaluations read the results."""

import json
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from tests.engine.builders import write_jsonl
from tests.engine.tuning.arranged import records, run
from worker.engine.tuning.contracts import Architecture, FinetuneSpec, Recipe

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("hurried")]

SMALL = Architecture(
    tokenizer="wordpiece", vocab_size=150, hidden=32, layers=1, heads=2, intermediate=64, max_positions=32
)
ANIMALS, TOOLS = ["cat", "dog", "cow", "fox"], ["saw", "axe", "pen", "cup"]


def arranged(folder: Path, rows: list[tuple[dict[str, Any], dict[str, Any]]]) -> str:
    folder.mkdir(parents=True, exist_ok=True)
    lines = [{"id": str(at), "question": question, "gold": gold} for at, (question, gold) in enumerate(rows)]
    return str(write_jsonl(folder / "rows.jsonl", lines))


def spec(folder: Path, task: str, rows: str, **more: Any) -> FinetuneSpec:
    return FinetuneSpec(task=task, train=rows, dev=rows, out_dir=str(folder / "run"), **more)


def pairs() -> list[tuple[dict[str, Any], dict[str, Any]]]:
    words = ANIMALS + TOOLS
    return [
        ({"text": f"the {a} is here", "text2": f"here is a {b}"}, {"value": float((a in ANIMALS) == (b in ANIMALS))})
        for a in words
        for b in words
    ]


def evaluate(folder: Path, task: str, questions: list[dict[str, Any]], **settings: Any) -> list[Any]:
    from worker.engine.contracts import EvaluateSpec
    from worker.engine.evaluating import evaluate as verb
    from worker.engine.progress import Progress

    inputs = write_jsonl(folder / "inputs.jsonl", [{"id": str(at), **row} for at, row in enumerate(questions)])
    model, out = str(folder / "run/model"), folder / "answers"
    wanted = EvaluateSpec(task=task, model_dir=model, inputs=str(inputs), out_dir=str(out), settings=settings)
    verb(wanted, Progress(StringIO()))
    return [json.loads(line) for line in (out / "predictions.jsonl").read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("contrast", ["auto", "mse"])
def test_texts_that_are_alike_come_close(contrast, tmp_path):
    recipe = Recipe(epochs=6, lr=5e-3, batch_size=16, contrast=contrast, eval_every=24)
    run(spec(tmp_path, "sentence-similarity", arranged(tmp_path, pairs()), architecture=SMALL, recipe=recipe))
    [dev] = records(tmp_path / "run", "dev")
    assert dev["metrics"]["spearman"] > 0.8
    found = evaluate(tmp_path, "sentence-similarity", [question for question, _gold in pairs()])
    high = [row["similarity"] for row, (_question, gold) in zip(found, pairs(), strict=True) if gold["value"]]
    low = [row["similarity"] for row, (_question, gold) in zip(found, pairs(), strict=True) if not gold["value"]]
    assert min(high) > max(low) or sum(high) / len(high) > sum(low) / len(low) + 0.3
    assert (tmp_path / "run/model/modules.json").exists()


def test_pairs_without_a_score_are_learned_against_each_other(tmp_path):
    words = ANIMALS + TOOLS
    rows = [
        ({"text": f"the {word} is here", "text2": f"a {word}", "negative": "a spoon"}, {"value": 1.0}) for word in words
    ]
    recipe = Recipe(epochs=15, lr=5e-3, batch_size=8)
    run(spec(tmp_path, "sentence-similarity", arranged(tmp_path, rows * 2), architecture=SMALL, recipe=recipe))
    losses = [record["loss"] for record in records(tmp_path / "run", "step")]
    assert losses[-1] < 0.3 * losses[0]


def test_hidden_words_are_found_and_the_dev_loss_repeats(tmp_path):
    rows = [({"text": f"the {word} is here and the {word} is there"}, {}) for word in ANIMALS + TOOLS] * 4
    recipe = Recipe(epochs=8, lr=1e-2, batch_size=8)
    made = spec(tmp_path, "fill-mask", arranged(tmp_path, rows), architecture=SMALL, recipe=recipe)
    run(made)
    dev = [record["loss"] for record in records(tmp_path / "run", "dev")]
    assert dev[-1] < 0.7 * dev[0]
    run(replace(made, out_dir=str(tmp_path / "again")))
    assert [record["loss"] for record in records(tmp_path / "again", "dev")] == dev
    [found] = evaluate(tmp_path, "fill-mask", [{"text": "the cat is here and the [MASK] is there"}])
    assert found["words"]


def picture(value: int) -> dict[str, Any]:
    import base64
    from io import BytesIO

    from PIL import Image

    raw = BytesIO()
    Image.new("RGB", (12, 12), (value, 255 - value, 100)).save(raw, "PNG")
    return {"image": base64.b64encode(raw.getvalue()).decode(), "width": 12, "height": 12}


@pytest.mark.parametrize("method", ["full", "lora"])
def test_images_get_new_labels(method, tmp_path):
    from tests.engine.vision_models import save_random

    save_random("vit", tmp_path / "base", ["a", "b", "c"])
    rows = [(picture(value), {"label": "red" if value > 127 else "green"}) for value in range(0, 256, 8)]
    recipe = Recipe(epochs=10, lr=1e-2, batch_size=8, method=method, eval_every=40)
    made = spec(
        tmp_path,
        "image-classification",
        arranged(tmp_path, rows),
        recipe=recipe,
        model_dir=str(tmp_path / "base"),
        settings={"labels": ["green", "red"]},
    )
    summary = run(made)
    assert set(summary["fresh"]) == {"classifier.weight", "classifier.bias"}
    [dev] = records(tmp_path / "run", "dev")
    assert dev["metrics"]["accuracy"] > 0.9
    if method == "full":
        found = evaluate(
            tmp_path, "image-classification", [question for question, _gold in rows], labels=["green", "red"]
        )
        right = [row["label"] == gold["label"] for row, (_question, gold) in zip(found, rows, strict=True)]
        assert sum(right) / len(right) > 0.9
