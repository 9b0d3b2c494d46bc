"""An evaluation answers every question in order, the same however it is batched, and says what it took."""

import json
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any, cast

import pytest

from tests.engine.builders import LABELS, write_jsonl
from worker.engine.contracts import ENGINE_VERSION, EngineError, EvaluateSpec
from worker.engine.predictions import digest_of, read_predictions
from worker.engine.progress import Progress
from worker.engine.tasks import find

pytestmark = pytest.mark.engine


@pytest.fixture
def spec(model: Path, inputs: Path, tmp_path: Path) -> EvaluateSpec:
    return EvaluateSpec(
        task="text-classification",
        model_dir=str(model),
        inputs=str(inputs),
        out_dir=str(tmp_path / "out"),
        settings={"labels": LABELS},
        device="cpu",
    )


def evaluate(spec: EvaluateSpec, stream: StringIO | None = None):
    from worker.engine.evaluating import evaluate as run

    return run(spec, Progress(stream or StringIO()))


def answers(spec: EvaluateSpec):
    task = find(spec.task)
    golds = {str(number): {"label": LABELS[0]} for number in range(40)}
    return read_predictions(Path(spec.out_dir) / "predictions.jsonl", task, golds, task.settings(spec.settings))


def test_every_question_is_answered_in_order_with_probabilities(spec):
    report = evaluate(spec)
    rows = answers(spec)
    assert {row["label"] for row in rows} == set(LABELS), "a model with one answer would prove nothing"
    assert report["prediction_digest"] == digest_of(find(spec.task), map(str, range(40)), rows)
    assert report["rows"] == 40


def test_the_answers_are_those_of_transformers(spec):
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    evaluate(spec)
    model = AutoModelForSequenceClassification.from_pretrained(spec.model_dir).eval()
    tokenizer = AutoTokenizer.from_pretrained(spec.model_dir)
    for line, row in zip(Path(spec.inputs).read_text().splitlines(), answers(spec), strict=True):
        with torch.inference_mode():
            logits = model(**tokenizer(json.loads(line)["text"], return_tensors="pt")).logits[0]
        expected = dict(zip(LABELS, logits.softmax(0).tolist(), strict=True))
        assert row["scores"] == pytest.approx(expected, abs=2e-6)


def test_neither_batches_nor_threads_nor_turns_nor_changed_texts_move_an_answer(spec, tmp_path, monkeypatch):
    perturbed = write_jsonl(tmp_path / "perturbed.jsonl", [{"id": "0", "text": "GOOD"}, {"id": "1", "text": "bda"}])
    plain = evaluate(spec)["prediction_digest"]
    asked = replace(spec, perturbed=str(perturbed))
    answers_to_changed = set()

    def run(**changes: Any) -> dict[str, Any]:
        report = evaluate(replace(asked, **changes))
        rows = (Path(spec.out_dir) / "perturbed_predictions.jsonl").read_text().splitlines()
        answers_to_changed.add(tuple(json.loads(row)["label"] for row in rows))
        return report

    reports = [run(token_budget=budget) for budget in (1, 64, 100_000)]
    reports.append(run(threads=2))
    monkeypatch.setattr(type(find(spec.task)), "turn_rows", 7)
    reports.append(run())
    assert {report["prediction_digest"] for report in reports} == {plain}
    assert len(answers_to_changed) == 1
    assert all(report["robustness"]["questions"] == 2 for report in reports)
    assert all(0 < report["robustness"]["share"] < 1 for report in reports)


def test_a_model_is_loaded_once_and_timed_once_for_all_turns(spec, monkeypatch):
    from worker.engine import load
    from worker.engine.answering import measuring

    calls = []
    for module, name in ((load, "_load"), (measuring, "_latency")):
        real = getattr(module, name)
        monkeypatch.setattr(module, name, lambda *given, real=real, name=name: calls.append(name) or real(*given))
    monkeypatch.setattr(type(find(spec.task)), "turn_rows", 7)
    report = evaluate(spec)
    assert calls == ["_load", "_latency"]
    assert (report["rows"], report["truncated_rows"]) == (40, 0)
    assert report["latency"]["warm_up"] == 10


def test_the_report_says_what_it_took(spec):
    report = evaluate(spec)
    assert json.loads((Path(spec.out_dir) / "report.json").read_text()) == report
    assert report["engine_version"] == ENGINE_VERSION
    libraries = {"torch", "transformers", "tokenizers", "safetensors", "numpy", "pillow"}
    assert set(report["versions"]) == libraries | {"python"}
    assert report["device"] == "cpu"
    assert report["device_name"]
    assert report["latency"]["samples"] == 100
    assert 0 < report["latency"]["p50_ms"] <= report["latency"]["p90_ms"] <= report["latency"]["p99_ms"]
    assert report["weights_bytes"] > 4 * report["parameters"]
    for measured in ("load_seconds", "predict_seconds", "examples_per_second", "peak_rss_bytes"):
        assert report[measured] > 0
    assert report["disk_bytes"] > report["weights_bytes"]
    assert report["cores"] >= 1
    assert report["busy"] in (True, False, None)


def test_truncated_rows_are_counted(spec):
    assert evaluate(spec)["truncated_rows"] == 0
    report = evaluate(replace(spec, max_length=8))
    assert report["max_length"] == 8
    assert 0 < report["truncated_rows"] < 40


def test_a_label_map_turns_answers_into_those_of_the_benchmark(spec, edit_config):
    evaluate(spec)
    before = [row["label"] for row in answers(spec)]
    edit_config(id2label={"0": "LABEL_0", "1": "LABEL_1"})
    with pytest.raises(EngineError) as caught:
        evaluate(spec)
    assert caught.value.code == "label_mismatch"
    label_map = {"LABEL_0": "negative", "LABEL_1": "positive"}
    evaluate(replace(spec, settings={"labels": LABELS, "label_map": label_map}))
    assert [row["label"] for row in answers(spec)] == before


def test_damaged_weights_give_no_score(spec, model):
    from safetensors.torch import load_file, save_file

    tensors = load_file(model / "model.safetensors")
    tensors["classifier.weight"][0, 0] = float("nan")
    save_file(tensors, model / "model.safetensors")
    with pytest.raises(EngineError, match="NaN or infinity") as caught:
        evaluate(spec)
    assert caught.value.code == "non_finite_scores"
    assert not Path(spec.out_dir).exists()


def test_a_tokenizer_of_another_model_is_refused(spec, model):
    vocab = {"[UNK]": 90_000, **{word: 90_001 + index for index, word in enumerate(("the", "film"))}}
    tokenizer = {"version": "1.0", "model": {"type": "WordLevel", "vocab": vocab, "unk_token": "[UNK]"}}
    (model / "tokenizer.json").write_text(json.dumps(tokenizer))
    with pytest.raises(EngineError) as caught:
        evaluate(spec)
    assert caught.value.code == "tokenizer_mismatch"


def test_half_precision_is_a_choice_that_the_report_names(spec):
    report = evaluate(replace(spec, dtype="bfloat16"))
    assert report["dtype"] == "bfloat16"
    answers(spec)


def test_progress_rises_to_the_end(spec):
    stream = StringIO()
    evaluate(spec, stream)
    fractions = [json.loads(line)["progress"] for line in stream.getvalue().splitlines()]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0


def test_memory_that_runs_out_on_a_gpu_halves_the_batch(spec, monkeypatch):
    import torch

    from worker.engine import inference
    from worker.engine.load import load_model
    from worker.engine.tokenizing import Tokens

    classifier = load_model(spec.model_dir, heads=find(spec.task).heads, device="cpu")
    tokens = [Tokens([2, 5 + index, 3], [0, 0, 0], False) for index in range(6)]  # noqa: FBT003
    expected = inference.predict_logits(classifier, tokens, budget=1000)
    seen = []
    real = inference.forward

    def short_of_memory(classifier: Any, rows: Any) -> Any:
        seen.append(len(rows))
        if len(rows) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return real(classifier, rows)

    class OnGpu:
        type = "cuda"

    monkeypatch.setattr(inference, "forward", short_of_memory)
    with pytest.raises(EngineError) as caught:
        inference.predict_logits(classifier, tokens, budget=1000)
    assert caught.value.code == "out_of_memory"
    pretend = replace(classifier, device=cast("torch.device", OnGpu()))
    monkeypatch.setattr(inference, "forward", lambda _, rows: short_of_memory(classifier, rows))
    seen.clear()
    assert inference.predict_logits(pretend, tokens, budget=1000) == pytest.approx(expected, abs=1e-5)
    assert seen == [6, 3, 1, 2, 1, 2]


def test_questions_may_be_pairs(spec, tmp_path):
    pairs = write_jsonl(tmp_path / "pairs.jsonl", [{"id": "0", "text": "good", "text2": "bad"}])
    assert evaluate(replace(spec, inputs=str(pairs)))["rows"] == 1
