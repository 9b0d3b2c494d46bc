"""What the numbers of a new model are before its first step, where those of its library are learned from badly.

T5 was made for Adafactor, whose steps are a share of what they change: its embeddings begin at 1, and a step of Adam
of 0.001 hardly moves them. The same model, written down in smaller numbers, learns more by as many steps.
"""

from collections.abc import Mapping
from typing import Any

import torch
from transformers import PreTrainedModel

# What the layers of T5 add to the hidden states.
ADDING = (".o.weight", ".wo.weight")


def begin(model: PreTrainedModel) -> None:
    """Bring the numbers of a new model to a size that is learned well; but for rounding it answers the same.

    Each layer reads hidden states through a norm of their size, so that embeddings, and all that is added to them, can
    be smaller by one factor. The last norm makes up for it, and for the division by the root of the width that T5 has
    before embeddings that write as well.
    """
    config: Any = model.config
    if config.model_type != "t5" or not config.tie_word_embeddings:
        return
    factor = float(config.d_model) ** -0.5
    tensors: Mapping[str, torch.Tensor] = model.state_dict(keep_vars=True)
    with torch.no_grad():
        for name, tensor in tensors.items():
            if name == "shared.weight" or name.endswith(ADDING):
                tensor.mul_(factor)
        tensors["decoder.final_layer_norm.weight"].div_(factor)
