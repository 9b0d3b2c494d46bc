"""Tasks of a classification head: pairs, any number of labels, and numbers, each from data to score."""

import json
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics as sk

from tests.engine.builders import edit_json, write_jsonl
from worker.engine.contracts import EngineError, EvaluateSpec, PrepareSpec, ScoreSpec
from worker.engine.progress import Progress
from worker.engine.rows import prepare
from worker.engine.scoring import score
from worker.engine.tasks import TASKS, find

Rows = list[dict[str, Any]]
MULTI = {"labels": ["joy", "anger", "fear"]}
ALL_SETTINGS = {
    "image-classification": {"labels": ["cat", "dog"]},
    "object-detection": {"labels": ["cat", "dog"]},
    "text-classification": {"labels": ["negative", "positive"]},
    "text-pair-classification": {"labels": ["no", "yes"]},
    "multi-label-classification": MULTI,
    "text-regression": {},
    "token-classification": {"labels": ["O", "B-PER", "I-PER"]},
    "question-answering": {},
    "sentence-similarity": {},
    "text-retrieval": {},
    "text-ranking": {},
    "fill-mask": {},
    "text-generation": {},
    "translation": {},
    "summarization": {},
    "language-modeling": {},
    "multiple-choice": {},
    "minimal-pairs": {},
}
# What is asked, and the answer, where a text alone will not do.
QUESTIONS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "token-classification": ({"tokens": ["Bo", "came"]}, {"tags": ["B-PER", "O"]}),
    "question-answering": ({"question": "Who came?", "context": "Bo came."}, {}),
    "text-ranking": ({"query": "x", "candidates": ["y", "z"]}, {"gains": [1.0, 0.0]}),
    "fill-mask": ({"text": "x [MASK] y"}, {}),
    **dict.fromkeys(("text-generation", "translation", "summarization"), ({"prompt": "x y z"}, {})),
    "multiple-choice": ({"prompt": "x", "choices": ["y", "z"]}, {"choices": ["y", "z"]}),
    "minimal-pairs": ({"sentences": ["x y", "y x"]}, {"good": 0}),
}


@pytest.fixture
def scored(tmp_path: Path) -> Callable[..., dict[str, Any]]:
    def run(task: str, gold: Rows, predictions: Rows, settings: dict[str, Any]) -> dict[str, Any]:
        gold, predictions = ([{"id": str(n), **row} for n, row in enumerate(rows)] for rows in (gold, predictions))
        return score(
            ScoreSpec(
                task=task,
                settings=settings,
                gold=str(write_jsonl(tmp_path / "gold.jsonl", gold)),
                predictions=str(write_jsonl(tmp_path / "predictions.jsonl", predictions)),
                out=str(tmp_path / "score.json"),
                items=str(tmp_path / "items.json"),
                bootstrap=200,
            )
        )

    return run


def prepared(tmp_path: Path, task: str, rows: Rows, settings: dict[str, Any], **fields: str) -> tuple[Rows, Rows]:
    data = write_jsonl(tmp_path / "test.jsonl", rows)
    inputs, gold = tmp_path / "inputs.jsonl", tmp_path / "gold.jsonl"
    prepare(
        PrepareSpec(
            task=task, files={"test": str(data)}, fields=fields, settings=settings, inputs=str(inputs), gold=str(gold)
        )
    )
    first, second = ([json.loads(line) for line in path.read_text().splitlines()] for path in (inputs, gold))
    return first, second


def random_sets(seed: int, size: int = 60) -> np.ndarray:
    return np.random.RandomState(seed).rand(size, 3) < 0.4


def multi_rows(table: np.ndarray) -> Rows:
    return [
        {"labels": [label for label, given in zip(MULTI["labels"], row, strict=True) if given]}
        | {"scores": {label: 0.9 if given else 0.1 for label, given in zip(MULTI["labels"], row, strict=True)}}
        for row in table
    ]


@pytest.mark.parametrize("name", TASKS)
def test_what_the_stand_in_answers_is_a_proper_prediction(name):
    task = find(name)
    settings = task.settings(ALL_SETTINGS[name])
    question, gold = QUESTIONS.get(name, ({"text": "x"}, {}))
    value = task.pretend(iter(np.random.RandomState(1).rand(10_000).tolist()), question, settings)
    assert task.check(json.loads(json.dumps(value)), gold, settings) == value


def test_pairs_come_from_two_columns(tmp_path):
    rows = [{"sentence1": "a", "sentence2": "b", "label": "yes"}, {"sentence1": "c", "sentence2": "d", "label": 0}]
    questions, gold = prepared(tmp_path, "text-pair-classification", rows, {"labels": ["no", "yes"]})
    assert questions[0] == {"id": "0", "text": "a", "text2": "b"}
    assert [row["label"] for row in gold] == ["yes", "no"]
    with pytest.raises(EngineError, match='line 1: it has no field "sentence2"'):
        prepared(tmp_path, "text-pair-classification", [{"sentence1": "a", "label": 0}], {"labels": ["no", "yes"]})


def test_labels_come_as_names_positions_or_a_list_with_commas(tmp_path):
    rows = [
        {"text": "a", "labels": ["fear", "joy"]}, {"text": "b", "labels": [1]},
        {"text": "c", "labels": "0, anger"}, {"text": "d", "labels": []},
    ]  # fmt: skip
    _questions, gold = prepared(tmp_path, "multi-label-classification", rows, MULTI)
    assert [row["labels"] for row in gold] == [["joy", "fear"], ["anger"], ["joy", "anger"], []]
    with pytest.raises(EngineError, match=r"line 1: .*not one of the labels"):
        prepared(tmp_path, "multi-label-classification", [{"text": "a", "labels": ["awe"]}], MULTI)


def test_multi_label_measures_are_those_of_scikit_learn(scored):
    gold, predicted = random_sets(1), random_sets(2)
    found = scored("multi-label-classification", [{"labels": row["labels"]} for row in multi_rows(gold)],
                   multi_rows(predicted), MULTI)  # fmt: skip
    expected = {
        "f1_micro": sk.f1_score(gold, predicted, average="micro", zero_division=0),
        "f1_macro": sk.f1_score(gold, predicted, average="macro", zero_division=0),
        "f1_samples": sk.f1_score(gold, predicted, average="samples", zero_division=1),
        "subset_accuracy": sk.accuracy_score(gold, predicted),
        "hamming_loss": sk.hamming_loss(gold, predicted),
    }
    assert {name: metric["value"] for name, metric in found["metrics"].items()} == pytest.approx(expected, abs=1e-9)
    assert all(metric["low"] <= metric["value"] <= metric["high"] for metric in found["metrics"].values())
    everything = np.ones_like(gold)
    floor = found["floors"]["everything"]["metrics"]
    assert floor["f1_micro"] == pytest.approx(sk.f1_score(gold, everything, average="micro"), abs=1e-9)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"labels": ["awe"]}, "labels that the benchmark knows"),
        ({"labels": ["joy", "joy"]}, "each once"),
        ({"labels": []}, "reaches the threshold"),
        ({"scores": {"joy": 0.9}}, "one score for each label"),
        ({"extra": 1}, "exactly id, labels and scores"),
    ],
)
def test_improper_sets_of_labels_are_refused(scored, change, says):
    row = {"labels": ["joy"], "scores": {"joy": 0.9, "anger": 0.1, "fear": 0.1}}
    with pytest.raises(EngineError, match=f"row 1 .*{says}") as caught:
        scored("multi-label-classification", [{"labels": []}], [row | change], MULTI)
    assert caught.value.code == "bad_predictions"


def test_regression_measures_are_those_of_scipy(scored):
    random = np.random.RandomState(4)
    gold = random.randint(0, 6, 80).astype(float)
    predicted = np.array([float(f"{value:.6g}") for value in gold + random.randn(80)])
    found = scored("text-regression", [{"value": v} for v in gold], [{"value": v} for v in predicted], {})
    expected = {
        "spearman": stats.spearmanr(gold, predicted).statistic,
        "pearson": stats.pearsonr(gold, predicted).statistic,
        "mse": sk.mean_squared_error(gold, predicted),
        "mae": sk.mean_absolute_error(gold, predicted),
    }
    assert {name: metric["value"] for name, metric in found["metrics"].items()} == pytest.approx(expected, abs=1e-9)
    assert found["primary"]["name"] == "spearman"
    assert found["floors"]["constant"]["metrics"]["mse"] == pytest.approx(gold.var())
    assert sum(part["n"] for part in found["details"]["by_value"]) == 80


@pytest.mark.parametrize("value", ["NaN", "1e999", "1e13", '"3"', "true", "null", "[1]"])
def test_answers_that_are_no_numbers_are_refused(scored, tmp_path, value):
    scored("text-regression", [{"value": 1.0}], [{"value": 2.0}], {})
    (tmp_path / "predictions.jsonl").write_text(f'{{"id": "0", "value": {value}}}\n')
    spec = ScoreSpec(task="text-regression", gold=str(tmp_path / "gold.jsonl"), out=str(tmp_path / "out.json"),
                     predictions=str(tmp_path / "predictions.jsonl"))  # fmt: skip
    with pytest.raises(EngineError) as caught:
        score(spec)
    assert caught.value.code == "bad_predictions"


def test_an_answer_that_is_no_number_names_its_line(tmp_path):
    with pytest.raises(EngineError, match='line 2: its field "score" must be a number'):
        prepared(tmp_path, "text-regression", [{"text": "a", "score": 1}, {"text": "b", "score": "many"}], {})


@pytest.mark.engine
@pytest.mark.parametrize("problem", [None, "multi_label_classification"])
def test_several_labels_are_decided_each_for_itself(model, inputs, tmp_path, problem):
    from worker.engine.evaluating import evaluate

    edit_json(model / "config.json", problem_type=problem)
    spec = EvaluateSpec(
        task="multi-label-classification", model_dir=str(model), inputs=str(inputs), out_dir=str(tmp_path / "out"),
        settings={"labels": ["negative", "positive"]}, device="cpu",
    )  # fmt: skip
    evaluate(spec, Progress(StringIO()))
    rows = [json.loads(line) for line in (tmp_path / "out" / "predictions.jsonl").read_text().splitlines()]
    assert any(abs(sum(row["scores"].values()) - 1) > 0.01 for row in rows)
    assert all(row["labels"] == [name for name, value in row["scores"].items() if value >= 0.5] for row in rows)


@pytest.mark.engine
def test_a_number_is_what_the_only_output_says(model, inputs, tmp_path):
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    from worker.engine.evaluating import evaluate

    spec = EvaluateSpec(task="text-regression", model_dir=str(model), inputs=str(inputs),
                        out_dir=str(tmp_path / "out"), device="cpu")  # fmt: skip
    with pytest.raises(EngineError, match="has one") as caught:
        evaluate(spec, Progress(StringIO()))
    assert caught.value.code == "label_mismatch"
    one = AutoModelForSequenceClassification.from_pretrained(model, num_labels=1, ignore_mismatched_sizes=True).eval()
    one.save_pretrained(model)
    evaluate(spec, Progress(StringIO()))
    tokenizer = AutoTokenizer.from_pretrained(model)
    questions = [json.loads(line) for line in inputs.read_text().splitlines()]
    answers = [json.loads(line) for line in (tmp_path / "out" / "predictions.jsonl").read_text().splitlines()]
    for question, answer in zip(questions, answers, strict=True):
        with torch.inference_mode():
            expected = one(**tokenizer(question["text"], return_tensors="pt")).logits.item()
        assert answer["value"] == pytest.approx(expected, abs=1e-5)
