"""Train a small encoder for text classification from scratch; one file from top to bottom."""

import json
import math
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from tokenizers import Tokenizer
from transformers import BertConfig, BertForSequenceClassification

from worker.engine.batching import plan_batches, training_batches
from worker.engine.contracts import ENGINE_VERSION, EngineError, TrainSpec
from worker.engine.failures import failing_as
from worker.engine.progress import Progress
from worker.engine.provenance import versions
from worker.engine.repeating import repeatable
from worker.engine.rows import read_labelled
from worker.engine.wordpiece import CLS_ID, MASK_ID, PAD_ID, SEP_ID, train_wordpiece

WARM_UP_SHARE = 0.1
CLIP_NORM = 1.0
DEV_BUDGET = 4096

Example = tuple[list[int], int]


def train(spec: TrainSpec, progress: Progress) -> dict[str, Any]:
    """Write a model folder with a training log into spec.out_dir and return the summary."""
    started = time.perf_counter()
    repeatable(spec.seed, spec.threads)
    rng = random.Random(spec.seed)  # noqa: S311  (the order of batches is no secret)
    train_rows, dev_rows = (
        read_labelled(Path(path), spec.text_field, spec.label_field, spec.labels) for path in (spec.train, spec.dev)
    )
    out_dir = Path(spec.out_dir)
    out_dir.mkdir(parents=True, exist_ok=True)

    progress.report(0.0, "training the tokenizer", always=True)
    tokenizer = train_wordpiece(
        (text for text, _label in train_rows), vocab_size=spec.vocab_size, max_length=spec.max_length
    )
    train_set, dev_set = (_encode(tokenizer.backend_tokenizer, rows, spec) for rows in (train_rows, dev_rows))
    lengths = [len(ids) for ids, _ in train_set]

    with failing_as("training_failed", "No model can be built with these sizes."):
        model = BertForSequenceClassification(_config(spec, len(tokenizer)))
    epochs = [training_batches(lengths, spec.token_budget, rng) for _ in range(spec.epochs)]
    steps = sum(map(len, epochs))
    optimizer = torch.optim.AdamW(_decayed(model, spec.weight_decay), lr=spec.lr, betas=(0.9, 0.999), fused=True)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, _warm_up_then_linear(steps))
    # A batch of few long texts must not pull as hard as one of many short ones.
    usual_batch = len(train_set) * spec.epochs / steps

    best: dict[str, torch.Tensor] = {}
    best_accuracy, best_loss, best_epoch = -1.0, math.inf, 0
    step = 0
    with (out_dir / "training_log.jsonl").open("w", encoding="utf-8") as log:
        for epoch, batches in enumerate(epochs, start=1):
            model.train()
            total, seen = 0.0, 0
            epoch_started = time.perf_counter()
            for batch in batches:
                ids, mask, labels = _tensors([train_set[index] for index in batch])
                ids = _masked(ids, mask, spec.token_dropout)
                with failing_as("training_failed", "Training failed."):
                    logits = model(input_ids=ids, attention_mask=mask).logits  # (rows, labels)
                    loss = F.cross_entropy(logits, labels, reduction="sum")
                    torch.autograd.backward(loss / usual_batch)
                    torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP_NORM)
                    optimizer.step()
                    schedule.step()
                    optimizer.zero_grad(set_to_none=True)
                total += loss.item()
                seen += len(batch)
                step += 1
                progress.report(0.98 * step / steps, f"epoch {epoch} of {spec.epochs}")
            if not math.isfinite(total):
                raise EngineError("training_failed", "The loss is not a number any more; a lower lr may help.")
            accuracy, dev_loss = _measure(model, dev_set)
            # Of epochs that are equally right, the one that is surer of it.
            is_best = (accuracy, -dev_loss) > (best_accuracy, -best_loss)
            if is_best:
                best_accuracy, best_loss, best_epoch = accuracy, dev_loss, epoch
                best = {name: tensor.detach().clone() for name, tensor in model.state_dict().items()}
            record = {
                "epoch": epoch,
                "step": step,
                "total_steps": steps,
                "loss": round(total / seen, 6),
                "dev_loss": round(dev_loss, 6),
                "dev_accuracy": round(accuracy, 6),
                "best": is_best,
                "lr": schedule.get_last_lr()[0],
                "examples_per_second": round(seen / (time.perf_counter() - epoch_started), 1),
            }
            log.write(json.dumps(record) + "\n")
            log.flush()

    model.load_state_dict(best)
    model.train(mode=False)
    model.save_pretrained(out_dir)
    tokenizer.save_pretrained(out_dir)
    summary: dict[str, Any] = {
        "engine_version": ENGINE_VERSION,
        "epochs": spec.epochs,
        "best_epoch": best_epoch,
        "best_dev_accuracy": best_accuracy,
        "best_dev_loss": round(best_loss, 6),
        "train_rows": len(train_rows),
        "dev_rows": len(dev_rows),
        "steps": steps,
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "vocab_size": len(tokenizer),
        "seed": spec.seed,
        "threads": spec.threads,
        "versions": versions(),
        "seconds": round(time.perf_counter() - started, 2),
    }
    (out_dir / "training_summary.json").write_text(json.dumps(summary, indent=1) + "\n", encoding="utf-8")
    progress.report(1.0, "done", always=True)
    return summary


def _encode(backend: Tokenizer, rows: list[tuple[str, str]], spec: TrainSpec) -> list[Example]:
    position: dict[str | None, int] = {label: index for index, label in enumerate(spec.labels)}
    backend.enable_truncation(spec.max_length)
    encodings = backend.encode_batch([text for text, _label in rows])
    # Left on, it would be saved with the tokenizer.
    backend.no_truncation()
    return [(encoding.ids, position[label]) for encoding, (_text, label) in zip(encodings, rows, strict=True)]


def _config(spec: TrainSpec, vocab_size: int) -> BertConfig:
    return BertConfig(
        vocab_size=vocab_size,
        hidden_size=spec.hidden,
        num_hidden_layers=spec.layers,
        num_attention_heads=spec.heads,
        intermediate_size=spec.intermediate,
        max_position_embeddings=spec.max_length,
        hidden_dropout_prob=spec.dropout,
        attention_probs_dropout_prob=spec.dropout,
        pad_token_id=PAD_ID,
        id2label=dict(enumerate(spec.labels)),
        label2id={label: index for index, label in enumerate(spec.labels)},
        problem_type="single_label_classification",
    )


def _decayed(model: torch.nn.Module, decay: float) -> list[dict[str, Any]]:
    # Biases and norms are vectors; pulling them towards zero only hurts.
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    return [
        {"params": [parameter for parameter in parameters if parameter.ndim >= 2], "weight_decay": decay},
        {"params": [parameter for parameter in parameters if parameter.ndim < 2], "weight_decay": 0.0},
    ]


def _warm_up_then_linear(steps: int) -> Callable[[int], float]:
    warm_up = max(1, round(WARM_UP_SHARE * steps))

    def factor(step: int) -> float:
        if step < warm_up:
            return (step + 1) / warm_up
        return max(0.0, (steps - step) / max(1, steps - warm_up))

    return factor


def _tensors(examples: list[Example]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    width = max(len(ids) for ids, _ in examples)
    padded = np.full((len(examples), width), PAD_ID, dtype=np.int64)  # (rows, width)
    for index, (row, _) in enumerate(examples):
        padded[index, : len(row)] = row
    ids = torch.from_numpy(padded)
    return ids, (ids != PAD_ID).long(), torch.tensor([label for _, label in examples])


def _masked(ids: torch.Tensor, mask: torch.Tensor, rate: float) -> torch.Tensor:
    if rate == 0:
        return ids
    chosen = (torch.rand(ids.shape) < rate) & mask.bool() & (ids != CLS_ID) & (ids != SEP_ID)  # (rows, width)
    return ids.masked_fill(chosen, MASK_ID)


def _measure(model: torch.nn.Module, examples: list[Example]) -> tuple[float, float]:
    """Return accuracy and mean loss."""
    model.eval()
    right, loss = 0, 0.0
    with torch.inference_mode():
        for batch in plan_batches([len(ids) for ids, _ in examples], DEV_BUDGET):
            ids, mask, labels = _tensors([examples[index] for index in batch])
            logits = model(input_ids=ids, attention_mask=mask).logits  # (rows, labels)
            right += int((logits.argmax(dim=1) == labels).sum())
            loss += float(F.cross_entropy(logits, labels, reduction="sum"))
    return right / len(examples), loss / len(examples)
