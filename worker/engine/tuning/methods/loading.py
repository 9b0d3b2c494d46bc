"""An adapter and its base to a model that answers: no pickle, nothing downloaded, `adapter_config.json` as hostile."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, fields
from typing import Any

import torch
from peft import (
    AdaLoraConfig,
    IA3Config,
    LoraConfig,
    PeftConfig,
    PrefixTuningConfig,
    PromptEncoderConfig,
    PromptTuningConfig,
    set_peft_model_state_dict,
)
from transformers import PreTrainedModel

from worker.engine.contracts import EngineError
from worker.engine.decoding import read_json_object
from worker.engine.failures import failing_as
from worker.engine.folder import ModelFolder
from worker.engine.tuning import registry
from worker.engine.tuning.methods.bottleneck import ACTIVATIONS, KIND, Bottleneck
from worker.engine.tuning.methods.low_rank import LowRank
from worker.engine.tuning.methods.method import CONFIG, WEIGHTS, Attached
from worker.engine.tuning.methods.prompts import Invented
from worker.engine.weights import read_tensors

CONFIG_LIMIT = 1 << 20
# Of AdaLoRA the file holds a number for each rank of each layer.
MAX_RANK, MAX_LENGTH, MAX_NAMES, MAX_HEADS = 1024, 1024, 4096, 8
NAME = re.compile(r"[A-Za-z0-9_]{1,60}(\.[A-Za-z0-9_]{1,60}){0,20}")
TASK_TYPES = (None, "SEQ_CLS", "TOKEN_CLS", "QUESTION_ANS", "CAUSAL_LM", "SEQ_2_SEQ_LM", "FEATURE_EXTRACTION")
# What says nothing about how the model answers.
TOLD = frozenset(
    "base_model_name_or_path revision peft_version inference_mode auto_mapping peft_type task_type lora_dropout "
    "init_lora_weights init_ia3_weights init_weights r total_step tinit tfinal deltaT beta1 beta2 orth_reg_weight "
    "init_r target_r token_dim num_layers num_attention_heads prompt_tuning_init prompt_tuning_init_text "
    "tokenizer_name_or_path tokenizer_kwargs encoder_dropout encoder_num_layers encoder_reparameterization_type "
    "encoder_hidden_size fan_in_fan_out runtime_config num_transformer_submodules prefix_projection "
    "eva_config megatron_core".split()
)
# Beginnings of LoRA that leave the base as it is; others change it before they train.
BEGINNINGS = (None, True, False, "gaussian", "eva", "orthogonal")


def put_on(model: PreTrainedModel, adapter: ModelFolder, heads: Sequence[str] = ()) -> Attached:
    """Put the adapter of a folder on its base, which has the head of the adapter's task, in eval mode.

    Every tensor of the file is used, and every one that the adapter needs is in it. `heads` are parts of the model
    that invented tokens were saved with beside the head that `peft` knows.
    """
    path = adapter.need(CONFIG, code="bad_config", why="it says how the adapter is put on its base")
    raw = read_json_object(path, limit=CONFIG_LIMIT, code="bad_config")
    weights = adapter.need(WEIGHTS, code="missing_weights", why="it holds the weights of the adapter")
    tensors = read_tensors([weights])
    kind = raw.get("peft_type")
    facts = registry.architecture(model.config.model_type)
    if not facts:
        raise _bad(f"is for a model of the type {model.config.model_type}, which takes no adapters here")
    known: dict[Any, Callable[[], Attached]] = {
        KIND: lambda: _bottleneck(model, raw, tensors),
        "LORA": lambda: _low_rank(model, _lora(model, raw), tensors),
        "ADALORA": lambda: _low_rank(model, _adalora(model, raw, tensors), tensors),
        "IA3": lambda: _low_rank(model, _ia3(model, raw), tensors),
        "PREFIX_TUNING": lambda: _invented(model, PrefixTuningConfig, raw, tensors, facts, heads),
        "PROMPT_TUNING": lambda: _invented(model, PromptTuningConfig, raw, tensors, facts, heads),
        "P_TUNING": lambda: _invented(model, PromptEncoderConfig, raw, tensors, facts, heads),
    }
    if not isinstance(kind, str) or kind not in known:
        raise _bad(f"has the peft_type {str(kind)[:60]!r}; it must be one of: {', '.join(known)}")
    with failing_as("weights_unreadable", "The adapter does not fit its base."):
        attached = known[kind]()
    attached.model.eval()
    return attached


def _bad(what: str) -> EngineError:
    return EngineError("bad_config", f"{CONFIG} {what}")


def _common(model: PreTrainedModel, raw: Mapping[str, Any], kind: type[PeftConfig], read: tuple[str, ...]) -> Any:
    """Return what all adapters have; what would be dropped in silence, and changes what they answer, is refused."""
    for field in fields(kind):
        default = field.default_factory() if field.default_factory is not MISSING else field.default
        value = raw.get(field.name, default)
        if field.name in (*read, *TOLD, "modules_to_save", "target_modules", "feedforward_modules"):
            continue
        if value != default and value not in (None, False, [], {}, "none"):
            raise _bad(f"asks for {field.name}, which is not known here")
    task = raw.get("task_type")
    if task not in TASK_TYPES:
        raise _bad(f"has the task_type {str(task)[:60]!r}; it must be one of: {', '.join(map(str, TASK_TYPES))}")
    return {"task_type": task, "inference_mode": True}


def _names(model: PreTrainedModel, raw: Mapping[str, Any], key: str, most: int, *, required: bool = True) -> list[str]:
    """Return names of layers, each the end of a path that the model has."""
    value = raw.get(key) or []
    fits = isinstance(value, list) and len(value) <= most
    if not fits or not all(isinstance(name, str) and NAME.fullmatch(name) for name in value):
        raise _bad(f"must have {key} as a list of at most {most} names of layers")
    paths = [f".{path}" for path, _module in model.named_modules()]
    # `peft` itself names "classifier" and "score", of which a model has one.
    if required and (strange := [name for name in value if not any(path.endswith(f".{name}") for path in paths)]):
        raise _bad(f"names layers in {key} that the base does not have: {', '.join(strange[:3])}")
    return sorted(set(value))


def _places(model: PreTrainedModel, raw: Mapping[str, Any]) -> dict[str, Any]:
    places = _names(model, raw, "target_modules", MAX_NAMES)
    if not places:
        raise _bad("names no target_modules")
    heads = _names(model, raw, "modules_to_save", MAX_HEADS, required=False)
    turned = any(
        type(part).__name__ == "Conv1D"
        for path, part in model.named_modules()
        if any(f".{path}".endswith(f".{name}") for name in places)
    )
    return {"target_modules": places, "modules_to_save": heads or None, "fan_in_fan_out": turned}


def _number(raw: Mapping[str, Any], key: str, low: float, high: float, default: Any = None) -> Any:
    value = raw.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise _bad(f"must have {key} as a number from {low} to {high}")
    return value


def _lora(model: PreTrainedModel, raw: Mapping[str, Any]) -> LoraConfig:
    common = _common(model, raw, LoraConfig, ("lora_alpha", "use_dora", "use_rslora"))
    if raw.get("init_lora_weights") not in BEGINNINGS:
        raise _bad("has init_lora_weights that change the base; convert the adapter to plain LoRA")
    return LoraConfig(
        r=int(_number(raw, "r", 1, MAX_RANK)),
        lora_alpha=_number(raw, "lora_alpha", 0, 1e6),
        use_dora=raw.get("use_dora") is True,
        use_rslora=raw.get("use_rslora") is True,
        init_lora_weights=False,
        **common,
        **_places(model, raw),
    )


def _adalora(model: PreTrainedModel, raw: Mapping[str, Any], tensors: Mapping[str, torch.Tensor]) -> AdaLoraConfig:
    common = _common(model, raw, AdaLoraConfig, ("lora_alpha", "rank_pattern"))
    # How many ranks each layer kept is seen in the tensors themselves; the pattern must say the same.
    ranks = {name: len(tensor) for name, tensor in tensors.items() if name.endswith(".lora_E")}
    pattern = raw.get("rank_pattern") or {}
    right = isinstance(pattern, dict) and len(pattern) <= MAX_NAMES
    if not right or not all(_is_pattern(kept) for kept in pattern.values()):
        raise _bad("must have rank_pattern as lists of true and false")
    kept = {name.replace(".default", ""): sum(value) for name, value in pattern.items()}
    stated = {f"base_model.model.{name}" if not name.startswith("base_model.") else name: n for name, n in kept.items()}
    if pattern and stated != ranks:
        raise _bad("has a rank_pattern that does not fit the weights")
    first = int(_number(raw, "init_r", 1, MAX_RANK))
    return AdaLoraConfig(
        init_r=first, target_r=1, total_step=1, lora_alpha=_number(raw, "lora_alpha", 0, 1e6),
        rank_pattern=pattern or None, **common, **_places(model, raw),
    )  # fmt: skip


def _is_pattern(value: Any) -> bool:
    return isinstance(value, list) and len(value) <= MAX_RANK and all(isinstance(kept, bool) for kept in value)


def _ia3(model: PreTrainedModel, raw: Mapping[str, Any]) -> IA3Config:
    common = _common(model, raw, IA3Config, ())
    places = _places(model, raw)
    down = _names(model, raw, "feedforward_modules", MAX_NAMES)
    return IA3Config(feedforward_modules=down, init_ia3_weights=False, **common, **places)


def _low_rank(model: PreTrainedModel, config: PeftConfig, tensors: dict[str, torch.Tensor]) -> Attached:
    attached = LowRank(model, config)
    _fill(attached.peft, tensors)
    return attached


def _invented(
    model: PreTrainedModel,
    kind: Any,
    raw: Mapping[str, Any],
    tensors: dict[str, torch.Tensor],
    facts: Mapping[str, Any],
    heads: Sequence[str],
) -> Attached:
    if not facts.get("prompts") or (kind is PrefixTuningConfig and not facts.get("past")):
        raise _bad(f"asks for what a model of the type {model.config.model_type} cannot do")
    common = _common(model, raw, kind, ("num_virtual_tokens",))
    length = int(_number(raw, "num_virtual_tokens", 1, MAX_LENGTH))
    found = tensors.get("prompt_embeddings")
    if found is None or found.ndim != 2:
        raise EngineError("weights_incomplete", f"{WEIGHTS} has no prompt_embeddings")
    parts = int(_number(raw, "num_transformer_submodules", 1, 2, 1))
    sizes: dict[str, Any] = {
        key: int(_number(raw, key, 1, 1_000_000)) for key in ("token_dim", "num_layers", "num_attention_heads")
    }
    wide = sizes["token_dim"] * (2 * sizes["num_layers"] if kind is PrefixTuningConfig else 1)
    if found.shape[1] != wide or found.shape[0] not in (length, length * parts):
        raise _bad("states sizes that do not fit the weights")
    settings = kind(num_virtual_tokens=length, num_transformer_submodules=parts, **sizes, **common)
    attached = Invented(model, settings, facts, _names(model, {"heads": list(heads)}, "heads", MAX_HEADS))
    _fill(attached.model.peft, tensors)
    return attached


def _fill(peft: Any, tensors: dict[str, torch.Tensor]) -> None:
    """Fill an adapter with its tensors; nothing may be left over, and nothing may stay random."""
    wanted = {name for name, item in peft.named_parameters() if ".lora_" in name or ".ia3_" in name}
    wanted |= {name for name, _item in peft.named_parameters() if ".modules_to_save." in name}
    result: Any = set_peft_model_state_dict(peft, tensors)
    # AdaLoRA counts its ranks in a parameter that is never saved.
    missing = sorted(name for name in wanted & set(result.missing_keys) if "ranknum" not in name)
    strange = [name for name in result.unexpected_keys if name != "prompt_embeddings"]
    if strange:
        raise EngineError("weights_unreadable", f"The base has no place for {len(strange)} tensors: {strange[0][:200]}")
    if missing:
        raise EngineError("weights_incomplete", f"The adapter lacks {len(missing)} tensors: {missing[0][:200]}")


def _bottleneck(model: PreTrainedModel, raw: Mapping[str, Any], tensors: dict[str, torch.Tensor]) -> Attached:
    places = _names(model, raw, "target_modules", MAX_NAMES)
    heads = _names(model, raw, "modules_to_save", MAX_HEADS)
    if raw.get("activation") not in ACTIVATIONS:
        raise _bad(f"must have activation as one of: {', '.join(ACTIVATIONS)}")
    config = {
        "reduction": int(_number(raw, "reduction", 1, MAX_RANK)),
        "activation": raw["activation"],
        "dropout": _number(raw, "dropout", 0, 0.9, 0.0),
    }
    kept = {key: raw.get(key) for key in ("peft_type", "base_model_name_or_path", "target_modules", "modules_to_save")}
    attached = Bottleneck(model, {**kept, **config}, places, heads)
    own = dict(attached.base.named_parameters())
    trained = {name for name, item in own.items() if item.requires_grad}
    if set(tensors) != trained or any(own[name].shape != tensors[name].shape for name in tensors):
        raise EngineError("weights_unreadable", f"{WEIGHTS} does not hold what {CONFIG} describes")
    with torch.no_grad():
        for name, tensor in tensors.items():
            own[name].copy_(tensor)
    return attached
