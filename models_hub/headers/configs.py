"""The JSON files beside weights that say how a model is built, read field by field without trusting one."""

from collections.abc import Mapping
from typing import Any, NamedTuple

FILES = (
    "config.json", "tokenizer_config.json", "generation_config.json", "adapter_config.json", "modules.json",
    "sentence_bert_config.json", "model_index.json",
)  # fmt: skip
# Families name the same thing differently.
CONTEXT = (
    "max_position_embeddings", "n_positions", "max_sequence_length", "seq_length", "n_ctx", "max_seq_len",
    "max_target_positions",
)  # fmt: skip
SIZES = {
    "vocabulary": ("vocab_size", "padded_vocab_size", "n_vocab"),
    "hidden_size": ("hidden_size", "n_embd", "d_model", "dim"),
    "layers": ("num_hidden_layers", "n_layer", "num_layers", "n_layers"),
    "heads": ("num_attention_heads", "n_head", "n_heads", "num_heads"),
    "kv_heads": ("num_key_value_heads", "num_kv_heads"),
}
GENERATION = ("do_sample", "temperature", "top_p", "top_k", "repetition_penalty", "max_new_tokens")
MOST = 2**40
NO_LIMIT = 10**9  # tokenizers write 10^30 when they have none
MAX_TEXT = 80
MAX_MODULES = 20


class ModelConfig(NamedTuple):
    """How a model is built by its own files; empty where they do not say."""

    architecture: str
    model_type: str
    sizes: dict[str, int]
    context: dict[str, int]
    rope: dict[str, Any]
    is_tied: bool
    quantization: dict[str, Any]
    adapter: dict[str, Any]
    generation: dict[str, Any]
    folders: list[str]
    brings_code: bool

    @property
    def context_length(self) -> int | None:
        """The longest input that all parts take: a tokenizer may cut earlier than the model would."""
        return min(self.context.values(), default=None)


def read_configs(files: Mapping[str, Any]) -> ModelConfig:
    """Read what is told by the parsed JSON `files`, by name; those that are missing tell nothing."""
    whole = _object(files.get("config.json"))
    inner = _object(whole.get("text_config")) | whole  # models of text and images keep the text's numbers inside
    quantization = _object(inner.get("quantization_config"))
    return ModelConfig(
        architecture=_first(inner.get("architectures")),
        model_type=_text(whole.get("model_type")),
        sizes={name: size for name, keys in SIZES.items() if (size := number(inner, *keys))},
        context=_context(files, inner),
        rope=_rope(inner),
        is_tied=inner.get("tie_word_embeddings") is True,
        quantization=_quantization(quantization),
        adapter=_adapter(_object(files.get("adapter_config.json"))),
        generation=_generation(_object(files.get("generation_config.json"))),
        folders=_folders(files),
        brings_code=isinstance(inner.get("auto_map"), dict),
    )


def number(fields: Mapping[str, Any], *names: str) -> int | None:
    """Return the first of these fields that holds a number such as a model may have."""
    return next((fields[name] for name in names if type(fields.get(name)) is int and 0 < fields[name] < MOST), None)


def _context(files: Mapping[str, Any], config: Mapping[str, Any]) -> dict[str, int]:
    """Return each limit that is told, by the name of its field."""
    found = {name: size for name in CONTEXT if (size := number(config, name))}
    found = dict(list(found.items())[:1])
    tokenizer = number(_object(files.get("tokenizer_config.json")), "model_max_length")
    if tokenizer and tokenizer < NO_LIMIT:
        found["model_max_length"] = tokenizer
    cut = number(_object(files.get("sentence_bert_config.json")), "max_seq_length")
    return found | ({"max_seq_length": cut} if cut else {})


def _rope(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return how positions were stretched beyond what the model was first trained on."""
    scaling = _object(config.get("rope_scaling")) or _object(config.get("rope_parameters"))
    kind = _text(scaling.get("rope_type") or scaling.get("type"))
    if kind in {"", "default"}:
        return {}
    factor = scaling.get("factor")
    told: dict[str, Any] = {"kind": kind, "original": number(scaling, "original_max_position_embeddings")}
    told["factor"] = factor if isinstance(factor, int | float) and 0 < factor < NO_LIMIT else None
    return {name: value for name, value in told.items() if value}


def _quantization(config: Mapping[str, Any]) -> dict[str, Any]:
    method, bits = _text(config.get("quant_method")), number(config, "bits", "w_bit")
    if config.get("load_in_4bit") is True or config.get("_load_in_4bit") is True:
        bits = 4
    elif config.get("load_in_8bit") is True or config.get("_load_in_8bit") is True:
        bits = 8
    groups = list(_object(config.get("config_groups")).values())
    if bits is None and groups:  # compressed-tensors
        bits = number(_object(_object(groups[0]).get("weights")), "num_bits")
    found = {"method": method, "bits": bits if bits in {1, 2, 3, 4, 5, 6, 8} else None}
    return {name: value for name, value in found.items() if value}


def _adapter(config: Mapping[str, Any]) -> dict[str, Any]:
    if not config:
        return {}
    targets = config.get("target_modules")
    found = {
        "kind": _text(config.get("peft_type")) or "adapter",
        "rank": number(config, "r"),
        "alpha": number(config, "lora_alpha"),
        "targets": [_text(one) for one in targets[:MAX_MODULES] if _text(one)] if isinstance(targets, list) else [],
    }
    return {name: value for name, value in found.items() if value}


def _generation(config: Mapping[str, Any]) -> dict[str, Any]:
    found = {name: config.get(name) for name in GENERATION}
    return {
        name: value for name, value in found.items() if isinstance(value, bool | int | float) and -MOST < value < MOST
    }


def _folders(files: Mapping[str, Any]) -> list[str]:
    """Return the folders whose weights belong to the model too: of sentence-transformers, or of a pipeline's parts."""
    modules = files.get("modules.json")
    paths = [_object(one).get("path") for one in modules[:MAX_MODULES]] if isinstance(modules, list) else []
    index = _object(files.get("model_index.json"))
    paths += [name for name, value in list(index.items())[:MAX_MODULES] if isinstance(value, list)]
    return list(dict.fromkeys(text for path in paths if (text := _text(path)) and "/" not in text))


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str:
    return value[:MAX_TEXT] if isinstance(value, str) and value.isprintable() else ""


def _first(value: Any) -> str:
    return next((text for one in value[:5] if (text := _text(one))), "") if isinstance(value, list) else ""
