"""A causal model to a GGUF file, and what such a file holds back into a model."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import numpy.typing as npt
import torch

from worker.engine.contracts import EngineError
from worker.engine.load import LoadedModel
from worker.engine.tuning.exporting.gguf_tokens import Vocabulary

Numbers = npt.NDArray[np.float32]
ARCHITECTURES = {
    "llama": gguf.MODEL_ARCH.LLAMA,
    "qwen2": gguf.MODEL_ARCH.QWEN2,
    "qwen3": gguf.MODEL_ARCH.QWEN3,
    "gpt2": gguf.MODEL_ARCH.GPT2,
}
TYPES = {
    "f32": (gguf.GGMLQuantizationType.F32, gguf.LlamaFileType.ALL_F32),
    "f16": (gguf.GGMLQuantizationType.F16, gguf.LlamaFileType.MOSTLY_F16),
    "q8_0": (gguf.GGMLQuantizationType.Q8_0, gguf.LlamaFileType.MOSTLY_Q8_0),
    "q4_0": (gguf.GGMLQuantizationType.Q4_0, gguf.LlamaFileType.MOSTLY_Q4_0),
}
EMBEDDINGS = ("token_embd.weight", "output.weight")
POSITIONS = "position_embd.weight"
MAX_HALF = 65504.0
MAX_TEMPLATE = 64_000


@dataclass(frozen=True)
class Layout:
    """How the tensors of a model are called and turned in a GGUF file."""

    model: LoadedModel

    @property
    def config(self) -> Any:
        """Return the model's own config."""
        return self.model.config.config

    @property
    def architecture(self) -> gguf.MODEL_ARCH:
        """Return the name that llama.cpp has for the type of the model."""
        found = ARCHITECTURES.get(self.config.model_type)
        if found is None:
            raise EngineError(
                "unsupported_architecture",
                f"GGUF files are written of {', '.join(ARCHITECTURES)}; this is a {self.config.model_type}.",
            )
        return found

    def tensors(self) -> dict[str, tuple[str, Numbers]]:
        """Return the tensors (name in the model, numbers as the file has them) by their name in the file."""
        names = gguf.get_tensor_name_map(self.architecture, int(self.config.num_hidden_layers))
        found: dict[str, tuple[str, Numbers]] = {}
        for name, tensor in self.model.model.state_dict().items():
            if name == "lm_head.weight" and self.config.tie_word_embeddings:
                continue
            known = names.get_name(name, try_suffixes=(".weight", ".bias"))
            if known is None:
                raise EngineError("export_failed", f"A GGUF file has no place for the tensor {name[:100]}.")
            found[known] = name, self._turned(name, tensor.float().numpy())
        return found

    def back(self, name: str, numbers: Numbers) -> torch.Tensor:
        """Return what a file holds as the model has it."""
        if self._is_turned(name):
            return torch.from_numpy(numbers.T.copy())
        if heads := self._permuted(name):
            size = numbers.shape[0] // heads // 2
            numbers = numbers.reshape(heads, size, 2, *numbers.shape[1:]).swapaxes(1, 2).reshape(numbers.shape)
        return torch.from_numpy(np.ascontiguousarray(numbers))

    def _turned(self, name: str, numbers: Numbers) -> Numbers:
        if self._is_turned(name):
            return np.ascontiguousarray(numbers.T)
        if heads := self._permuted(name):
            # The halves of a head that are rotated together stand side by side there.
            size = numbers.shape[0] // heads // 2
            numbers = numbers.reshape(heads, 2, size, *numbers.shape[1:]).swapaxes(1, 2).reshape(numbers.shape)
        return np.ascontiguousarray(numbers)

    def _is_turned(self, name: str) -> bool:
        """Say whether GPT-2 keeps this matrix the other way round."""
        return self.config.model_type == "gpt2" and name.endswith(("c_attn.weight", "c_proj.weight", "c_fc.weight"))

    def _permuted(self, name: str) -> int:
        if self.config.model_type != "llama":
            return 0
        heads = {"q_proj": self.config.num_attention_heads, "k_proj": self.config.num_key_value_heads}
        return int(next((count for part, count in heads.items() if f".{part}." in name), 0))


def check_config(layout: Layout) -> None:
    """Refuse what llama.cpp would compute in another way."""
    config, odd = layout.config, []
    rope = getattr(config, "rope_parameters", None) or {}
    if rope.get("rope_type", "default") != "default":
        odd.append(f"positions scaled by {str(rope.get('rope_type'))[:30]}")
    if getattr(config, "use_sliding_window", False):
        odd.append("a sliding window")
    if config.model_type == "llama" and (config.attention_bias or config.mlp_bias):
        odd.append("biases in a Llama")
    if config.model_type == "gpt2" and (
        config.activation_function != "gelu_new" or config.scale_attn_by_inverse_layer_idx or config.add_cross_attention
    ):
        odd.append("a GPT-2 with another activation or attention")
    if config.model_type != "gpt2" and config.hidden_act != "silu":
        odd.append(f"the activation {str(config.hidden_act)[:30]}")
    if odd:
        raise EngineError("unsupported_architecture", f"A GGUF file cannot say that the model has {' and '.join(odd)}.")


def write(
    layout: Layout, vocabulary: Vocabulary, tensors: Mapping[str, tuple[str, Numbers]], path: Path, precision: str,
    template: str | None,
) -> None:  # fmt: skip
    """Write a file; vectors stay in full precision, and so do rows that blocks of 32 do not fit."""
    kind, file_type = TYPES[precision]
    writer = gguf.GGUFWriter(str(path), gguf.MODEL_ARCH_NAMES[layout.architecture])
    writer.add_file_type(file_type)
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)
    _add_sizes(writer, layout)
    _add_tokens(writer, vocabulary, template)
    for name, (_own, numbers) in tensors.items():
        stored = _type_for(name, numbers, kind)
        if stored == gguf.GGMLQuantizationType.F16 and np.abs(numbers).max(initial=0.0) > MAX_HALF:
            raise EngineError("export_failed", f"The tensor {name} has numbers that half precision cannot hold.")
        writer.add_tensor(name, gguf.quantize(numbers, stored), raw_dtype=stored)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def read_back(layout: Layout, tensors: Mapping[str, tuple[str, Numbers]], path: Path) -> dict[str, torch.Tensor]:
    """Return the tensors of a file under their names in the model, in full precision."""
    found = {}
    for tensor in gguf.GGUFReader(str(path)).tensors:
        own, numbers = tensors[tensor.name]
        read = gguf.dequantize(tensor.data, tensor.tensor_type).reshape(numbers.shape).astype(np.float32)
        found[own] = layout.back(own, read)
    if set(found) != {own for own, _numbers in tensors.values()}:
        raise EngineError("export_failed", "the file does not hold every tensor of the model")
    return found


def _type_for(name: str, numbers: Numbers, wanted: gguf.GGMLQuantizationType) -> gguf.GGMLQuantizationType:
    kinds = gguf.GGMLQuantizationType
    if numbers.ndim == 1 or name == POSITIONS or wanted == kinds.F32:
        return kinds.F32
    # What every token passes through keeps more digits, as llama.cpp's own quantiser has it.
    if name in EMBEDDINGS and wanted == kinds.Q4_0:
        wanted = kinds.Q8_0
    block, _bytes = gguf.GGML_QUANT_SIZES[wanted]
    return wanted if numbers.shape[-1] % block == 0 else kinds.F16


def _add_sizes(writer: gguf.GGUFWriter, layout: Layout) -> None:
    config = layout.config
    heads = int(config.num_attention_heads)
    writer.add_context_length(int(config.max_position_embeddings))
    writer.add_embedding_length(int(config.hidden_size))
    writer.add_block_count(int(config.num_hidden_layers))
    writer.add_head_count(heads)
    writer.add_vocab_size(int(config.vocab_size))
    if config.model_type == "gpt2":
        writer.add_feed_forward_length(int(config.n_inner or 4 * config.n_embd))
        writer.add_layer_norm_eps(float(config.layer_norm_epsilon))
        return
    width = int(getattr(config, "head_dim", None) or config.hidden_size // heads)
    writer.add_feed_forward_length(int(config.intermediate_size))
    writer.add_head_count_kv(int(config.num_key_value_heads))
    writer.add_layer_norm_rms_eps(float(config.rms_norm_eps))
    writer.add_rope_freq_base(float(config.rope_parameters["rope_theta"]))
    writer.add_rope_dimension_count(width)
    writer.add_key_length(width)
    writer.add_value_length(width)


def _add_tokens(writer: gguf.GGUFWriter, vocabulary: Vocabulary, template: str | None) -> None:
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(vocabulary.pre)
    writer.add_token_list(vocabulary.tokens)
    writer.add_token_types(vocabulary.types)
    writer.add_token_merges(vocabulary.merges)
    if vocabulary.bos is not None:
        writer.add_bos_token_id(vocabulary.bos)
    if vocabulary.eos is not None:
        writer.add_eos_token_id(vocabulary.eos)
    writer.add_add_bos_token(vocabulary.add_bos)
    writer.add_add_eos_token(vocabulary.add_eos)
    if template:
        writer.add_chat_template(template[:MAX_TEMPLATE])
