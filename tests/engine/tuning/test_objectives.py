"""Every kind of task learns what it is shown, and its dev scores are those of evaluations."""

import json
from collections.abc import Callable
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from tests.engine.builders import write_jsonl
from tests.engine.tuning.arranged import TINY, records, run, spec_of
from worker.engine.contracts import EvaluateSpec
from worker.engine.tuning.contracts import FinetuneSpec, Recipe

pytestmark = pytest.mark.engine

RECIPE = Recipe(epochs=8, lr=5e-3, batch_size=8)
COLOURS = ["red", "green", "blue", "grey"]


def several(n: int) -> dict[str, Any]:
    chosen = [colour for place, colour in enumerate(COLOURS[:3]) if n % (place + 2) == 0]
    return {"question": {"text": f"it is {' '.join(chosen)} indeed"}, "gold": {"labels": chosen}}


def number(n: int) -> dict[str, Any]:
    return {"question": {"text": "very " * (n % 4) + "good"}, "gold": {"value": (n % 4) / 2}}


def pair(n: int) -> dict[str, Any]:
    first, second = COLOURS[n % 4], COLOURS[(n // 4) % 4]
    return {"question": {"text": first, "text2": second}, "gold": {"label": "same" if first == second else "other"}}


def tags(n: int) -> dict[str, Any]:
    words = ["in", "Paris" if n % 2 else "London", "Ann" if n % 3 else "Bob", "sang-a-song"]
    return {"question": {"tokens": words}, "gold": {"tags": ["O", "B-LOC", "B-PER", "O"]}}


def span(n: int) -> dict[str, Any]:
    context = f"{COLOURS[n % 4]} was the colour of house {n % 7} and of nothing else"
    answers = [COLOURS[n % 4]] if n % 5 else []
    question = "which colour ?" if answers else "which shape ?"
    return {
        "question": {"question": question, "context": context},
        "gold": {"answers": answers, "passage": str(n), "starts": [0] if answers else []},
    }


CASES: dict[str, tuple[Callable[[int], dict[str, Any]], dict[str, Any], str, float]] = {
    "multi-label-classification": (several, {"labels": COLOURS[:3]}, "f1_micro", 0.7),
    "text-regression": (number, {}, "pearson", 0.7),
    "text-pair-classification": (pair, {"labels": ["same", "other"]}, "accuracy", 0.7),
    "token-classification": (tags, {"labels": ["O", "B-LOC", "I-LOC", "B-PER", "I-PER"]}, "f1_entities", 0.9),
    "question-answering": (span, {"no_answer": True}, "f1", 0.7),
}


def spec_for(task: str, folder: Path, **changes: Any) -> FinetuneSpec:
    make, settings, _metric, _least = CASES[task]
    folder.mkdir(exist_ok=True)
    rows = [{"id": str(n), **make(n)} for n in range(96)]
    return spec_of(
        folder,
        task=task,
        settings=settings,
        train=str(write_jsonl(folder / "rows.jsonl", rows)),
        dev=str(write_jsonl(folder / "dev_rows.jsonl", rows[:40])),
        **({"recipe": RECIPE} | changes),
    )


@pytest.mark.parametrize("task", CASES)
def test_a_task_is_learned_and_its_scores_are_those_of_evaluations(tmp_path: Path, task: str, hurried: None) -> None:
    from worker.engine.evaluating import evaluate
    from worker.engine.progress import Progress
    from worker.engine.tasks import find
    from worker.engine.tuning.objectives.objective import Row
    from worker.engine.tuning.watching import metrics_of

    _make, settings, metric, least = CASES[task]
    summary = run(spec_for(task, tmp_path))
    assert summary["best"]["metrics"][metric] > least
    rows = [json.loads(line) for line in (tmp_path / "dev_rows.jsonl").read_text(encoding="utf-8").splitlines()]
    inputs = write_jsonl(tmp_path / "inputs.jsonl", [{"id": row["id"], **row["question"]} for row in rows])
    evaluate(
        EvaluateSpec(
            task=task, model_dir=str(tmp_path / "run/model"), inputs=str(inputs), out_dir=str(tmp_path / "answers"),
            settings=settings,
        ),
        Progress(StringIO()),
    )  # fmt: skip
    answers = (tmp_path / "answers/predictions.jsonl").read_text(encoding="utf-8").splitlines()
    predictions = [{key: value for key, value in json.loads(line).items() if key != "id"} for line in answers]
    kind = find(task)
    golds = [Row(row["question"], row["gold"]) for row in rows]
    metrics = metrics_of(kind, kind.settings(settings), golds, predictions)
    assert metrics == pytest.approx(summary["best"]["metrics"], abs=1e-5)


def test_long_passages_are_read_in_windows_and_an_answer_is_in_one_of_them(tmp_path: Path) -> None:
    from tests.engine.tuning.test_hardening import _started
    from worker.engine.tuning.training import Training

    spec = spec_for("question-answering", tmp_path, recipe=replace(RECIPE, max_length=16))
    training = _started(spec, Training)
    of_first = [feature for feature in training.ready.features if feature.row == 1]
    assert len(of_first) > 1
    assert [feature.target != (0, 0) for feature in of_first] == [True, *[False] * (len(of_first) - 1)]
    start, end = of_first[0].target
    tokenizer = training.ready.basis.tokenizer
    assert tokenizer is not None
    assert tokenizer.decode(of_first[0].ids[start : end + 1].tolist()) == "green"


def test_only_the_first_token_of_a_word_is_labelled(tmp_path: Path) -> None:
    from tests.engine.tuning.test_hardening import _started
    from worker.engine.tuning.objectives.objective import IGNORED
    from worker.engine.tuning.training import Training

    small = replace(TINY, vocab_size=50)
    training = _started(spec_for("token-classification", tmp_path, architecture=small), Training)
    feature = training.ready.features[0]
    assert len(feature.ids) > 6
    assert (feature.target != IGNORED).sum() == feature.units == 4
    assert feature.target[0] == feature.target[-1] == IGNORED


@pytest.mark.parametrize("changes", [{"class_weights": "balanced"}, {"label_smoothing": 0.1}])
def test_weights_of_classes_and_smoothing_change_what_is_learned(tmp_path: Path, changes: dict[str, Any]) -> None:
    short = replace(RECIPE, max_steps=1)
    losses = []
    for name, recipe in (("plain", short), ("changed", replace(short, **changes))):
        run(spec_for("text-pair-classification", tmp_path / name, recipe=recipe))
        losses.append(records(tmp_path / name / "run", "step")[0]["loss"])
    assert losses[0] != losses[1]
