"""Models that make a vector of a text: one for each different text, in batches of like length."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from worker.engine.answering.first_token import read_first_token
from worker.engine.answering.linear_layers import multiply_with_onednn
from worker.engine.answering.measuring import described
from worker.engine.answering.sharing import once
from worker.engine.contracts import EvaluateSpec
from worker.engine.folder import ModelFolder
from worker.engine.inference import check_finite, output, run_batches
from worker.engine.load import LoadedModel, load_model
from worker.engine.sentence_modules import SentenceModules, read_modules
from worker.engine.statistics.resampling import Array
from worker.engine.tokenizing import Tokens


@dataclass(frozen=True)
class Embedded:
    """Vectors (texts, width) in the order of the texts, and how many texts were cut."""

    vectors: Array
    truncated: int


@dataclass(frozen=True)
class Embedder:
    """A loaded model, and what its author's files say of its vectors."""

    model: LoadedModel
    modules: SentenceModules
    max_length: int
    budget: int

    def embed(self, texts: Sequence[str], *, prompt: str, done: Callable[[int], None] = lambda rows: None) -> Embedded:
        """Return the vectors; a text that comes twice is read once, so that equal texts are equally near to all."""
        different = list(dict.fromkeys(texts))
        places = {text: place for place, text in enumerate(different)}
        tokens = self._tokens(different, prompt)
        found: list[Array] = []  # of one array, whose width the first batch tells

        def answer(batch: list[int]) -> None:
            made = self._vectors([tokens[index] for index in batch])
            if not found:
                found.append(np.empty((len(different), made.shape[1])))
            found[0][batch] = made

        run_batches(self.model, [len(row.ids) for row in tokens], answer, budget=self.budget, done=done)
        check_finite(found[0])
        rows = [places[text] for text in texts]
        vectors = found[0] if len(different) == len(texts) else found[0][rows]
        return Embedded(vectors, sum(tokens[place].truncated for place in rows))

    def embed_at_once(self, texts: Sequence[str], *, prompt: str) -> Array:
        """Return the vectors (texts, width) of a few texts in one batch."""
        with torch.inference_mode():
            return self._vectors(self._tokens(texts, prompt))

    def report(self) -> dict[str, Any]:
        """Return what the report says of the model and of how its vectors were made."""
        facts = described(self.model)
        return {
            **facts,
            "weights_bytes": facts["weights_bytes"] + self.modules.weights_bytes,
            "max_length": self.max_length,
            "pooling": " + ".join(self.modules.pooling),
            "pooling_stated": self.modules.stated,
            "prompts": dict(self.modules.prompts),
        }

    def _tokens(self, texts: Sequence[str], prompt: str) -> list[Tokens]:
        read = [f"{prompt}{text}".lower() if self.modules.lower_case else f"{prompt}{text}" for text in texts]
        return self.model.tokenizer.tokenize(
            read, max_length=self.max_length, vocab_size=self.model.vocab_size, filler=self.model.pad_id or 0
        )

    def _vectors(self, rows: Sequence[Tokens]) -> Array:
        hidden = output(self.model, rows).last_hidden_state  # (rows, tokens, size)
        vectors: Array = self.modules.vectors(hidden, _mask(rows).to(hidden.device)).numpy()
        return vectors


def _mask(rows: Sequence[Tokens]) -> torch.Tensor:
    """Return which tokens are of the text, and no padding (rows, tokens)."""
    lengths = torch.tensor([len(row.ids) for row in rows])
    return (torch.arange(int(lengths.max())) < lengths[:, None]).long()


def load_embedder(spec: EvaluateSpec, heads: Sequence[str] = ("Model",)) -> Embedder:
    """Load a model that makes vectors, with the files of sentence-transformers where it has them."""
    model = load_model(spec.model_dir, heads=heads, dtype=spec.dtype, device=spec.device)
    multiply_with_onednn(model.model)
    return embedder_of(model, spec)


def embedder_of(model: LoadedModel, spec: EvaluateSpec) -> Embedder:
    """Return a loaded model with what its author's files say of its vectors."""
    size = int(model.config.config.hidden_size)
    modules = once(("modules", spec.model_dir), lambda: read_modules(ModelFolder(spec.model_dir), size))
    if tuple(modules.pooling) == ("cls",):
        read_first_token(model.model)
    lengths = [length for length in (model.max_length(spec.max_length), modules.max_length) if length is not None]
    return Embedder(model, modules, min(lengths), spec.token_budget)


def normalised(vectors: Array) -> Array:
    """Return vectors of length one; one of length zero is like nothing."""
    lengths = np.sqrt((vectors**2).sum(axis=-1, keepdims=True))
    made: Array = vectors / np.where(lengths == 0, 1.0, lengths)
    return made


def comparable(embedder: Embedder, vectors: Array) -> Array:
    """Return vectors whose products are the similarity that the model was trained for."""
    return normalised(vectors) if embedder.modules.similarity == "cosine" else vectors
