"""A model with fewer heads: in each layer those are kept that the loss depends on most (Michel and others, 2019).

Types whose config.json has the width of a head are saved as they are. Others (BERT and its like) derive it from the
number of heads, so that no config can describe a model with fewer: those are written as ONNX alone.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from worker.engine.contracts import EngineError, require
from worker.engine.folder import ModelFolder
from worker.engine.load import LoadedModel
from worker.engine.tasks import find
from worker.engine.tuning import objectives
from worker.engine.tuning.compressing.contracts import CompressSpec
from worker.engine.tuning.compressing.folders import key_of, write_folder
from worker.engine.tuning.compressing.layers import Layers
from worker.engine.tuning.contracts import FinetuneSpec
from worker.engine.tuning.reading import read_rows

# Query, key, value and what puts the heads together again, by family.
NAMES = (
    ("attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense"),
    ("attention.q_lin", "attention.k_lin", "attention.v_lin", "attention.out_lin"),
    ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj"),
)
MATRICES = 3  # query, key and value
BATCH = 16
MAX_ROWS = 2000


@dataclass(frozen=True)
class Attention:
    """The four matrices of a layer, and how many rows of them belong to a head."""

    parts: tuple[nn.Linear, ...]
    width: int
    groups: int  # heads of keys and values; several of queries may share one

    @property
    def sharing(self) -> int:
        """How many heads of queries there are to one of keys and values."""
        return self.parts[0].out_features // self.width // self.groups

    def keep(self, numbers: Sequence[int]) -> None:
        """Take out all heads but these, counted by those of keys and values."""
        queries = [number * self.sharing + part for number in numbers for part in range(self.sharing)]
        for place, linear in enumerate(self.parts[:MATRICES]):
            rows = self._rows(queries if place == 0 else numbers)
            linear.weight = nn.Parameter(linear.weight.detach()[rows])
            linear.out_features = len(rows)
            if linear.bias is not None:
                linear.bias = nn.Parameter(linear.bias.detach()[rows])
        columns, last = self._rows(queries), self.parts[-1]
        last.weight = nn.Parameter(last.weight.detach()[:, columns])
        last.in_features = len(columns)

    def _rows(self, heads: Sequence[int]) -> torch.Tensor:
        return torch.cat([torch.arange(head * self.width, (head + 1) * self.width) for head in heads])


def attentions(model: Any) -> list[Attention]:
    """Return the attention of each layer."""
    config = model.config
    heads = int(config.num_attention_heads)
    width = int(getattr(config, "head_dim", None) or config.hidden_size // heads)
    groups = int(getattr(config, "num_key_value_heads", None) or heads)
    found = [Attention(parts, width, groups) for parts in _matrices(model)]
    if len(found) != int(config.num_hidden_layers) or any(
        attention.parts[0].out_features != heads * width or attention.parts[1].out_features != groups * width
        for attention in found
    ):
        raise EngineError("unsupported_architecture", f"The heads of a {config.model_type} cannot be told apart here.")
    return found


def _matrices(model: Any) -> Iterator[tuple[nn.Linear, ...]]:
    modules = dict(model.named_modules())
    for names in NAMES:
        for name in modules:
            if name.endswith(f".{names[0]}"):
                before = name.removesuffix(names[0])
                parts = tuple(modules.get(before + part) for part in names)
                if all(isinstance(part, nn.Linear) for part in parts):
                    yield parts  # type: ignore[misc]


def importance(spec: CompressSpec) -> list[list[float]]:
    """Return for each layer how much the loss on the rows hangs on each head of keys and values."""
    task = find(spec.task)
    settings = task.settings(spec.settings)
    rows = read_rows(str(spec.train), "training")[:MAX_ROWS]
    kind = objectives.find(spec.task)
    asked = FinetuneSpec(
        task=spec.task, train=str(spec.train), out_dir=spec.out_dir, settings=spec.settings, model_dir=spec.model_dir,
        seed=spec.seed, threads=spec.threads, device="cpu",
    )  # fmt: skip
    basis = kind.begin(task, settings, asked, rows)
    objective = kind(task, settings, asked, basis)
    basis.model.train(mode=False)
    found = attentions(basis.model)
    sums = [torch.zeros(attention.groups, dtype=torch.float64) for attention in found]
    given: list[torch.Tensor] = [torch.empty(0)] * len(found)

    def keeper(place: int) -> Any:
        def keep(_module: Any, inputs: Any) -> None:
            given[place] = inputs[0]
            inputs[0].retain_grad()

        return keep

    hooks = [attention.parts[-1].register_forward_pre_hook(keeper(place)) for place, attention in enumerate(found)]
    features = objective.encode(rows, training=True)
    for start in range(0, len(features), BATCH):
        batch = objective.collate(features[start : start + BATCH], training=False)
        loss = objective.loss(objective.forward(basis.model, batch), batch, training=False)
        torch.autograd.backward(loss.total)
        for place, attention in enumerate(found):
            gradient = given[place].grad  # (rows, tokens, heads x width)
            assert gradient is not None
            both = (given[place].detach() * gradient).double()
            by_head = both.reshape(*both.shape[:2], attention.groups, -1)  # (rows, tokens, groups, heads x width)
            sums[place] += by_head.sum(dim=(1, 3)).abs().sum(dim=0)  # (groups,)
        basis.model.zero_grad(set_to_none=True)
    for hook in hooks:
        hook.remove()
    return [values.tolist() for values in sums]


def chosen(weights: list[list[float]], keep: int) -> list[list[int]]:
    """Return the heads of each layer that are kept, in their order."""
    most = len(weights[0])
    require(keep < most, f"keep_heads must be below {most}, the heads of keys and values that the model has")
    return [
        sorted(sorted(range(most), key=lambda number: (-layer[number], number))[:keep]) for layer in weights
    ]  # fmt: skip


def is_savable(model: LoadedModel) -> bool:
    """Say whether config.json of this type can describe a model with fewer heads."""
    return model.config.is_decoder


def drop_heads(model: LoadedModel, kept: list[list[int]]) -> None:
    """Take all other heads out of a model in place."""
    for attention, numbers in zip(attentions(model.model), kept, strict=True):
        attention.keep(numbers)


def write_fewer(source: ModelFolder, model: LoadedModel, kept: list[list[int]], out: Path) -> None:
    """Write the folder of a model with fewer heads."""
    first = attentions(model.model)[0]
    changes = {
        key_of(model, "num_attention_heads"): len(kept[0]) * first.sharing,
        "num_key_value_heads": len(kept[0]),
        "head_dim": first.width,
    }
    Layers(model)  # refuses layers that are one
    drop_heads(model, kept)
    write_folder(source, model, model.model.state_dict(), changes, out)
