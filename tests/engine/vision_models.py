"""Tiny models of images with random weights, as transformers saves them."""

import json
from pathlib import Path
from typing import Any

SQUARE = {"image_size": 16, "patch_size": 4}
BODY = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 48}
STAGES = {"hidden_sizes": [8, 16, 24, 32], "depths": [1, 1, 1, 1]}
CONFIGS: dict[str, dict[str, Any]] = {
    "beit": BODY | SQUARE | {"use_relative_position_bias": True, "layer_scale_init_value": 0.5},
    "convnext": STAGES | {"layer_scale_init_value": 0.5},
    "convnextv2": STAGES,
    "deit": BODY | SQUARE,
    "detr": {
        "d_model": 32, "encoder_layers": 1, "decoder_layers": 2, "encoder_attention_heads": 2, "num_queries": 6,
        "decoder_attention_heads": 2, "encoder_ffn_dim": 32, "decoder_ffn_dim": 32,
    },
    "dinov2": {name: value for name, value in (BODY | SQUARE).items() if name != "intermediate_size"},
    "mobilenet_v2": {"depth_multiplier": 0.25, "image_size": 32},
    "regnet": STAGES | {"embedding_size": 8, "groups_width": 8},
    "resnet": STAGES | {"embedding_size": 8, "layer_type": "basic"},
    "swin": {"embed_dim": 8, "depths": [1, 1], "num_heads": [1, 2], "window_size": 2, "image_size": 16,
             "patch_size": 2},
    "swinv2": {"embed_dim": 8, "depths": [1, 1], "num_heads": [1, 2], "window_size": 2, "image_size": 16,
               "patch_size": 2},
    "vit": BODY | SQUARE,
    "yolos": BODY | {"image_size": [32, 32], "patch_size": 8, "num_detection_tokens": 5},
}  # fmt: skip
DETECTORS = ("detr", "yolos")
MEAN, STD = [0.5, 0.5, 0.5], [0.25, 0.25, 0.25]


def save_random(model_type: str, folder: Path, labels: list[str], *, side: int = 16, **more: Any) -> Any:
    """Save a model and what makes images ready for it, and return the model."""
    import torch
    import transformers

    from worker.engine.vision_config import STEMS

    torch.set_num_threads(1)
    torch.manual_seed(11)
    stem, options = STEMS[model_type].name, CONFIGS[model_type] | more
    if model_type == "detr":
        backbone = transformers.ResNetConfig(**CONFIGS["resnet"], out_features=["stage4"])
        options = options | {"backbone_config": backbone}
    config = getattr(transformers, f"{stem}Config")(
        **options, id2label=dict(enumerate(labels)), label2id={label: n for n, label in enumerate(labels)}
    )
    head = "ForObjectDetection" if model_type in DETECTORS else "ForImageClassification"
    model = getattr(transformers, stem + head)(config)
    with torch.no_grad():
        for parameter in model.parameters():
            # The usual small numbers give one answer to everything.
            parameter.add_(0.15 * torch.randn_like(parameter))
    _calibrate(model, side)
    model.eval().save_pretrained(folder)
    write_processor(folder, model_type, side)
    return model


def _calibrate(model: Any, side: int) -> None:
    """Let the layers that normalise batches know what they will see, or they would let no difference through."""
    import torch

    normalising = [module for module in model.modules() if isinstance(module, torch.nn.BatchNorm2d)]
    for module in normalising:
        module.momentum = 1.0
    if normalising:
        with torch.no_grad():
            model.train()(pixel_values=torch.randn(8, 3, 2 * side, 2 * side))


def write_processor(folder: Path, model_type: str, side: int) -> None:
    size = (
        {"shortest_edge": side, "longest_edge": 2 * side}
        if model_type in DETECTORS
        else {"height": side, "width": side}
    )
    kind = {"detr": "Detr", "yolos": "Yolos"}.get(model_type, "ViT")
    value = {"image_processor_type": f"{kind}ImageProcessor", "size": size, "image_mean": MEAN, "image_std": STD}
    (folder / "preprocessor_config.json").write_text(json.dumps(value))
