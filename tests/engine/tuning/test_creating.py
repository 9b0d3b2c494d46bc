"""Models and tokenizers from nothing: every shape learns with every kind of tokenizer, the same in every process."""

import json
import subprocess
import sys
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from tests.engine.builders import ROOT, write_jsonl
from tests.engine.tuning.arranged import TINY, run, spec_of
from worker.engine.contracts import EngineError, EvaluateSpec
from worker.engine.tuning.contracts import Architecture, Recipe

pytestmark = pytest.mark.engine

SHORT = Recipe(epochs=3, lr=5e-3, batch_size=16)
TEXTS = [f"the {['red', 'old', 'wet'][n % 3]} fox 狐狸 jumps {n % 5} times\n" for n in range(60)]
SMALL = replace(TINY, vocab_size=320)


def task_rows(task: str) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    if task == "text-classification":
        rows = [({"text": text}, {"label": "a" if "red" in text else "b"}) for text in TEXTS]
        return [{"question": q, "gold": g} for q, g in rows], {"labels": ["a", "b"]}
    if task == "language-modeling":
        return [{"question": {"text": text}, "gold": {"text": text, "words": 6}} for text in TEXTS], {}
    return [{"question": {"prompt": text}, "gold": {"answers": [text[::-1]], "source": text}} for text in TEXTS], {}


@pytest.mark.parametrize(
    ("model_type", "tokenizer", "task"),
    [
        ("bert", "bpe", "text-classification"),
        ("bert", "characters", "text-classification"),
        ("roberta", "wordpiece", "text-classification"),
        ("roberta", "bpe", "text-classification"),
        ("gpt2", "bpe", "language-modeling"),
        ("gpt2", "characters", "language-modeling"),
        ("llama", "bpe", "language-modeling"),
        ("llama", "wordpiece", "language-modeling"),
        ("qwen2", "bpe", "text-classification"),
        ("t5", "characters", "translation"),
        ("bart", "bpe", "translation"),
    ],
)
def test_every_shape_learns_and_can_be_evaluated(
    tmp_path: Path, model_type: str, tokenizer: Any, task: str, hurried: None
) -> None:
    from worker.engine.evaluating import evaluate
    from worker.engine.progress import Progress

    rows, settings = task_rows(task)
    rows = [{"id": str(n), **row} for n, row in enumerate(rows)]
    train = str(write_jsonl(tmp_path / "rows.jsonl", rows))
    architecture = replace(SMALL, model_type=model_type, tokenizer=tokenizer)
    spec = spec_of(
        tmp_path, task=task, train=train, dev=train, settings=settings, architecture=architecture, recipe=SHORT
    )
    summary = run(spec)
    losses = [json.loads(line) for line in (tmp_path / "run/log.jsonl").read_text(encoding="utf-8").splitlines()]
    steps = [line["loss"] for line in losses if line["kind"] == "step"]
    assert sum(steps[-3:]) < sum(steps[:3])
    assert summary["model_type"] == model_type
    inputs = write_jsonl(tmp_path / "inputs.jsonl", [{"id": row["id"], **row["question"]} for row in rows[:6]])
    evaluate(
        EvaluateSpec(
            task=task, model_dir=str(tmp_path / "run/model"), inputs=str(inputs), out_dir=str(tmp_path / "answers"),
            settings=settings | ({"max_new_tokens": 8} if task == "translation" else {}),
        ),
        Progress(StringIO()),
    )  # fmt: skip


@pytest.mark.parametrize("kind", ["bpe", "characters"])
def test_a_tokenizer_gives_texts_back(kind: Any) -> None:
    from worker.engine.tuning.vocabularies import train

    made = train(replace(SMALL, model_type="gpt2", tokenizer=kind), TEXTS)
    text = "the old fox 狐狸 jumps 3 times\n  red"
    ids = made(text)["input_ids"]
    assert made.decode(ids) == text
    assert max(ids) < len(made) <= 320


def test_merges_are_the_same_in_every_process_and_the_most_frequent_come_first() -> None:
    code = (
        "from collections import Counter\n"
        "from worker.engine.tuning.byte_pairs import learn_merges\n"
        "print(learn_merges(Counter({'abab': 3, 'abc': 2, 'xyxy': 3, 'q': 9}), 4))"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, env={"PYTHONHASHSEED": seed}, capture_output=True, text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }  # fmt: skip
    assert found == {"[('a', 'b'), ('x', 'y'), ('ab', 'ab'), ('xy', 'xy')]\n"}


def test_a_t5_in_smaller_numbers_answers_what_the_usual_one_does() -> None:
    import torch
    from transformers import T5Config, T5ForConditionalGeneration

    from worker.engine.tuning import first_numbers

    torch.manual_seed(0)
    sizes: Any = {"vocab_size": 60, "d_model": 64, "d_kv": 16, "d_ff": 48, "num_layers": 2, "num_heads": 4}
    model: Any = T5ForConditionalGeneration(T5Config(**sizes)).eval()
    inputs = {"input_ids": torch.randint(60, (2, 7)), "decoder_input_ids": torch.randint(60, (2, 5))}
    with torch.no_grad():
        before = model(**inputs).logits
        first_numbers.begin(model)
        after = model(**inputs).logits
    assert float(model.shared.weight.detach().std()) == pytest.approx(0.125, rel=0.05)
    assert torch.allclose(before, after, atol=1e-3)


def test_a_shape_that_nobody_knows_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="must be one of: bert, roberta"):
        run(spec_of(tmp_path, architecture=Architecture(model_type="mamba")))
