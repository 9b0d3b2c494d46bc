"""Every kind of task whose texts may be changed goes from rows to a robustness, asked in turns."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from tests.engine.builders import write_jsonl
from worker.engine import fake
from worker.engine.contracts import EvaluateSpec, PrepareSpec, RobustnessSpec, ScoreSpec
from worker.engine.perturbing.registry import FIELDS
from worker.engine.progress import Progress
from worker.engine.robustness import CONTINUOUS
from worker.engine.rows import prepare
from worker.engine.scoring import score
from worker.engine.tasks import find

N = 45
TEXTS = [
    "The people of London were really happy, said Anna in 2021.",
    "这部电影真的非常好看，北京的王先生说。",
    "Nobody would have expected it: a quiet evening without rain.",
]


def text(number: int) -> str:
    return f"{TEXTS[number % 3]} {number}"


ROWS: dict[str, tuple[dict[str, Any], Any]] = {
    "text-classification": ({"labels": ["no", "yes"]}, lambda n: {"text": text(n), "label": n % 2}),
    "text-pair-classification": (
        {"labels": ["no", "yes"]},
        lambda n: {"sentence1": text(n), "sentence2": text(n + 1), "label": n % 2},
    ),
    "multi-label-classification": (
        {"labels": ["a", "b"]},
        lambda n: {"text": text(n), "labels": [["a"], ["b"], ["a", "b"]][n % 3]},
    ),
    "text-regression": ({}, lambda n: {"text": text(n), "score": n % 7}),
    "sentence-similarity": ({}, lambda n: {"sentence1": text(n), "sentence2": text(n + 1), "score": n % 5}),
    "token-classification": (
        {"labels": ["O", "B-PER", "I-PER"]},
        lambda n: {"tokens": text(n).split(), "tags": ["B-PER", *["O"] * (len(text(n).split()) - 1)]},
    ),
    "question-answering": (
        {},
        lambda n: {"question": text(n), "context": f"It was so. {text(n)}", "answers": ["It was so"]},
    ),
    "text-retrieval": ({}, lambda n: {"id": f"q{n}", "query": text(n), "relevant": [f"d{n}"]}),
    "text-ranking": ({}, lambda n: {"query": text(n), "candidates": [text(n), text(n + 1)], "relevance": [1, 0]}),
}  # fmt: skip


@pytest.mark.parametrize("name", FIELDS)
def test_a_kind_whose_texts_are_changed_has_a_robustness(name: str, tmp_path: Path, monkeypatch: Any) -> None:
    task = find(name)
    monkeypatch.setattr(type(task), "turn_rows", 20)
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "config.json").write_text("{}")
    settings, row = ROWS[name]
    files = {"test": str(write_jsonl(tmp_path / "test.jsonl", (row(n) for n in range(N))))}
    if "corpus" in task.files:
        documents = ({"id": f"d{n}", "text": text(n)} for n in range(N))
        files["corpus"] = str(write_jsonl(tmp_path / "corpus.jsonl", documents))
    path = {part: str(tmp_path / f"{part}.jsonl") for part in ("inputs", "gold", "context", "perturbed", "marks")}
    prepare(PrepareSpec(task=name, files=files, settings=settings, robustness=RobustnessSpec(), **path))
    asked = [json.loads(line) for line in Path(path["perturbed"]).read_text(encoding="utf-8").splitlines()]
    questions = [json.loads(line) for line in Path(path["inputs"]).read_text(encoding="utf-8").splitlines()]
    assert {frozenset(row) for row in asked} <= {frozenset(row) for row in questions}
    spec = EvaluateSpec(
        task=name, model_dir=str(tmp_path / "model"), inputs=path["inputs"], out_dir=str(tmp_path / "out"),
        settings=settings, context=path["context"] if "corpus" in files else None, perturbed=path["perturbed"],
    )  # fmt: skip
    report = fake.evaluate(spec, Progress(StringIO()))
    assert report["robustness"]["questions"] == len(asked) > N
    found = score(
        ScoreSpec(
            task=name, settings=settings, gold=path["gold"], marks=path["marks"], out=str(tmp_path / "score.json"),
            predictions=str(tmp_path / "out" / "predictions.jsonl"), bootstrap=100,
            perturbed=str(tmp_path / "out" / "perturbed_predictions.jsonl"),
        )
    )  # fmt: skip
    robustness = found["details"]["robustness"]
    assert sum(row["changed"] for row in robustness["perturbations"]) == len(asked)
    assert all((row["flip_rate"] is None) == (name in CONTINUOUS) for row in robustness["perturbations"])
    assert {row["by"] for row in found["details"]["slices"]} <= {"length", "script"}
