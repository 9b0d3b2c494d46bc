"""How likely a model finds tokens behind others. What several rows have in common is computed once.

Of two rows whose inputs begin alike the shorter one is read off the longer; the choices of a question share the
beginning that they have in common, whose keys and values are kept. Only positions that count meet the vocabulary.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
import torch

from worker.engine.batching import budget_on, plan_batches
from worker.engine.continuations import Row
from worker.engine.inference import check_finite, run_planned
from worker.engine.load import LoadedModel

# How many logits are held at a time, 4 bytes each.
LOGITS = 1 << 25
# Kept beginnings have a length that is a multiple of this, so that many questions go into one batch.
STEP = 8
# How many tokens a turn must save to be worth one more call of the model.
WORTH = 512
# Kinds of positions that hang on the length of all that is read, so that a kept beginning would be another.
MOVING_POSITIONS = frozenset({"dynamic", "longrope"})


@dataclass(frozen=True, slots=True)
class Target:
    """Tokens of one row and where their logits are in the row that they are read off."""

    row: int
    first: int  # position of the logits of the first token
    tokens: list[int]


@dataclass(frozen=True, slots=True)
class Host:
    """One sequence that the model reads, and what is read off it."""

    inputs: tuple[int, ...]
    group: int
    targets: list[Target] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Unit:
    """Sequences of one question that begin alike."""

    hosts: list[Host]
    shared: int  # how many tokens all begin with

    @property
    def width(self) -> int:
        """How many tokens of the longest one come behind the shared ones."""
        return max(len(host.inputs) for host in self.hosts) - self.shared


@dataclass(frozen=True)
class Likelihoods:
    """What was found of each row."""

    values: np.ndarray[Any, np.dtype[np.float64]]  # (rows,) natural logarithms
    greedy: np.ndarray[Any, np.dtype[np.bool_]]  # (rows,)
    read: int  # tokens that went through the model


def likelihoods(
    model: LoadedModel,
    rows: Sequence[Row],
    groups: Sequence[int],
    *,
    budget: int,
    done: Callable[[float], None] = lambda share: None,
) -> Likelihoods:
    """Return how likely the tokens of each row are; rows of one group may begin alike."""
    reader = _Reader(model, len(rows))
    hosts = _hosts(rows, groups)
    alone, shared = _units(hosts, _may_share(model), budget_on(model.device.type, WORTH))
    work = [([Unit([host], 0) for host in alone], 0)] if alone else []
    work += [(units, length) for length, units in sorted(shared.items(), reverse=True)]
    total, before = sum(len(units) for units, _length in work), 0
    room = budget_on(model.device.type, budget)
    for units, length in work:
        sizes = [length + len(unit.hosts) * unit.width for unit in units]

        def read(batch: list[int], units: list[Unit] = units, length: int = length) -> None:
            reader.read([units[index] for index in batch], length)

        def told(count: int, before: int = before) -> None:
            done((before + count) / total)

        run_planned(model.device, plan_batches(sizes, room), read, done=told)
        before += len(units)
    check_finite(reader.values)
    return Likelihoods(reader.values, reader.greedy, reader.tokens)


def _hosts(rows: Sequence[Row], groups: Sequence[int]) -> list[Host]:
    """Return the sequences that must be read: one whose beginning another is serves for both."""
    order = sorted(range(len(rows)), key=lambda index: rows[index].inputs, reverse=True)
    hosts: list[Host] = []
    for index in order:
        row = rows[index]
        inputs = row.inputs
        # In this order a longer sequence stands right before all that it begins with.
        if not hosts or hosts[-1].inputs[: len(inputs)] != inputs:
            hosts.append(Host(inputs, groups[index]))
        hosts[-1].targets.append(Target(index, row.start - 1, row.ids[row.start :]))
    return hosts


def _units(hosts: Sequence[Host], may_share: bool, worth: int) -> tuple[list[Host], dict[int, list[Unit]]]:
    """Return the sequences that are read alone, and those of one question by the length that they share."""
    questions: dict[int, list[Host]] = defaultdict(list)
    for host in hosts:
        questions[host.group].append(host)
    alone: list[Host] = []
    shared: dict[int, list[Unit]] = defaultdict(list)
    for members in questions.values():
        length = _in_common(members) // STEP * STEP if may_share and len(members) > 1 else 0
        if length:
            shared[length].append(Unit(members, length))
        else:
            alone += members
    for length, units in list(shared.items()):
        if sum((len(unit.hosts) - 1) * length for unit in units) < worth:
            alone += [host for unit in shared.pop(length) for host in unit.hosts]
    return alone, shared


def _in_common(members: Sequence[Host]) -> int:
    """Return how many tokens all begin with, those left out whose logits are needed."""
    length = min(target.first for host in members for target in host.targets)
    for one, other in pairwise(members):
        same = (at for at, (a, b) in enumerate(zip(one.inputs, other.inputs, strict=False)) if a != b)
        length = min(length, next(same, min(len(one.inputs), len(other.inputs))))
    return length


def _may_share(model: LoadedModel) -> bool:
    positions = getattr(model.config.config, "rope_parameters", None)
    kinds = [positions, *(positions.values() if isinstance(positions, dict) else ())]
    return not any(isinstance(kind, dict) and kind.get("rope_type") in MOVING_POSITIONS for kind in kinds)


class _Reader:
    """Reads batches and keeps what was found of each row."""

    def __init__(self, model: LoadedModel, rows: int) -> None:
        self._model = model
        causal: Any = model.model
        self._body, self._head = causal.base_model, causal.get_output_embeddings()
        self._cap: float | None = getattr(model.config.config, "final_logit_softcapping", None)
        self.values = np.zeros(rows, dtype=np.float64)
        self.greedy = np.ones(rows, dtype=np.bool_)
        self.tokens = 0

    def read(self, units: Sequence[Unit], shared: int) -> None:
        """Read units that share beginnings of one length, or none, each its own."""
        cache = None
        if shared:
            beginnings = self._tensor([unit.hosts[0].inputs[:shared] for unit in units])  # (units, shared)
            cache = self._body(input_ids=beginnings, use_cache=True).cache
            owners = [at for at, unit in enumerate(units) for _host in unit.hosts]
            cache.batch_select_indices(torch.tensor(owners, device=self._model.device))
        hosts = [host for unit in units for host in unit.hosts]
        ids = self._tensor([host.inputs[shared:] for host in hosts])  # (hosts, width)
        # Padding stands behind the text, where no token of it looks; so there is no mask, and the fast kernels serve.
        options = {"cache": cache, "use_cache": True} if shared else {"use_cache": False}
        hidden = self._body(input_ids=ids, **options).last_hidden_state  # (hosts, width, size)
        self._take(hidden, hosts, shared)

    def _take(self, hidden: torch.Tensor, hosts: Sequence[Host], shared: int) -> None:
        """Find how likely the tokens of all targets are."""
        targets = [(at, target) for at, host in enumerate(hosts) for target in host.targets]
        places = [(at, target.first - shared + step) for at, target in targets for step in range(len(target.tokens))]
        at, position = (torch.tensor(part, device=hidden.device) for part in zip(*places, strict=True))
        wanted = torch.tensor([token for _at, target in targets for token in target.tokens], device=hidden.device)
        values, greedy = self._against_vocabulary(hidden[at, position], wanted)
        begin = 0
        for _at, target in targets:
            end = begin + len(target.tokens)
            self.values[target.row] = values[begin:end].sum()
            self.greedy[target.row] = greedy[begin:end].all()
            begin = end

    def _against_vocabulary(
        self, hidden: torch.Tensor, wanted: torch.Tensor
    ) -> tuple[np.ndarray[Any, np.dtype[np.float64]], np.ndarray[Any, np.dtype[np.bool_]]]:
        """Return the log-likelihood of each token (n,) behind a hidden state (n, size), and if it was the first."""
        values, greedy = [], []
        step = max(1, LOGITS // self._model.vocab_size)
        for begin in range(0, len(hidden), step):
            logits = self._head(hidden[begin : begin + step]).float()  # (step, vocabulary)
            if self._cap is not None:
                logits = torch.tanh(logits / self._cap) * self._cap
            tokens = wanted[begin : begin + step]
            chosen = logits.gather(1, tokens[:, None])[:, 0]
            values.append((chosen.double() - logits.logsumexp(dim=1).double()).cpu().numpy())
            greedy.append((logits.argmax(dim=1) == tokens).cpu().numpy())
        return np.concatenate(values), np.concatenate(greedy)

    def _tensor(self, rows: Sequence[Sequence[int]]) -> torch.Tensor:
        width = max(map(len, rows))
        pad = self._model.pad_id or 0
        self.tokens += sum(map(len, rows))
        return torch.tensor([[*row, *[pad] * (width - len(row))] for row in rows], device=self._model.device)
