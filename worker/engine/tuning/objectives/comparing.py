"""Vectors of texts: those of texts that are alike come close to each other.

Three losses. CoSENT has pairs that are more alike closer than those that are less; `mse` has the cosine itself be
the number that the data state; `contrastive` has each text closest to its own partner among all of the batch, for data
that hold nothing but pairs. The result is laid out as sentence-transformers does it, so that evaluations read it.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from worker.engine.contracts import EngineError
from worker.engine.folder import ModelFolder
from worker.engine.sentence_modules import Normalize, SentenceModules, pooled, read_modules
from worker.engine.tasks.task import Task, Value
from worker.engine.tuning.basis import Basis
from worker.engine.tuning.contracts import FinetuneSpec
from worker.engine.tuning.objectives.objective import Batch, Feature, Ids, Loss, Row, padded
from worker.engine.tuning.objectives.texts import TextObjective

# What cosines are multiplied by, as sentence-transformers does it.
SCALE = 20.0
SIDES = ("text", "text2", "negative")
OLD_NAMES = {"cls": "cls_token", "max": "max_tokens", "mean": "mean_tokens", "lasttoken": "lasttoken"}


class Comparing(TextObjective):
    """Pairs of texts, and how alike they are."""

    # Its rows are compared with each other.
    splittable = False

    def __init__(self, task: Task[Any], settings: Any, spec: FinetuneSpec, basis: Basis) -> None:
        super().__init__(task, settings, spec, basis)
        self._modules = SentenceModules()
        if spec.model_dir is not None:
            self._modules = read_modules(ModelFolder(spec.model_dir), int(basis.settings.hidden_size))
        if any(not isinstance(step, Normalize) for step in self._modules.steps):
            raise EngineError("bad_spec", "modules.json has a Dense module, which cannot be trained on here.")
        if self._modules.max_length is not None and self.recipe.max_length is None:
            self.max_length = min(self.max_length, self._modules.max_length)
        self._loss = self.recipe.contrast
        self._least, self._most = 0.0, 1.0

    def encode(self, rows: Sequence[Row], *, training: bool) -> list[Feature]:
        """Return the tokens of both texts of each pair, and of a third where one is named that is not alike."""
        if training:
            self._choose(rows)
        sides = [[row.question[side] for row in rows if side in row.question] for side in SIDES]
        tokens = [iter(self._read(texts)) for texts in sides]
        features = []
        for number, row in enumerate(rows):
            read = [next(found) for found, side in zip(tokens, SIDES, strict=True) if side in row.question]
            features.append(
                Feature(
                    row=number,
                    ids=read[0],
                    length=sum(map(len, read)) + len(read) * self.virtual_tokens,
                    target=float(row.gold.get("value", 1.0)),
                    extra=read[1:],
                )
            )
        return features

    def _choose(self, rows: Sequence[Row]) -> None:
        values = [float(row.gold.get("value", 1.0)) for row in rows]
        self._least, self._most = min(values), max(values)
        if self._loss == "auto":
            self._loss = "contrastive" if self._least == self._most else "cosent"
        if self._loss != "contrastive" and self._least == self._most:
            raise EngineError("bad_data", "all pairs are equally alike, so that only contrast contrastive can learn")
        if self._loss == "contrastive" and self._least != self._most:
            self.basis.notes.append("All pairs were taken to be alike: contrastive training reads no score.")
        if self._loss != "mse" and self.recipe.batch_size < 2 and self.recipe.token_budget is None:
            raise EngineError("bad_spec", f"batch_size must be at least 2: {self._loss} compares rows with each other")

    def _read(self, texts: Sequence[str]) -> list[Ids]:
        prompt = self._modules.prompt()
        written = [f"{prompt}{text}".lower() if self._modules.lower_case else f"{prompt}{text}" for text in texts]
        return [np.array(tokens.ids, dtype=np.int32) for tokens in self.tokenized(written)] if texts else []

    def collate(self, features: Sequence[Feature], *, training: bool) -> Batch:
        """Return all first texts, then all second ones, then the third ones (texts, width); (rows,) numbers."""
        texts = [feature.ids for feature in features]
        for place in range(2):
            texts += [feature.extra[place] for feature in features if len(feature.extra) > place]
        ids, held = padded(texts, filler=self.basis.pad_id, side="right")
        inputs = {"input_ids": ids.to(self.basis.device), "attention_mask": held.to(self.basis.device)}
        targets = torch.tensor([feature.target for feature in features], device=self.basis.device)
        return Batch(features=features, inputs=inputs, targets=targets, tokens=int(held.sum()), cells=ids.numel())

    def loss(self, output: Any, batch: Batch, *, training: bool) -> Loss:
        """Return the loss of the recipe, as much as it has rows."""
        vectors = self._vectors(output, batch)
        rows = len(batch.features)
        cosines = (vectors[:rows] * vectors[rows : 2 * rows]).sum(dim=1)  # (rows,)
        if self._loss == "contrastive":
            return Loss(total=self._contrastive(vectors, batch))
        if self._loss == "mse":
            wanted = (batch.targets - self._least) / (self._most - self._least)
            return Loss(total=functional.mse_loss(cosines, wanted, reduction="sum"))
        scores = SCALE * cosines
        wrong = scores[:, None] - scores[None, :]  # (rows, rows): how much closer the first pair is than the second
        less = batch.targets[:, None] < batch.targets[None, :]
        among = torch.cat([scores.new_zeros(1), wrong[less]])
        return Loss(total=torch.logsumexp(among, dim=0) * rows)

    def _contrastive(self, vectors: torch.Tensor, batch: Batch) -> torch.Tensor:
        rows = len(batch.features)
        scores = SCALE * vectors[:rows] @ vectors[rows:].T  # (rows, partners)
        partners = [feature.extra[0].tobytes() for feature in batch.features]
        others = [feature.extra[1].tobytes() for feature in batch.features if len(feature.extra) > 1]
        # The same text in another row is no wrong partner.
        same = [
            [at != row and text == partners[row] for at, text in enumerate(partners + others)] for row in range(rows)
        ]
        scores = scores.masked_fill(torch.tensor(same, device=scores.device), -torch.inf)
        return functional.cross_entropy(scores, torch.arange(rows, device=scores.device), reduction="sum")

    def _vectors(self, output: Any, batch: Batch) -> torch.Tensor:
        """Return vectors of length one (texts, size)."""
        hidden, mask = output.last_hidden_state.float(), batch.inputs["attention_mask"]
        made = torch.cat([pooled(name, hidden, mask) for name in self._modules.pooling], dim=1)
        return functional.normalize(made, dim=1)

    def read(self, output: Any, batch: Batch) -> list[float]:
        """Return the cosine of each pair."""
        vectors = self._vectors(output, batch).double()
        rows = len(batch.features)
        found: list[float] = (vectors[:rows] * vectors[rows : 2 * rows]).sum(dim=1).clamp(-1, 1).cpu().tolist()
        return found

    def predictions(self, rows: Sequence[Row], features: Sequence[Feature], read: Sequence[Any]) -> list[Value]:
        """Return the cosines."""
        return [{"similarity": cosine} for cosine in read]

    def publish(self, folder: Path) -> None:
        """Write how the vector of a text is made."""
        kinds = ["Transformer", "Pooling", *(["Normalize"] if self._modules.steps else [])]
        paths = ["", *(f"{at}_{kind}" for at, kind in enumerate(kinds[1:], 1))]
        modules = [
            {"idx": at, "name": str(at), "path": path, "type": f"sentence_transformers.models.{kind}"}
            for at, (kind, path) in enumerate(zip(kinds, paths, strict=True))
        ]
        write_json(folder / "modules.json", modules)
        for path in paths[1:]:
            (folder / path).mkdir()
        chosen = {f"pooling_mode_{old}": name in self._modules.pooling for name, old in OLD_NAMES.items()}
        size = int(self.basis.settings.hidden_size)
        write_json(folder / paths[1] / "config.json", {"word_embedding_dimension": size, **chosen})
        length = {"max_seq_length": self.max_length, "do_lower_case": self._modules.lower_case}
        write_json(folder / "sentence_bert_config.json", length)
        usual = [name for name, prompt in self._modules.prompts.items() if prompt == self._modules.default_prompt]
        facts = {
            "prompts": dict(self._modules.prompts),
            "default_prompt_name": usual[0] if usual and self._modules.default_prompt else None,
            "similarity_fn_name": "cosine",
        }
        write_json(folder / "config_sentence_transformers.json", facts)


def write_json(path: Path, value: Any) -> None:
    """Write a small file."""
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
