"""Training learns what can be learnt, repeats itself, and leaves a model that anybody can load."""

import hashlib
import json
from collections import Counter
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest

from tests.engine.builders import LABELS, toy_rows, write_jsonl
from worker.engine.contracts import EngineError, EvaluateSpec, TrainSpec
from worker.engine.progress import Progress

pytestmark = pytest.mark.engine


@pytest.fixture
def spec(tmp_path: Path) -> TrainSpec:
    return TrainSpec(
        train=str(write_jsonl(tmp_path / "train.jsonl", toy_rows(200))),
        dev=str(write_jsonl(tmp_path / "dev.jsonl", toy_rows(40, start=200))),
        labels=LABELS,
        out_dir=str(tmp_path / "trained"),
        vocab_size=120,
        hidden=32,
        layers=1,
        heads=2,
        intermediate=64,
        max_length=32,
        epochs=6,
        lr=3e-3,
        token_budget=200,
    )


def train(spec: TrainSpec):
    from worker.engine.train import train as run

    return run(spec, Progress(StringIO()))


def test_it_learns_a_separable_set_and_the_model_evaluates(spec, tmp_path):
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    from worker.engine.evaluating import evaluate

    summary = train(spec)
    assert summary["best_dev_accuracy"] >= 0.95
    out = Path(spec.out_dir)
    log = [json.loads(line) for line in (out / "training_log.jsonl").read_text().splitlines()]
    assert [row["epoch"] for row in log] == [1, 2, 3, 4, 5, 6]
    assert log[-1]["loss"] < log[0]["loss"] / 2
    assert max(row["dev_accuracy"] for row in log) == pytest.approx(summary["best_dev_accuracy"], abs=1e-6)
    assert [row["epoch"] for row in log if row["best"]][-1] == summary["best_epoch"]
    assert json.loads((out / "training_summary.json").read_text()) == summary
    assert AutoModelForSequenceClassification.from_pretrained(out).config.id2label == dict(enumerate(LABELS))
    assert AutoTokenizer.from_pretrained(out)("好 good").input_ids[0] == 2

    rows = toy_rows(40, start=200)
    questions = ({"id": str(i), "text": row["text"]} for i, row in enumerate(rows))
    report = evaluate(
        EvaluateSpec(
            task="text-classification",
            model_dir=str(out),
            inputs=str(write_jsonl(tmp_path / "inputs.jsonl", questions)),
            out_dir=str(tmp_path / "out"),
            settings={"labels": LABELS},
            device="cpu",
        ),
        Progress(StringIO()),
    )
    lines = (tmp_path / "out" / "predictions.jsonl").read_text().splitlines()
    right = sum(json.loads(line)["label"] == row["label"] for line, row in zip(lines, rows, strict=True))
    # The best epoch is what was saved, not the last one.
    assert right / 40 == summary["best_dev_accuracy"]
    assert report["unused_tensors"] == 0


def test_the_same_seed_trains_the_same_model_and_another_seed_another(spec, tmp_path):
    def digests(name: str, seed: int) -> dict[str, str]:
        run = replace(spec, out_dir=str(tmp_path / name), seed=seed, epochs=2)
        train(run)
        files = ("model.safetensors", "tokenizer.json", "config.json")
        return {file: hashlib.sha256((tmp_path / name / file).read_bytes()).hexdigest() for file in files}

    first = digests("first", 1)
    assert digests("again", 1) == first
    assert digests("other", 2)["model.safetensors"] != first["model.safetensors"]


def test_pieces_do_not_depend_on_the_order_of_the_texts():
    from worker.engine.wordpiece import learn_pieces

    words = {"lower": 5, "lowest": 4, "newer": 6, "wider": 3, "好": 9}
    forwards = learn_pieces(Counter(words), 30)
    backwards = learn_pieces(Counter(dict(reversed(words.items()))), 30)
    assert forwards == backwards
    # By hand: "##we" occurs 15 times, more than "##er" with 14; then "##wer" with 11 and "lo" with 9.
    assert [piece for piece in forwards if len(piece.removeprefix("##")) > 1][:3] == ["##we", "##wer", "lo"]


def test_pieces_stop_at_the_size_and_at_what_occurs_twice():
    from worker.engine.wordpiece import learn_pieces

    assert len(learn_pieces(Counter({"abcdef": 5, "abcxyz": 5}), 8)) == 8
    assert learn_pieces(Counter({"ab": 1}), 50) == ["##b", "a"]


def test_chinese_characters_stay_apart_and_words_are_taken_apart():
    from worker.engine.wordpiece import train_wordpiece

    tokenizer = train_wordpiece(["电影很好 Great movie"] * 9, vocab_size=200, max_length=16)
    assert tokenizer.tokenize("GREAT 电影") == ["great", "电", "影"]


def test_a_loss_that_explodes_is_a_typed_error(spec, monkeypatch):
    import torch

    nan = torch.tensor(float("nan"), requires_grad=True)
    monkeypatch.setattr(torch.nn.functional, "cross_entropy", lambda *_, **__: nan * 1)
    with pytest.raises(EngineError) as caught:
        train(spec)
    assert caught.value.code == "training_failed"


def test_a_label_that_is_not_declared_names_its_line(spec):
    write_jsonl(Path(spec.dev), [{"text": "x", "label": "other"}])
    with pytest.raises(EngineError, match="line 1") as caught:
        train(spec)
    assert caught.value.code == "bad_data"
