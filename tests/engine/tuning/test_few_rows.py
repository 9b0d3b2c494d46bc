"""From few rows a classifier is learned in pairs; the result is a classifier like any other."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.engine.builders import LABELS, write_jsonl
from tests.engine.tuning.arranged import records, run, spec_of, toy_arranged
from worker.engine.contracts import EngineError
from worker.engine.tuning.contracts import Recipe

pytestmark = pytest.mark.engine
PAIRS = Recipe(epochs=3, lr=1e-2, batch_size=16, few_rows=True)


@pytest.mark.parametrize("method", ["full", "lora"])
def test_the_head_is_fitted_to_what_pairs_taught(method: str, bert_folder: Path, tmp_path: Path) -> None:
    from worker.engine.inference import predict_logits
    from worker.engine.load import load_model

    few = str(write_jsonl(tmp_path / "few.jsonl", toy_arranged(24)))
    recipe = replace(PAIRS, method=method)
    run(spec_of(tmp_path, recipe=recipe, model_dir=str(bert_folder), train=few))
    dev = records(tmp_path / "run", "dev")
    # Its body knows nothing: it began from random numbers, and most of it rests with lora.
    assert max(record["metrics"]["accuracy"] for record in dev) > 0.6
    losses = [record["loss"] for record in records(tmp_path / "run", "step")]
    assert sum(losses[-8:]) < sum(losses[:8])

    rows = [json.loads(line) for line in (tmp_path / "dev.jsonl").read_text(encoding="utf-8").splitlines()]
    model = load_model(str(tmp_path / "run/model"), heads=("ForSequenceClassification",))
    texts = [row["question"]["text"] for row in rows]
    tokens = model.tokenizer.tokenize(texts, max_length=64, vocab_size=model.vocab_size, filler=0)
    said = [LABELS[number] for number in predict_logits(model, tokens, budget=2048).argmax(axis=1)]
    right = [label == row["gold"]["label"] for label, row in zip(said, rows, strict=True)]
    best = max(dev, key=lambda record: (record["best"], record["step"]))
    assert sum(right) / len(right) == pytest.approx(best["metrics"]["accuracy"])


def test_it_is_refused_where_it_cannot_be(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="needs a dev part"):
        run(spec_of(tmp_path / "a", recipe=PAIRS, dev=None))
    with pytest.raises(EngineError, match="few_rows is possible for"):
        run(spec_of(tmp_path / "b", recipe=PAIRS, task="text-regression", settings={}))
