"""What is read of own examples is what the engine takes, for every kind of task that they can be of."""

import json
from pathlib import Path
from random import Random

import pytest

from leaderboard.finding import reading, trying
from leaderboard.finding.example_tasks import TASKS
from leaderboard.models import ExampleSet
from worker.engine import rows, scoring
from worker.engine.contracts import PrepareSpec, ScoreSpec
from worker.engine.tasks import find

ROWS = {
    "text-classification": {"text": "Good {n}", "label": ["a", "b"]},
    "text-pair-classification": {"sentence1": "Good {n}", "sentence2": "Bad", "label": ["a", "b"]},
    "multi-label-classification": {"text": "Good {n}", "labels": ["a, b", "b"]},
    "text-regression": {"text": "Good {n}", "score": [0.5, 2]},
    "token-classification": {"tokens": ["Ada {n}", "in Paris"], "tags": ["B-PER O", "O B-LOC"]},
    "question-answering": {"question": "Who {n}?", "context": "Ada was.", "answer": [["Ada"], "Ada was"]},
    "sentence-similarity": {"sentence1": "Good {n}", "sentence2": "Bad", "score": [1, 5.0]},
    "text-generation": {"question": "1 + {n}", "answer": ["two", "three"]},
    "translation": {"source": "Good {n}", "target": ["Gut", "Schlecht"]},
    "summarization": {"text": "Long text {n}", "summary": ["Text", "Long"]},
}


def written(task: str) -> str:
    def value(cells, number):
        cell = cells[number % 2] if isinstance(cells, list) else cells
        return cell.replace("{n}", str(number)) if isinstance(cell, str) else cell

    lines = ({name: value(cells, number) for name, cells in ROWS[task].items()} for number in range(20))
    return "".join(json.dumps(line) + "\n" for line in lines)


@pytest.mark.parametrize("task", TASKS)
def test_the_engine_reads_and_scores_what_was_taken_in(task: str, tmp_path: Path) -> None:
    found = reading.read(written(task), task, {})
    lines = "".join(json.dumps(row) + "\n" for row in found.rows)
    definition = trying.definition_of(task, found, {}, lines)
    benchmark = ExampleSet(title="x", task=task, definition=definition, digest="").benchmark
    data = tmp_path / "examples.jsonl"
    data.write_text(lines)
    paths = {name: str(tmp_path / f"{name}.jsonl") for name in ("inputs", "gold")}
    common = {"task": task, "settings": benchmark.engine_settings}
    rows.prepare(PrepareSpec(files={"test": str(data)}, fields=benchmark.fields, **paths, **common))
    kind = find(task)
    settings = kind.settings(benchmark.engine_settings)
    numbers = iter(Random(0).random, None)
    with (tmp_path / "predictions.jsonl").open("w") as file:
        for line in Path(paths["inputs"]).read_text().splitlines():
            question = json.loads(line)
            identity = question.pop("id")
            file.write(json.dumps({"id": identity, **kind.pretend(numbers, question, settings)}) + "\n")
    items = tmp_path / "items.json"
    spec = ScoreSpec(
        gold=paths["gold"], predictions=str(tmp_path / "predictions.jsonl"), out=str(tmp_path / "scores.json"),
        items=str(items), primary=benchmark.primary_metric, bootstrap=100, seed=0, **common,
    )  # fmt: skip
    assert scoring.score(spec)["primary"]["name"] == TASKS[task].primary
