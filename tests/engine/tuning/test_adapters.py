"""Adapters that were trained answer on their base as they did, and files that ask for more than that are refused."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.engine.builders import LABELS, edit_json, write_jsonl
from tests.engine.tuning import tiny
from tests.engine.tuning.arranged import records, run, spec_of, toy_arranged
from worker.engine.contracts import EngineError, EvaluateSpec
from worker.engine.tuning.contracts import Recipe

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("hurried")]


def answers_of(folder: Path, base: Path, rows: list[dict[str, Any]], **more: Any) -> list[str]:
    from io import StringIO

    from worker.engine.evaluating import evaluate
    from worker.engine.progress import Progress

    inputs = write_jsonl(folder / "inputs.jsonl", [{"id": row["id"], **row["question"]} for row in rows])
    spec = EvaluateSpec(
        task="text-classification", model_dir=str(folder / "run/model"), inputs=str(inputs),
        out_dir=str(folder / "answers"), settings={"labels": LABELS}, base_dir=str(base),
    )  # fmt: skip
    evaluate(replace(spec, **more), Progress(StringIO()))
    lines = (folder / "answers/predictions.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line)["label"] for line in lines]


@pytest.fixture(scope="module")
def body(tmp_path_factory: pytest.TempPathFactory, bert_folder: Path) -> Path:
    """A BERT that knows words and no labels, and has no pooler."""
    import shutil

    from safetensors.torch import load_file, save_file

    folder = Path(shutil.copytree(bert_folder, tmp_path_factory.mktemp("body") / "base"))
    tensors = load_file(folder / "model.safetensors")
    kept = {name: tensor for name, tensor in tensors.items() if "pooler" not in name and "classifier" not in name}
    save_file(kept, folder / "model.safetensors", metadata={"format": "pt"})
    edit_json(folder / "config.json", architectures=["BertForMaskedLM"], id2label=None, label2id=None)
    return folder


@pytest.mark.parametrize("method", ["lora", "prompt", "prefix", "pfeiffer"])
def test_an_adapter_answers_on_its_base_as_it_did_while_it_was_trained(method, body, tmp_path):
    recipe = Recipe(epochs=4, lr=2e-2, batch_size=8, method=method, eval_every=1000)
    run(spec_of(tmp_path, recipe=recipe, model_dir=str(body)))
    [dev] = records(tmp_path / "run", "dev")
    rows = toy_arranged(40, start=120)
    said = answers_of(tmp_path, body, rows)
    right = [label == row["gold"]["label"] for label, row in zip(said, rows, strict=True)]
    assert sum(right) / len(right) == pytest.approx(dev["metrics"]["accuracy"])
    if method != "lora":  # it became part of the weights
        with pytest.raises(EngineError, match="answers only on the model that it was trained on"):
            answers_of(tmp_path, body, rows, base_dir=None)


@pytest.fixture(scope="module")
def lora(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from worker.engine.tuning.methods.method import attach

    folder = tmp_path_factory.mktemp("lora")
    task = "text-classification"
    attach(tiny.build("bert", task), "lora", {}, task=task, model_type="bert", steps=1).save(folder)
    return folder


def put_on(folder: Path) -> Any:
    from worker.engine.folder import ModelFolder
    from worker.engine.tuning.methods.loading import put_on as put

    return put(tiny.build("bert", "text-classification"), ModelFolder(str(folder)))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"peft_type": "XLORA"}, "must be one of"),
        ({"r": 10**9}, "r as a number from 1"),
        ({"r": True}, "r as a number from 1"),
        ({"r": 4}, "does not fit its base"),
        ({"target_modules": "(a+)+$"}, "list of at most"),
        ({"target_modules": ["nowhere"]}, "does not have: nowhere"),
        ({"target_modules": []}, "no target_modules"),
        ({"modules_to_save": ["../x"]}, "list of at most"),
        ({"layer_replication": [[0, 100000]]}, "layer_replication"),
        ({"rank_pattern": {"query": 64}}, "rank_pattern"),
        ({"bias": "all"}, "asks for bias"),
        ({"init_lora_weights": "pissa"}, "change the base"),
        ({"task_type": "EVIL"}, "task_type"),
        ({"lora_alpha": None}, "lora_alpha"),
    ],
)
def test_a_hostile_adapter_is_refused_with_what_is_wrong(changes, message, lora, tmp_path):
    import shutil

    folder = Path(shutil.copytree(lora, tmp_path / "adapter"))
    edit_json(folder / "adapter_config.json", **changes)
    with pytest.raises(EngineError, match=message):
        put_on(folder)


@pytest.mark.parametrize("name", ["lora_A", "classifier"])
def test_an_adapter_that_lacks_tensors_or_has_too_many_is_refused(name, lora, tmp_path):
    import shutil

    import torch
    from safetensors.torch import load_file, save_file

    folder = Path(shutil.copytree(lora, tmp_path / "adapter"))
    tensors = load_file(folder / "adapter_model.safetensors")
    save_file({key: tensor for key, tensor in tensors.items() if name not in key}, folder / "adapter_model.safetensors")
    with pytest.raises(EngineError):
        put_on(folder)
    save_file({**tensors, "base_model.model.more": torch.ones(1)}, folder / "adapter_model.safetensors")
    with pytest.raises(EngineError, match="no place"):
        put_on(folder)


def test_a_code_in_auto_mapping_is_never_looked_at(lora, tmp_path):
    import shutil

    folder = Path(shutil.copytree(lora, tmp_path / "adapter"))
    edit_json(folder / "adapter_config.json", auto_mapping={"base_model_class": "system", "parent_library": "os"})
    assert put_on(folder).parameters() is not None
