"""Prompt, prefix and p-tuning: invented tokens before the text, or invented keys and values before its attention.

What is invented is made and saved by `peft`; how a model is called with it is ours. In `peft` answers come out as many
places too late as tokens were invented, a decoder that classifies looks at the padding, and prefixes look for an
argument that transformers has renamed.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from peft import PeftConfig, PrefixTuningConfig, PromptEncoderConfig, PromptTuningConfig
from peft.utils import _set_trainable
from transformers import PreTrainedModel

from worker.engine.contracts import EngineError
from worker.engine.tuning.methods.low_rank import ADAPTER, save_adapter, wrapped
from worker.engine.tuning.methods.method import Attached, Given, body_of, heads_of
from worker.engine.tuning.methods.places import task_type

# What has a number, or several, for each token, and must be cut.
# What `peft` takes for the head of a model.
OWN_HEADS = ("classifier", "score", "qa_outputs")
OF_TOKENS = ("logits", "start_logits", "end_logits", "last_hidden_state")


class Prompted(torch.nn.Module):
    """Takes what the bare model takes, rows filled up on their right, and says the same about the same tokens."""

    # Nothing of what was read is kept for the next token.
    rereads = True

    def __init__(self, peft: Any, facts: Mapping[str, Any]) -> None:
        super().__init__()
        self.peft = peft
        self.config = peft.get_base_model().config
        self._family = facts["family"]
        settings = peft.peft_config[ADAPTER]
        self._count: int = settings.num_virtual_tokens
        self._is_prefix = settings.peft_type == "PREFIX_TUNING"
        self._pools = settings.task_type == "SEQ_CLS" and self._family == "decoder"

    @property
    def base(self) -> Any:
        """Return the bare model."""
        return self.peft.get_base_model()

    @property
    def device(self) -> torch.device:
        """Return where the model is."""
        device: torch.device = self.base.device
        return device

    @property
    def dtype(self) -> torch.dtype:
        """Return what the model counts in."""
        dtype: torch.dtype = self.base.dtype
        return dtype

    def get_input_embeddings(self) -> Any:
        """Return the embeddings of the bare model."""
        return self.base.get_input_embeddings()

    def forward(
        self,
        input_ids: torch.Tensor | None = None,
        attention_mask: torch.Tensor | None = None,
        inputs_embeds: torch.Tensor | None = None,
        **inputs: Any,
    ) -> Any:
        """Return what the model says of the rows (rows, width)."""
        if inputs.pop("cache", None) is not None or inputs.pop("use_cache", False):
            raise EngineError(
                "unsupported_architecture", "Behind invented tokens this model keeps nothing of what it has read."
            )
        given: Any = inputs_embeds if input_ids is None else input_ids
        rows, width = given.shape[:2]
        if attention_mask is None:
            attention_mask = torch.ones((rows, width), dtype=torch.long, device=given.device)
        if self._is_prefix:
            return self._behind(attention_mask, {**inputs, "input_ids": input_ids, "inputs_embeds": inputs_embeds})
        embeds = self.get_input_embeddings()(input_ids) if inputs_embeds is None else inputs_embeds
        invented = self.peft.get_prompt(rows)[:, : self._count].to(embeds.dtype)  # (rows, invented, hidden)
        inputs["inputs_embeds"] = torch.cat([invented, embeds], dim=1)
        inputs["attention_mask"] = self._longer(attention_mask, 1)
        if inputs.get("token_type_ids") is not None:
            inputs["token_type_ids"] = self._longer(inputs["token_type_ids"], 0)
        # Rows are filled up on their right, so that every model counts its positions rightly by itself.
        inputs.pop("position_ids", None)
        return self._pooled(inputs) if self._pools else self._cut(self.base(**inputs))

    def _behind(self, attention_mask: torch.Tensor, inputs: dict[str, Any]) -> Any:
        if self.training and any(getattr(part, "gradient_checkpointing", False) for part in self.base.modules()):
            # transformers would leave the prefix out without a word.
            raise EngineError("bad_spec", "prefix does not go with gradient_checkpointing: turn one of them off.")
        cache = self.peft.get_prompt(len(attention_mask))
        name = "decoder_attention_mask" if self._family == "seq2seq" else "attention_mask"
        masks: dict[str, Any] = {
            "attention_mask": attention_mask,
            "decoder_attention_mask": inputs.get("decoder_attention_mask"),
        }
        if masks[name] is not None:
            masks[name] = self._longer(masks[name], 1)
        inputs |= {key: mask for key, mask in masks.items() if mask is not None}
        if inputs.get("position_ids") is not None:
            inputs["position_ids"] = inputs["position_ids"] + self._count
        return self.base(cache=cache, **{key: value for key, value in inputs.items() if value is not None})

    def _longer(self, table: torch.Tensor, filler: int) -> torch.Tensor:
        return torch.cat([table.new_full((len(table), self._count), filler), table], dim=1)

    def _pooled(self, inputs: dict[str, Any]) -> Any:
        """Read the last token of each row: without ids the model itself would take the padding for it."""
        from transformers.modeling_outputs import SequenceClassifierOutput

        hidden = body_of(self.base)(**inputs).last_hidden_state  # (rows, tokens, hidden)
        places = torch.arange(hidden.shape[1], device=hidden.device)
        last = (inputs["attention_mask"] * places).argmax(dim=1)  # (rows,)
        return SequenceClassifierOutput(logits=self.base.score(hidden[torch.arange(len(hidden)), last]))

    def _cut(self, output: Any) -> Any:
        if self._family == "seq2seq":
            return output  # numbers of the decoder, before which nothing was put
        for name in OF_TOKENS:
            numbers = output.get(name)
            if numbers is not None and (name != "logits" or numbers.ndim == 3):
                output[name] = numbers[:, self._count :]
        return output


class Invented(Attached):
    """A model that rests behind what was invented for it."""

    def __init__(
        self, base: PreTrainedModel, config: PeftConfig, facts: Mapping[str, Any], heads: Sequence[str] = ()
    ) -> None:
        """Put it before a base; `heads` are parts that are trained beside what `peft` itself takes for the head."""
        super().__init__(base)
        peft = wrapped(base, config)
        self.heads = list(heads)
        if heads:
            _set_trainable(peft, ADAPTER, module_names=self.heads, inference_mode=config.inference_mode)
        self.model = Prompted(peft, facts)
        self.virtual_tokens = self.model._count

    def save(self, folder: Path) -> None:
        """Write what was invented, and the head, in the form that `peft` reads."""
        save_adapter(self.model.peft, folder)
        self.say_purpose(folder)

    def merged(self) -> None:
        """There is no plain model that says the same: what was invented stands before each text."""


def attach(model: PreTrainedModel, method: str, options: Mapping[str, Any], given: Given) -> Attached:
    """Invent as many tokens as the options ask for.

    What is new in the base beside its head, such as a pooler, is trained and saved: random numbers would be lost. What
    the base brings stays, for `peft` has no place for it.
    """
    heads = [name for name in heads_of(model, given.task) if any(part.startswith(f"{name}.") for part in given.fresh)]
    heads = [name for name in heads if name not in OWN_HEADS]
    common: dict[str, Any] = {"task_type": task_type(given.task, given.facts), "num_virtual_tokens": options["length"]}
    embeddings: Any = model.get_input_embeddings()
    if method == "prefix":
        return Invented(model, _prefix(model, options, common, given.facts), given.facts, heads)
    # Some models have narrower embeddings than layers, such as ALBERT.
    common |= {**_sizes(model), "token_dim": embeddings.weight.shape[1], "num_transformer_submodules": 1}
    if method == "ptuning":
        return Invented(model, PromptEncoderConfig(encoder_hidden_size=options["hidden"], **common), given.facts, heads)
    attached = Invented(model, PromptTuningConfig(**common), given.facts, heads)
    # Begun as words of its vocabulary the model goes on from there sooner than from mere noise.
    words = torch.randint(len(embeddings.weight), (options["length"],), device=embeddings.weight.device)
    with torch.no_grad():
        attached.model.peft.prompt_encoder[ADAPTER].embedding.weight.copy_(embeddings(words))
    return attached


def _prefix(
    model: PreTrainedModel, options: Mapping[str, Any], common: Mapping[str, Any], facts: Mapping[str, Any]
) -> PrefixTuningConfig:
    config: Any = model.config
    sizes = _sizes(model)
    width = config.hidden_size
    if facts["family"] == "seq2seq":
        # It is the decoder that gets the prefix.
        sizes["num_layers"] = getattr(config, "num_decoder_layers", None) or config.decoder_layers
        sizes["num_attention_heads"] = getattr(config, "decoder_attention_heads", config.num_attention_heads)
        width = sizes["num_attention_heads"] * getattr(config, "d_kv", width // sizes["num_attention_heads"])
    return PrefixTuningConfig(
        prefix_projection=options["projection"], encoder_hidden_size=config.hidden_size, token_dim=width,
        num_transformer_submodules=2 if facts["family"] == "seq2seq" else 1, **sizes, **common,
    )  # fmt: skip


def _sizes(model: PreTrainedModel) -> dict[str, Any]:
    config: Any = model.config
    return {"num_layers": config.num_hidden_layers, "num_attention_heads": config.num_attention_heads}
