"""Small models of every kind that can be exported, and exports of them."""

import shutil
from io import StringIO
from pathlib import Path
from typing import Any

from tests.engine.builders import toy_rows, write_jsonl
from worker.engine.progress import Progress
from worker.engine.tuning.exporting.contracts import ExportSpec
from worker.engine.tuning.exporting.verb import export

TEXTS = [row["text"] for row in toy_rows(60)]


def made(model: Path, place: Path, **spec: Any) -> dict[str, Any]:
    """Export a model below a folder and return the manifest."""
    return export(ExportSpec(model_dir=str(model), out_dir=str(place), **spec), Progress(StringIO()))


def with_head(bert_folder: Path, folder: Path, head: str) -> Path:
    """Save a random BERT with this head beside the tokenizer of another."""
    import torch
    import transformers

    shutil.copytree(bert_folder, folder)
    torch.manual_seed(11)
    getattr(transformers, f"Bert{head}")(transformers.BertConfig.from_pretrained(folder)).save_pretrained(folder)
    return folder


def arranged(place: Path, count: int) -> Path:
    """Write rows with answers as `arrange` does."""
    rows = (
        {"id": str(number), "question": {"text": row["text"]}, "gold": {"label": row["label"]}}
        for number, row in enumerate(toy_rows(count))
    )
    return write_jsonl(place, rows)
