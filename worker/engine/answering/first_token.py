"""The last layer of an encoder, computed for the one token that a classifier reads.

Of the last layer heads of classification read the state of the first token alone, for which the keys and values of all
tokens are needed and nothing else: of four layers this saves a fifth of the work, and the answer is the same. So are
the gradients of a model that learns, for nothing reads its other tokens; fewer random numbers are drawn.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import torch
from torch.nn import functional
from transformers import PreTrainedModel

# model_type, where the layer has the parts of BERT's and nothing reads other tokens of it than the first.
LIKE_BERT = frozenset(("bert", "camembert", "electra", "ernie", "roberta", "xlm-roberta"))
LIKE_DISTILBERT = frozenset(("distilbert",))

Linear = Callable[[torch.Tensor], torch.Tensor]


class _Attention(NamedTuple):
    """The parts of self-attention."""

    query: Linear
    key: Linear
    value: Linear
    head_size: int
    scaling: float
    dropout: torch.nn.Dropout

    def of_first(self, states: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
        """Return what the first token gathers (texts, 1, width) from states (texts, tokens, width)."""
        query, key, value = (
            part(of).view(*of.shape[:2], -1, self.head_size).transpose(1, 2)
            for part, of in ((self.query, states[:, :1]), (self.key, states), (self.value, states))
        )
        seen = None if mask is None else mask[:, :, :1]
        dropped = self.dropout.p if self.dropout.training else 0.0
        found = functional.scaled_dot_product_attention(
            query, key, value, attn_mask=seen, dropout_p=dropped, scale=self.scaling
        )
        return found.transpose(1, 2).flatten(2)


def read_first_token(model: object) -> bool:
    """Have a model in eval mode compute no more of its last layer than its first token; weights keep their names.

    For models of which nobody reads other tokens of that layer. Returns whether the architecture is one for which it
    is known how; all others stay as they are. Twice is as good as once.
    """
    # What stands before a model, such as invented tokens or a file of ONNX, says no more than that it has a config.
    return isinstance(model, PreTrainedModel) and not model.training and learn_first_token(model)


def learn_first_token(model: PreTrainedModel) -> bool:
    """Have a model do so in training as in answers; for heads that read no invented tokens before the text either."""
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
    parts = (whole.query, whole.key, whole.value, whole.attention_head_size, whole.scaling, whole.dropout)
    attended = layer.attention.output(_Attention(*parts).of_first(states, mask), states[:, :1])
    written: torch.Tensor = layer.feed_forward_chunk(attended)
    return written


def _like_distilbert(
    layer: Any, states: torch.Tensor, attention_mask: torch.Tensor | None = None, **_others: Any
) -> torch.Tensor:
    whole = layer.attention
    parts = (whole.q_lin, whole.k_lin, whole.v_lin, whole.attention_head_size, whole.scaling, whole.dropout)
    found = _Attention(*parts).of_first(states, attention_mask)
    attended = layer.sa_layer_norm(whole.out_lin(found) + states[:, :1])
    written: torch.Tensor = layer.output_layer_norm(layer.ffn(attended) + attended)
    return written
