"""Every architecture of images on the list loads from what transformers saves, and answers alone as in a batch."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from tests.engine.builders import edit_json
from tests.engine.vision_models import CONFIGS, DETECTORS, save_random
from worker.engine.contracts import EngineError
from worker.engine.images import Picture, from_question

pytestmark = pytest.mark.engine
LABELS = ["a", "b", "c"]
HEADS = ("ForImageClassification", "ForObjectDetection")


def question(seed: int, width: int = 40, height: int = 40) -> dict[str, object]:
    pixels = np.random.RandomState(seed).randint(0, 256, size=(height, width, 3)).astype(np.uint8)
    file = BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return Picture(file.getvalue(), width, height).as_value()


def test_the_list_is_the_allow_list():
    from worker.engine.vision_config import STEMS

    assert set(CONFIGS) == set(STEMS)


@pytest.mark.parametrize("model_type", CONFIGS)
def test_it_loads_whole_and_answers_alone_as_in_a_batch(model_type, tmp_path, monkeypatch):
    import torch

    from worker.engine.answering import linear_layers
    from worker.engine.answering.pictures import pixels_of
    from worker.engine.load_vision import load_vision

    original = save_random(
        model_type,
        tmp_path,
        LABELS,
        side=CONFIGS[model_type].get("image_size", 32) if model_type not in DETECTORS else 32,
    )
    loaded = load_vision(str(tmp_path), heads=HEADS, device="cpu")
    assert loaded.unused_tensors == []
    images = [question(seed) for seed in range(4)]
    with torch.inference_mode():
        pixels = pixels_of(loaded, images)
        together = loaded.model(pixel_values=pixels).logits
        alone = torch.cat([loaded.model(pixel_values=pixels[row : row + 1]).logits for row in range(4)])
        expected = original(pixel_values=pixels).logits
        monkeypatch.setattr(linear_layers, "WORTH", 0)
        linear_layers.multiply_with_onednn(loaded.model)
        multiplied = loaded.model(pixel_values=pixels).logits
    spread = float(alone.abs().max())
    assert spread > 0.01
    assert float((together - alone).abs().max()) < 1e-4 * spread
    assert float((together - expected).abs().max()) < 1e-5 * spread
    assert float((multiplied - expected).abs().max()) < 1e-4 * spread
    assert float((alone[0] - alone[1]).abs().max()) > 1e-3 * spread, "a model with one answer would prove nothing"


def test_images_of_one_size_share_a_batch_and_others_do_not(tmp_path):
    from worker.engine.answering.pictures import plan
    from worker.engine.load_vision import load_vision

    save_random("yolos", tmp_path, LABELS, side=32)
    loaded = load_vision(str(tmp_path), heads=HEADS, device="cpu")
    images = [question(0, 40, 40), question(1, 80, 40), question(2, 20, 20), question(3, 160, 80)]
    assert plan(loaded, images, 2048) == [[1, 3], [0, 2]]
    assert plan(loaded, images, 1) == [[1], [3], [0], [2]]
    assert from_question(images[1]).size == (80, 40)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"auto_map": {"AutoModel": "x.Y"}}, "custom_code"),
        ({"model_type": "timm_wrapper"}, "unsupported_architecture"),
        ({"architectures": ["ViTModel"]}, "unsupported_architecture"),
        ({"problem_type": "regression"}, "unsupported_architecture"),
        ({"quantization_config": {"quant_method": "x"}}, "unsupported_architecture"),
        ({"num_hidden_layers": 10_000}, "bad_config"),
        ({"num_channels": 7}, "bad_config"),
        ({"hidden_size": 10**9}, "bad_config"),
        ({"hidden_size": 4096}, "weights_incomplete"),
        ({"image_size": 10_000_000, "patch_size": 1}, "bad_config weights_incomplete"),
        ({"hidden_act": "evil"}, "bad_config"),
        ({"patch_size": 0}, "bad_config"),
        ({"id2label": {"0": "a"}}, "weights_unreadable"),
    ],
)
def test_a_config_that_cannot_be_trusted_is_refused(change, code, tmp_path):
    from worker.engine.load_vision import load_vision

    save_random("vit", tmp_path, LABELS)
    edit_json(tmp_path / "config.json", **change)
    with pytest.raises(EngineError) as caught:
        load_vision(str(tmp_path), heads=HEADS[:1], problem_types=("single_label_classification",), device="cpu")
    assert caught.value.code in code.split()


@pytest.mark.parametrize(
    "backbone", [None, {"model_type": "timm_backbone", "backbone": "resnet50"}, {"model_type": ["resnet"]}, "resnet"]
)
def test_a_detector_with_a_backbone_of_timm_is_told_what_to_do(backbone, tmp_path):
    from worker.engine.load_vision import load_vision

    save_random("detr", tmp_path, LABELS)
    edit_json(tmp_path / "config.json", backbone_config=backbone, backbone="resnet50", use_timm_backbone=True)
    with pytest.raises(EngineError, match="use_timm_backbone=False") as caught:
        load_vision(str(tmp_path), heads=HEADS, device="cpu")
    assert caught.value.code == "unsupported_architecture"


def test_layers_of_stages_are_bounded_too(tmp_path):
    from worker.engine.load_vision import load_vision

    save_random("resnet", tmp_path, LABELS)
    edit_json(tmp_path / "config.json", depths=[1, 1, 1, 5000])
    with pytest.raises(EngineError, match="depths must be at most"):
        load_vision(str(tmp_path), heads=HEADS, device="cpu")
