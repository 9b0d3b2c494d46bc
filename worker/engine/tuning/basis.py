"""What training begins from: a model, its tokenizer, and what is to be said of both."""

from dataclasses import dataclass, field
from pathlib import Path

import torch
from transformers import PretrainedConfig, PreTrainedModel

from worker.engine.load import MAX_SEQUENCE
from worker.engine.model_config import CheckedConfig
from worker.engine.tokenizing import LoadedTokenizer


@dataclass(kw_only=True)
class Basis:
    """A model in eval mode that has the head of its task, with random numbers where the base had none."""

    model: PreTrainedModel
    device: torch.device
    # None of models that read no text.
    tokenizer: LoadedTokenizer | None
    config: CheckedConfig | None
    # Files that the result is published with as they are: the tokenizer's and the like.
    files: list[Path] = field(default_factory=list)
    # Names of tensors that began with random numbers.
    fresh: list[str] = field(default_factory=list)
    # Whether the base had a head for other labels, which was left behind.
    new_head: bool = False
    notes: list[str] = field(default_factory=list)

    @property
    def settings(self) -> PretrainedConfig:
        """Return the model's own config."""
        config: PretrainedConfig = self.model.config
        return config

    @property
    def vocab_size(self) -> int:
        """How many token ids have an embedding."""
        return int(self.settings.vocab_size)

    @property
    def pad_id(self) -> int:
        """The id that fills rows up; what it stands for is masked."""
        pad: int | None = getattr(self.settings, "pad_token_id", None)
        return pad or 0

    @property
    def segments(self) -> int:
        """How many segments the model tells apart; 0 or 1 means that it takes no segment ids."""
        return int(getattr(self.settings, "type_vocab_size", 0) or 0)

    @property
    def is_decoder(self) -> bool:
        """Say whether each token sees only those before it."""
        return self.config is not None and self.config.is_decoder

    def max_length(self, wanted: int | None) -> int:
        """Return how many tokens of a row are read: the least of what is wanted and what model and author allow."""
        limits = [wanted, MAX_SEQUENCE]
        if self.config is not None:
            limits.append(self.config.position_limit)
        if self.tokenizer is not None:
            limits.append(self.tokenizer.stated_length)
        return min(limit for limit in limits if limit is not None)


@dataclass(kw_only=True)
class Head:
    """What the head on top must be, for config.json and for a new one."""

    labels: list[str] | None = None
    problem_type: str | None = None
