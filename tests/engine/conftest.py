"""Model folders for the tests of the engine, built once and copied for each test that spoils one."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.engine.builders import LABELS, edit_json, toy_rows, write_jsonl


@pytest.fixture(scope="session")
def bert_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random two-layer BERT with its tokenizer; do not change it."""
    import torch
    from transformers import BertConfig, BertForSequenceClassification

    from worker.engine.wordpiece import train_wordpiece

    torch.set_num_threads(1)
    torch.manual_seed(7)
    folder = tmp_path_factory.mktemp("bert")
    tokenizer = train_wordpiece((row["text"] for row in toy_rows(60)), vocab_size=120, max_length=64)
    tokenizer.save_pretrained(folder)
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=48,
        max_position_embeddings=64,
        initializer_range=0.4,
        id2label=dict(enumerate(LABELS)),
        label2id={label: index for index, label in enumerate(LABELS)},
    )
    BertForSequenceClassification(config).save_pretrained(folder)
    return folder


@pytest.fixture
def model(bert_folder: Path, tmp_path: Path) -> Path:
    """A copy of the random BERT that a test may spoil."""
    return Path(shutil.copytree(bert_folder, tmp_path / "model"))


@pytest.fixture
def edit_config(model: Path) -> Callable[..., None]:
    """Change keys of the model's config.json."""
    return lambda **changes: edit_json(model / "config.json", **changes)


@pytest.fixture
def inputs(tmp_path: Path) -> Path:
    """Forty questions of unequal length."""
    rows = ({"id": str(index), "text": row["text"]} for index, row in enumerate(toy_rows(40)))
    return write_jsonl(tmp_path / "inputs.jsonl", rows)


@pytest.fixture
def spec_file(tmp_path: Path) -> Callable[..., str]:
    """Write a spec and return its path."""

    def write(**spec: Any) -> str:
        path = tmp_path / "spec.json"
        path.write_text(json.dumps(spec), encoding="utf-8")
        return str(path)

    return write


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Measure next to no latency, where nothing is about time."""
    from worker.engine.answering import measuring

    monkeypatch.setattr(measuring, "LATENCY_SAMPLES", 1)
    monkeypatch.setattr(measuring, "LATENCY_WARM_UP", 1)
