"""config.json, read as hostile: refused where it asks for code, rebuilt from checked values where it does not."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import transformers
from transformers import PretrainedConfig, PreTrainedModel

from worker.engine.contracts import EngineError
from worker.engine.decoding import read_json_object
from worker.engine.failures import failing_as
from worker.engine.folder import ModelFolder
from worker.engine.labels import model_labels

CONFIG_LIMIT = 1 << 20
# model_type -> the stem of its class names. Each was seen to survive a save and a load, and to give the same answer
# alone and padded in a batch; that is why FNet and Nystromformer, whose answers depend on padding, are not here.
ENCODERS = {
    "albert": "Albert",
    "bert": "Bert",
    "camembert": "Camembert",
    "deberta": "Deberta",
    "deberta-v2": "DebertaV2",
    "distilbert": "DistilBert",
    "electra": "Electra",
    "ernie": "Ernie",
    "eurobert": "EuroBert",
    "mobilebert": "MobileBert",
    "modernbert": "ModernBert",
    "mpnet": "MPNet",
    "rembert": "RemBert",
    "roberta": "Roberta",
    "squeezebert": "SqueezeBert",
    "xlm-roberta": "XLMRoberta",
}
DECODERS = {
    "gemma": "Gemma",
    "gemma2": "Gemma2",
    "gemma3_text": "Gemma3Text",
    "gpt2": "GPT2",
    "gpt_neox": "GPTNeoX",
    "llama": "Llama",
    "mistral": "Mistral",
    "olmo2": "Olmo2",
    "opt": "OPT",
    "phi": "Phi",
    "phi3": "Phi3",
    "qwen2": "Qwen2",
    "qwen3": "Qwen3",
    "smollm3": "SmolLM3",
}
# Models with an encoder and a decoder, under the ending of their class that writes.
SEQ2SEQ = {
    "bart": "Bart",
    "marian": "Marian",
    "mbart": "MBart",
    "mt5": "MT5",
    "pegasus": "Pegasus",
    "t5": "T5",
}
# With what they begin to write; transformers moves these keys to generation_config.json, which is never read.
BEGINNINGS = ("decoder_start_token_id", "forced_bos_token_id")
SEQ2SEQ_HEADS = ("ForConditionalGeneration", "MTModel")
# Keys that the model classes read although their config class does not declare them. Dropping one of DeBERTa's
# would load without a complaint and answer something else.
UNDECLARED_KEYS = frozenset(
    "rope_theta rope_scaling partial_rotary_factor head_dim rotary_pct rotary_emb_base "  # older rope spellings
    "global_rope_theta local_rope_theta global_attn_every_n_layers "  # ModernBERT
    "rope_local_base_freq sliding_window_pattern "  # Gemma 3
    "tie_word_embeddings scale_decoder_outputs "  # T5 tells its two kinds apart by them
    "talking_head share_att_key position_buckets conv_kernel_size conv_groups conv_act "  # DeBERTa
    "attention_head_size norm_rel_ebd embedding_size pooler_hidden_size".split()
)
# A model without a head: what it says of a text is its hidden states.
BODY = "Model"
# Heads that are left behind where the author's modules.json says that the body makes vectors of sentences.
LEFT_BEHIND = ("ForMaskedLM", "ForPreTraining", "ForCausalLM", "LMHeadModel")
# Heads of models that predict the next token from those before it. Of encoders such classes exist too, but an encoder
# that reads both sides says nothing about running text: it would load in silence and give a number.
CAUSAL_HEADS = ("ForCausalLM", "LMHeadModel")
OTHER_NAMES = {"Gemma3TextForCausalLM": "Gemma3ForCausalLM"}
CODE_KEYS = frozenset({"auto_map", "custom_generate", "custom_pipelines", "trust_remote_code"})
LAYER_KEYS = frozenset(
    "num_hidden_layers n_layer n_layers num_hidden_groups inner_group_num num_feedforward_networks "
    "num_layers num_decoder_layers encoder_layers decoder_layers".split()
)
MAX_LAYERS = 512
# T5 knows distances between tokens, no positions.
NO_POSITIONS = 1_000_000
MAX_NUMBER = 10_000_000
MAX_TEXT = 256
MAX_ITEMS = 1024
MAX_DEPTH = 3


@dataclass(frozen=True)
class CheckedConfig:
    """A config that is safe to build a model from."""

    model_class: type[PreTrainedModel]
    config: PretrainedConfig
    labels: list[str]
    is_decoder: bool

    @property
    def has_encoder(self) -> bool:
        """Say whether an encoder reads and a decoder writes."""
        return self.config.model_type in SEQ2SEQ

    @property
    def position_limit(self) -> int:
        """How many tokens the model has positions for, special tokens included."""
        limit = int(getattr(self.config, "max_position_embeddings", NO_POSITIONS))
        # RoBERTa counts positions from behind its padding index: 514 embeddings serve 512 tokens.
        if self.config.model_type in ("roberta", "xlm-roberta", "camembert", "mpnet"):
            limit -= 1 + int(getattr(self.config, "pad_token_id", None) or 0)
        return limit


def read_config(folder: ModelFolder, heads: Sequence[str], problem_types: Sequence[str] = ()) -> CheckedConfig:
    """Read config.json and rebuild it; nothing in it chooses code, an attention kernel or a quantiser.

    `heads` are the endings of class names that the task takes; what `architectures` declares must be one of them.
    """
    path = folder.need("config.json", code="bad_config", why="it says which architecture the weights are for")
    raw = read_json_object(path, limit=CONFIG_LIMIT, code="bad_config")
    refuse_custom_code(raw, "config.json")
    stem = _stem(raw, heads)
    makes_vectors = BODY in heads and folder.find("modules.json", code="bad_config") is not None
    class_name = declared_class(raw, stem, [*heads, *LEFT_BEHIND] if makes_vectors else heads)
    if makes_vectors and class_name.endswith(LEFT_BEHIND):
        class_name = stem + BODY
    check_problem(raw, problem_types)
    return _rebuilt(raw, stem, class_name, model_labels(raw))


def read_base(
    folder: ModelFolder, heads: Sequence[str], *, labels: Sequence[str] | None, problem_type: str | None
) -> tuple[CheckedConfig, CheckedConfig | None]:
    """Read config.json of a model that is to be trained on; return it with the head wanted, and as it stands.

    Any model of a known type will do, for it gets a new head where it has none of `heads`: then, and where it has
    one, the second is None unless the model itself has such a head, with labels of its own.
    """
    path = folder.need("config.json", code="bad_config", why="it says which architecture the weights are for")
    raw = read_json_object(path, limit=CONFIG_LIMIT, code="bad_config")
    refuse_custom_code(raw, "config.json")
    stem = _stem(raw, heads)
    names = [OTHER_NAMES.get(stem + head, stem + head) for head in heads if _fits(head, stem, heads)]
    wanted = [name for name in names if hasattr(transformers, name)]
    if not wanted:
        raise EngineError(
            "unsupported_architecture",
            f"Models of the type {raw['model_type']} have no head for this task. "
            f"{_advice(heads, []) if set(heads) <= set(CAUSAL_HEADS) else 'Begin from a model of another type.'}",
        )
    own = model_labels(raw)
    declared = raw.get("architectures")
    found = [name for name in wanted if isinstance(declared, list) and name in declared]
    class_name = (found or wanted)[0]
    made = _rebuilt(raw, stem, class_name, own if labels is None else list(labels))
    if problem_type is not None:
        made.config.problem_type = problem_type  # type: ignore[assignment]
    if not found:
        return made, None
    standing = _rebuilt(raw, stem, class_name, own)
    if problem_type is not None:
        if raw.get("problem_type") not in (None, problem_type):
            return made, None
        standing.config.problem_type = problem_type  # type: ignore[assignment]
    return made, standing


def _rebuilt(raw: dict[str, Any], stem: str, class_name: str, labels: list[str]) -> CheckedConfig:
    _refuse_what_would_be_dropped(raw)
    config_class: type[PretrainedConfig] = getattr(transformers, f"{stem}Config")
    values = {key: checked_value(value, key) for key, value in raw.items() if key in allowed_keys(config_class)}
    with failing_as("bad_config", "config.json does not describe a model of its type."):
        config = config_class(
            **values,
            id2label=dict(enumerate(labels)),
            label2id={label: index for index, label in enumerate(labels)},
        )
        config.use_cache = False
        for key in set(BEGINNINGS) & set(raw):
            setattr(config, key, checked_value(raw[key], key))
    _check_sizes(config)
    return CheckedConfig(
        model_class=getattr(transformers, class_name),
        config=config,
        labels=labels,
        is_decoder=raw["model_type"] in DECODERS,
    )


def refuse_custom_code(raw: dict[str, Any], name: str) -> None:
    """Raise when a JSON file of the model asks for code of its own."""
    if asked := sorted(key for key in CODE_KEYS & set(raw) if raw[key]):
        raise EngineError(
            "custom_code",
            f"{name} asks for code of its own ({', '.join(asked)}), which is never run here. Save the model with one "
            "of the architectures that transformers holds itself and remove these keys.",
        )


def _stem(raw: dict[str, Any], heads: Sequence[str]) -> str:
    model_type = raw.get("model_type")
    if not isinstance(model_type, str):
        raise EngineError("bad_config", 'config.json has no "model_type"; save the model with save_pretrained()')
    stems = ENCODERS | DECODERS | (SEQ2SEQ if set(SEQ2SEQ_HEADS) & set(heads) else {})
    stem = stems.get(model_type)
    if stem is None:
        known = ", ".join(sorted(stems))
        raise EngineError(
            "unsupported_architecture",
            f"model_type {model_type[:60]!r} cannot be evaluated here. Supported: {known}.",
        )
    return stem


def declared_class(raw: dict[str, Any], stem: str, heads: Sequence[str]) -> str:
    """Return the class that config.json declares: no other head is put on a body, for it would be random."""
    fitting = [head for head in heads if _fits(head, stem, heads)]
    names = (OTHER_NAMES.get(stem + head, stem + head) for head in fitting)
    wanted = [name for name in names if hasattr(transformers, name)]
    declared = raw.get("architectures")
    found = [name for name in wanted if isinstance(declared, list) and name in declared]
    if found:
        return found[0]
    shown = ", ".join(str(item)[:60] for item in declared[:3]) if isinstance(declared, list) else "none"
    raise EngineError(
        "unsupported_architecture",
        f"config.json declares {shown or 'none'} as architecture; this task needs "
        f"{' or '.join(wanted) or 'a model of another type'}. {_advice(heads, fitting)}",
    )


def _fits(head: str, stem: str, heads: Sequence[str]) -> bool:
    if head in SEQ2SEQ_HEADS or stem in SEQ2SEQ.values():
        return head in SEQ2SEQ_HEADS and stem in SEQ2SEQ.values()
    return head not in CAUSAL_HEADS or BODY in heads or stem in DECODERS.values()


def _advice(heads: Sequence[str], fitting: Sequence[str]) -> str:
    if heads and not fitting:
        return f"It must be one that predicts the next token of running text: {', '.join(sorted(DECODERS))}."
    if BODY in heads:
        return "Save the model with sentence-transformers, or its body alone with AutoModel and save_pretrained()."
    return "A pretrained body without a trained head for the task has to be fine-tuned first."


def _refuse_what_would_be_dropped(raw: dict[str, Any]) -> None:
    """Name what cannot be honoured: leaving it out in silence would give a number for another model."""
    if raw.get("quantization_config"):
        raise EngineError(
            "unsupported_architecture",
            "config.json has a quantization_config; save the weights as float32, bfloat16 or float16 without it.",
        )
    if raw.get("position_embedding_type", "absolute") not in (None, "absolute"):
        raise EngineError(
            "unsupported_architecture",
            "position_embedding_type other than absolute is no longer computed by transformers 5.",
        )


def check_problem(raw: dict[str, Any], fitting: Sequence[str]) -> None:
    """Refuse a head of the right shape that was trained for something else, where config.json says so."""
    stated = raw.get("problem_type")
    if stated is not None and fitting and stated not in fitting:
        raise EngineError(
            "unsupported_architecture",
            f"problem_type {str(stated)[:60]!r} of config.json does not fit; this task needs {' or '.join(fitting)}.",
        )


def allowed_keys(config_class: type[PretrainedConfig]) -> frozenset[str]:
    """Return the keys that a config class is given."""
    # What every config shares is left out: dtype, attention kernels, hidden states to return, layer overrides.
    own = {field.name for field in fields(config_class)}
    common = {field.name for field in fields(PretrainedConfig)}
    return frozenset((own - common) | UNDECLARED_KEYS)


def checked_value(value: Any, key: str, depth: int = 0) -> Any:
    """Return a value of config.json, bounded."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        limit = MAX_LAYERS if key in LAYER_KEYS else MAX_NUMBER
        # Models write "no limit" as huge numbers, so only sizes are bounded here and only from above.
        return _within(abs(value) <= limit, value, key, f"at most {limit}")
    if isinstance(value, float):
        return _within(math.isfinite(value), value, key, "finite")
    if isinstance(value, str):
        return _within(len(value) <= MAX_TEXT, value, key, f"at most {MAX_TEXT} characters")
    if depth >= MAX_DEPTH or not isinstance(value, list | dict) or len(value) > MAX_ITEMS:
        raise EngineError("bad_config", f"config.json cannot be used: {key[:60]} is too deep or too long")
    if isinstance(value, list):
        return [checked_value(item, key, depth + 1) for item in value]
    return {checked_value(name, key): checked_value(item, key, depth + 1) for name, item in value.items()}


def _within(holds: bool, value: Any, key: str, what: str) -> Any:
    if not holds:
        raise EngineError("bad_config", f"config.json cannot be used: {key[:60]} must be {what}")
    return value


def _check_sizes(config: PretrainedConfig) -> None:
    for name in ("vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads", "max_position_embeddings"):
        value = getattr(config, name, NO_POSITIONS if config.model_type in ("t5", "mt5") else None)
        if type(value) is not int or value < 1:
            raise EngineError("bad_config", f"config.json cannot be used: {name} must be a positive whole number")
    pad = getattr(config, "pad_token_id", None)
    if pad is not None and not (type(pad) is int and 0 <= pad < config.vocab_size):
        raise EngineError(
            "bad_config", f"config.json cannot be used: pad_token_id must be 0 to {config.vocab_size - 1}"
        )
