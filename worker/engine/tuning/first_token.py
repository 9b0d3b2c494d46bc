"""The last layer of an encoder that learns, computed for the one token that its head reads.

What evaluations do (`worker.engine.answering.first_token`) with gradients and with what is dropped while learning. The
gradients are those of the whole layer, for nothing reads its other tokens; fewer random numbers are drawn.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch.nn import functional
from transformers import PreTrainedModel

from worker.engine.answering.first_token import LIKE_BERT, LIKE_DISTILBERT

Linear = Callable[[torch.Tensor], torch.Tensor]


def learn_first_token(model: PreTrainedModel) -> bool:
    """Have a model compute no more of its last layer than its first token, in training as in answers.

    For models with a head that reads no other token of that layer, no tokens before the text and no cache. Returns
    whether the architecture is one for which it is known how; all others stay as they are.
    """
    config: Any = model.config
    body: Any = model.base_model
    if config._attn_implementation != "sdpa" or getattr(config, "is_decoder", False):
        return False
    if config.model_type in LIKE_BERT:
        layer = body.encoder.layer[-1]
        layer.forward = partial(_like_bert, layer)
    elif config.model_type in LIKE_DISTILBERT:
        layer = body.transformer.layer[-1]
        layer.forward = partial(_like_distilbert, layer)
    else:
        return False
    return True


def _like_bert(
    layer: Any, states: torch.Tensor, mask: torch.Tensor | None = None, *_rest: Any, **_others: Any
) -> torch.Tensor:
    whole = layer.attention.self
    found = _gathered(whole, (whole.query, whole.key, whole.value), states, mask)
    written: torch.Tensor = layer.feed_forward_chunk(layer.attention.output(found, states[:, :1]))
    return written


def _like_distilbert(
    layer: Any, states: torch.Tensor, attention_mask: torch.Tensor | None = None, **_others: Any
) -> torch.Tensor:
    whole = layer.attention
    found = _gathered(whole, (whole.q_lin, whole.k_lin, whole.v_lin), states, attention_mask)
    attended = layer.sa_layer_norm(whole.out_lin(found) + states[:, :1])
    written: torch.Tensor = layer.output_layer_norm(layer.ffn(attended) + attended)
    return written


def _gathered(
    whole: Any, parts: tuple[Linear, Linear, Linear], states: torch.Tensor, mask: torch.Tensor | None
) -> torch.Tensor:
    """Return what the first token gathers (texts, 1, width) from states (texts, tokens, width)."""
    query, key, value = (
        part(of).view(*of.shape[:2], -1, whole.attention_head_size).transpose(1, 2)
        for part, of in zip(parts, (states[:, :1], states, states), strict=True)
    )
    found = functional.scaled_dot_product_attention(
        query,
        key,
        value,
        attn_mask=None if mask is None else mask[:, :, :1],
        dropout_p=whole.dropout.p if whole.training else 0.0,
        scale=whole.scaling,
    )
    return found.transpose(1, 2).flatten(2)
