"""config.json of a model of images, read as hostile: the same rules as for models of texts, another table."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import transformers
from transformers import PretrainedConfig, PreTrainedModel

from worker.engine.contracts import EngineError
from worker.engine.decoding import read_json_object
from worker.engine.failures import failing_as
from worker.engine.folder import ModelFolder
from worker.engine.labels import model_labels
from worker.engine.model_config import (
    CONFIG_LIMIT,
    MAX_LAYERS,
    allowed_keys,
    check_problem,
    checked_value,
    declared_class,
    refuse_custom_code,
)


@dataclass(frozen=True)
class Stem:
    """The stem of the class names, and what makes images ready where the model's file names nothing."""

    name: str
    processor: str


# model_type -> its classes. Each was seen to survive a save and a load, and to give the same answer alone and in a
# batch of images of one size.
STEMS = {
    "beit": Stem("Beit", "Beit"),
    "convnext": Stem("ConvNext", "ConvNext"),
    "convnextv2": Stem("ConvNextV2", "ConvNext"),
    "deit": Stem("DeiT", "DeiT"),
    "detr": Stem("Detr", "Detr"),
    "dinov2": Stem("Dinov2", "Bit"),
    "mobilenet_v2": Stem("MobileNetV2", "MobileNetV2"),
    "regnet": Stem("RegNet", "ConvNext"),
    "resnet": Stem("ResNet", "ConvNext"),
    "swin": Stem("Swin", "ViT"),
    "swinv2": Stem("Swinv2", "ViT"),
    "vit": Stem("ViT", "ViT"),
    "yolos": Stem("Yolos", "Yolos"),
}
# Models inside models that transformers holds itself; those of the library timm would have to be downloaded.
BACKBONES = {"resnet": "ResNet"}
BACKBONE_KEYS = frozenset({"out_features", "out_indices"})
LAYER_LISTS = ("depths", "encoder_layers", "decoder_layers", "num_stages")
CHANNELS = (1, 3)


@dataclass(frozen=True)
class VisionConfig:
    """A config that is safe to build a model of images from."""

    model_class: type[PreTrainedModel]
    config: PretrainedConfig
    labels: list[str]
    processor: str

    @property
    def channels(self) -> int:
        """How many channels its images have: three, or one for grey ones."""
        return int(self.config.num_channels)


def read_vision_config(folder: ModelFolder, heads: Sequence[str], problem_types: Sequence[str] = ()) -> VisionConfig:
    """Read config.json and rebuild it; nothing in it chooses code, an attention kernel or a quantiser."""
    path = folder.need("config.json", code="bad_config", why="it says which architecture the weights are for")
    raw = read_json_object(path, limit=CONFIG_LIMIT, code="bad_config")
    refuse_custom_code(raw, "config.json")
    stem = _stem(raw)
    class_name = declared_class(raw, stem.name, heads)
    if raw.get("quantization_config"):
        raise _unsupported("config.json has a quantization_config; save the weights as float32 without it.")
    check_problem(raw, problem_types)
    labels = model_labels(raw)
    values = _values(raw, getattr(transformers, f"{stem.name}Config"))
    if raw["model_type"] == "detr":
        values["backbone_config"] = _backbone(raw)
    with failing_as("bad_config", "config.json does not describe a model of its type."):
        config = getattr(transformers, f"{stem.name}Config")(
            **values,
            id2label=dict(enumerate(labels)),
            label2id={label: index for index, label in enumerate(labels)},
        )
    if getattr(config, "num_channels", None) not in CHANNELS:
        raise EngineError("bad_config", "config.json cannot be used: num_channels must be 1 or 3")
    return VisionConfig(getattr(transformers, class_name), config, labels, stem.processor)


def _stem(raw: dict[str, Any]) -> Stem:
    model_type = raw.get("model_type")
    if not isinstance(model_type, str):
        raise EngineError("bad_config", 'config.json has no "model_type"; save the model with save_pretrained()')
    if model_type not in STEMS:
        raise _unsupported(
            f"model_type {model_type[:60]!r} cannot be evaluated here on images. Supported: {', '.join(sorted(STEMS))}."
        )
    return STEMS[model_type]


def _values(raw: dict[str, Any], config_class: type[PretrainedConfig], more: frozenset[str] = frozenset()) -> Any:
    """Return the values of keys that the class knows, bounded; names with an underscore are its own affair."""
    known = {key for key in allowed_keys(config_class) if not key.startswith("_")} | more
    values = {key: checked_value(value, key) for key, value in raw.items() if key in known - {"backbone_config"}}
    for name in LAYER_LISTS:
        value = values.get(name)
        counts = value if isinstance(value, list) else [value]
        if sum(count for count in counts if isinstance(count, int)) > MAX_LAYERS:
            raise EngineError("bad_config", f"config.json cannot be used: {name} must be at most {MAX_LAYERS} in all")
    return values


def _backbone(raw: dict[str, Any]) -> PretrainedConfig:
    given = raw.get("backbone_config")
    model_type = given.get("model_type") if isinstance(given, dict) else None
    if not isinstance(given, dict) or not isinstance(model_type, str) or model_type not in BACKBONES:
        raise _unsupported(
            "config.json has a backbone that transformers does not hold itself (of the library timm, perhaps). Save "
            f"the model with use_timm_backbone=False and a backbone_config of: {', '.join(BACKBONES)}."
        )
    refuse_custom_code(given, "backbone_config of config.json")
    config_class: type[PretrainedConfig] = getattr(transformers, f"{BACKBONES[model_type]}Config")
    values = _values(given, config_class, BACKBONE_KEYS)
    with failing_as("bad_config", "backbone_config of config.json does not describe a model of its type."):
        return config_class(**values)


def _unsupported(what: str) -> EngineError:
    return EngineError("unsupported_architecture", what)
