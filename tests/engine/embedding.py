"""Tiny models that make vectors of texts, and what transformers alone makes of the same files."""

import json
import shutil
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np

from tests.engine.builders import write_jsonl
from worker.engine.contracts import EvaluateSpec, PrepareSpec, ScoreSpec
from worker.engine.evaluating import evaluate
from worker.engine.progress import Progress
from worker.engine.rows import prepare
from worker.engine.scoring import score

Rows = list[dict[str, Any]]
TEXTS = ["the film was good", "I think it is bad indeed indeed", "真的 好", "sad", "the film was awful indeed" * 3]


def save_body(bert_folder: Path, folder: Path) -> Path:
    """Save a random BERT without a head beside the tokenizer of another."""
    import torch
    from transformers import BertConfig, BertModel

    shutil.copytree(bert_folder, folder)
    torch.manual_seed(11)
    BertModel(BertConfig.from_pretrained(folder)).save_pretrained(folder)
    return folder


def save_modules(folder: Path, pooling: dict[str, Any], *then: str, **config: Any) -> None:
    """Write the files of sentence-transformers; of the modules that follow, Dense gets random weights."""
    import torch
    from safetensors.torch import save_file

    kinds = ["Transformer", "Pooling", *then]
    paths = ["", *(f"{place}_{kind}" for place, kind in enumerate(kinds[1:], start=1))]
    modules = [
        {"idx": place, "name": str(place), "path": path, "type": f"sentence_transformers.models.{kind}"}
        for place, (kind, path) in enumerate(zip(kinds, paths, strict=True))
    ]
    write_json(folder / "modules.json", modules)
    write_json(folder / "1_Pooling" / "config.json", {"word_embedding_dimension": 32} | pooling)
    write_json(folder / "sentence_bert_config.json", {"max_seq_length": 16, "do_lower_case": False})
    write_json(folder / "config_sentence_transformers.json", config)
    if "Dense" in then:
        name = paths[kinds.index("Dense")]
        activation = "torch.nn.modules.activation.Tanh"
        dense = {"in_features": 32, "out_features": 5, "bias": True, "activation_function": activation}
        write_json(folder / name / "config.json", dense)
        torch.manual_seed(5)
        tensors = {"linear.weight": torch.randn(5, 32), "linear.bias": torch.randn(5)}
        save_file(tensors, folder / name / "model.safetensors")


def write_json(path: Path, value: Any) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(value), encoding="utf-8")


def hidden_states(folder: Path, texts: list[str], max_length: int = 64) -> list[np.ndarray]:
    """Return the hidden states (tokens, size) of each text, read alone by transformers."""
    import torch
    from transformers import AutoModel, AutoTokenizer

    model, tokenizer = AutoModel.from_pretrained(folder).eval(), AutoTokenizer.from_pretrained(folder)
    with torch.inference_mode():
        return [
            model(**tokenizer(text, return_tensors="pt", truncation=True, max_length=max_length))
            .last_hidden_state[0]
            .double()
            .numpy()
            for text in texts
        ]


def mean_vectors(folder: Path, texts: list[str]) -> np.ndarray:
    """Return vectors of length one, each the mean of the hidden states."""
    vectors = np.array([states.mean(axis=0) for states in hidden_states(folder, texts)])
    made: np.ndarray = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return made


def run(
    task: str, model: Path, place: Path, rows: Rows, *, corpus: Rows | None = None,
    fields: dict[str, str] | None = None, settings: dict[str, Any] | None = None, budget: int = 2048, threads: int = 1,
) -> tuple[Rows, dict[str, Any], dict[str, Any]]:  # fmt: skip
    """Prepare, evaluate and score; returns the predictions, the report and the scores."""
    place.mkdir(exist_ok=True)
    files = {"test": str(write_jsonl(place / "test.jsonl", rows))}
    if corpus is not None:
        files["corpus"] = str(write_jsonl(place / "corpus.jsonl", corpus))
    context = str(place / "context.jsonl") if corpus is not None else None
    shared: dict[str, Any] = {"task": task, "settings": settings or {}}
    inputs, gold, out = str(place / "inputs.jsonl"), str(place / "gold.jsonl"), place / "out"
    prepare(PrepareSpec(**shared, files=files, fields=fields or {}, inputs=inputs, gold=gold, context=context))
    spec = EvaluateSpec(
        **shared, model_dir=str(model), inputs=inputs, out_dir=str(out), context=context, device="cpu",
        token_budget=budget, threads=threads,
    )  # fmt: skip
    report = evaluate(spec, Progress(StringIO()))
    predictions = [json.loads(line) for line in (out / "predictions.jsonl").read_text("utf-8").splitlines()]
    scores = score(
        ScoreSpec(**shared, gold=gold, predictions=str(out / "predictions.jsonl"), out=str(place / "scores.json"),
                  items=str(place / "items.json"), bootstrap=200)
    )  # fmt: skip
    return predictions, report, scores
