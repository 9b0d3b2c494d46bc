"""Decoders and encoder-decoders learn to write; what they learned is what evaluations then find."""

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

WORDS = {"red": "rot", "green": "grün", "blue": "blau", "one": "eins", "two": "zwei", "three": "drei"}
PAIRS = [(f"{first} {second}", f"{WORDS[first]} {WORDS[second]}") for first in WORDS for second in WORDS]
SMALL = {"vocab_size": 330, "hidden": 32, "layers": 1, "heads": 2, "intermediate": 64, "max_positions": 48}
SETTINGS = {"max_new_tokens": 12, "prompt": "{input} ="}


def arranged(folder: Path, rows: list[tuple[dict[str, Any], dict[str, Any]]]) -> str:
    folder.mkdir(parents=True, exist_ok=True)
    lines = [{"id": str(at), "question": question, "gold": gold} for at, (question, gold) in enumerate(rows)]
    return str(write_jsonl(folder / "rows.jsonl", lines))


def translations(folder: Path) -> str:
    return arranged(
        folder,
        [({"prompt": f"{src} =", "part": [0, len(src)]}, {"answers": [tgt], "source": src}) for src, tgt in PAIRS],
    )


def spec(folder: Path, task: str, rows: str, **more: Any) -> FinetuneSpec:
    return FinetuneSpec(task=task, train=rows, dev=rows, out_dir=str(folder / "run"), **more)


@pytest.mark.parametrize("model_type", ["gpt2", "t5", "bart"])
def test_a_model_from_scratch_learns_to_translate(model_type, tmp_path):
    recipe = Recipe(epochs=30, lr=1e-2, batch_size=12, warmup=0.1, eval_every=90)
    rows = translations(tmp_path)
    architecture = Architecture(model_type=model_type, tokenizer="bpe", **SMALL)
    run(spec(tmp_path, "translation", rows, architecture=architecture, recipe=recipe, settings=SETTINGS))
    [best] = records(tmp_path / "run", "dev")
    assert best["metrics"]["chrf"] > 0.8
    evaluated = evaluate(tmp_path, "translation", [{"prompt": f"{src} =", "part": [0, len(src)]} for src, _ in PAIRS])
    assert sum(row["text"].strip() == tgt for row, (_src, tgt) in zip(evaluated, PAIRS, strict=True)) > 25


def evaluate(folder: Path, task: str, questions: list[dict[str, Any]], settings: Any = SETTINGS) -> list[Any]:
    """Answer with the published model, as any other is evaluated."""
    from worker.engine.contracts import EvaluateSpec
    from worker.engine.evaluating import evaluate as verb
    from worker.engine.progress import Progress

    inputs = write_jsonl(folder / "inputs.jsonl", [{"id": str(at), **row} for at, row in enumerate(questions)])
    out = folder / "answers"
    verb(
        EvaluateSpec(
            task=task, model_dir=str(folder / "run/model"), inputs=str(inputs), out_dir=str(out), settings=settings
        ),
        Progress(StringIO()),
    )
    return [json.loads(line) for line in (out / "predictions.jsonl").read_text().splitlines()]


TEXTS = ["the cat sat on the mat", "a dog ran in the rain and the cat sat", "rain on the mat", "one two three " * 30]
DECODER = Architecture(model_type="llama", tokenizer="bpe", **SMALL)


def running(folder: Path) -> str:
    rows = [({"text": text}, {"text": text, "words": len(text.split())}) for text in TEXTS * 4]
    return arranged(folder, rows)


@pytest.mark.parametrize("packing", [False, True])
def test_bits_for_each_byte_are_those_of_an_evaluation(packing, tmp_path):
    recipe = Recipe(epochs=12, lr=1e-2, batch_size=4, packing=packing, eval_every=1000)
    run(spec(tmp_path, "language-modeling", running(tmp_path), architecture=DECODER, recipe=recipe))
    [dev] = records(tmp_path / "run", "dev")
    assert dev["metrics"]["bits_per_byte"] < 1.5
    found = evaluate(tmp_path, "language-modeling", [{"text": text} for text in TEXTS], {})
    bits = -sum(row["log_likelihood"] for row in found) / sum(len(text) for text in TEXTS) / 0.693147
    assert bits == pytest.approx(dev["metrics"]["bits_per_byte"], rel=1e-4)


def objective(folder: Path, task: str, rows: str, **recipe: Any) -> Any:
    """Return an objective with a random model, as a run makes it, and its rows."""
    import torch

    from worker.engine.tasks import find as find_task
    from worker.engine.tuning import objectives
    from worker.engine.tuning.reading import read_rows

    torch.manual_seed(0)
    settings = SETTINGS if task != "language-modeling" else {}
    wanted = spec(folder, task, rows, architecture=DECODER, recipe=Recipe(**recipe), settings=settings)
    (folder / "run").mkdir()
    of_task = find_task(task)
    kind, given = objectives.find(task), read_rows(rows, "training")
    checked = of_task.settings(settings)
    return kind(of_task, checked, wanted, kind.begin(of_task, checked, wanted, given)), given


def test_texts_in_a_block_see_only_themselves(tmp_path):
    import torch

    made, rows = objective(tmp_path, "language-modeling", running(tmp_path), packing=True)
    model = made.basis.model.eval()
    apart = made.encode(rows, training=False)
    blocks = made.packed(apart)
    assert len(blocks) <= len(apart) / 2
    with torch.no_grad():
        losses = []
        for features in (apart, blocks):
            batch = made.collate(features, training=True)
            losses.append(float(made.loss(made.forward(model, batch), batch, training=True).total))
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)
    assert sum(feature.units for feature in apart) == sum(feature.units for feature in blocks)


def test_only_the_answer_is_learned_unless_all_is_wanted(tmp_path):
    rows = arranged(tmp_path, [({"prompt": "red ="}, {"answers": ["rot"]})])
    made, given = objective(tmp_path, "text-generation", rows)
    [feature] = made.encode(given, training=True)
    batch = made.collate([feature], training=True)
    learned = batch.targets[0][batch.targets[0] >= 0].tolist()
    assert made.tokenizer.decode(learned).strip() == "rot"
    assert learned[-1] == made.tokenizer.eos
    made.recipe = Recipe(completion_only=False)
    assert made.encode(given, training=True)[0].units == len(feature.ids) - 1


def test_of_a_conversation_what_the_assistant_says_is_learned(tmp_path):
    turns = [("user", "red"), ("assistant", "rot"), ("user", "blue"), ("assistant", "blau")]
    messages = [{"role": role, "content": content} for role, content in turns]
    rows = arranged(tmp_path, [({"messages": messages, "prompt": "red"}, {"answers": ["rot"]})])
    made, given = objective(tmp_path, "text-generation", rows)
    made.max_length = 400
    [feature] = made.encode(given, training=True)
    batch = made.collate([feature], training=True)
    text = made.tokenizer.decode(batch.targets[0][batch.targets[0] >= 0].tolist(), special=True)
    assert text.replace("<|im_end|>\n", " ").split() == ["rot", "blau"]


def test_a_hostile_template_gets_nowhere():
    from worker.engine.contracts import EngineError
    from worker.engine.tuning.objectives.chats import Chat

    turns = [{"role": "user", "content": "hello"}]
    for template in [
        "{{ messages.__class__.__mro__ }}{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "{% for a in range(100000) %}{% for b in range(100000) %}x{% endfor %}{% endfor %}",
        "{{ raise_exception('no') }}",
        "{% for",
    ]:
        with pytest.raises(EngineError):
            Chat(template, {}).text(turns, asks=False)


@pytest.mark.parametrize(("model_type", "method"), [("gpt2", "prompt"), ("t5", "prefix"), ("llama", "lora")])
def test_models_with_something_added_write_to_the_dev_set(model_type, method, tmp_path):
    rows = translations(tmp_path)
    recipe = Recipe(epochs=1, lr=1e-2, batch_size=12, eval_every=1000)
    architecture = Architecture(model_type=model_type, tokenizer="bpe", **SMALL)
    base = tmp_path / "base"
    run(spec(base, "translation", rows, architecture=architecture, recipe=recipe, settings=SETTINGS))
    made = spec(tmp_path, "translation", rows, model_dir=str(base / "run/model"), settings=SETTINGS)
    run(replace(made, recipe=replace(recipe, method=method)))
    [dev] = records(tmp_path / "run", "dev")
    assert set(dev["metrics"]) == {"bleu", "chrf"}
    assert list((tmp_path / "run/model").rglob("adapter_model.safetensors"))
