"""Images made ready for a model: number for number what transformers does, and hostile files refused."""

import json
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from worker.engine.contracts import EngineError
from worker.engine.folder import ModelFolder
from worker.engine.image_processing import read_processor

pytestmark = pytest.mark.engine
SIZES = [(40, 30), (30, 41), (8, 8), (64, 64), (23, 90)]  # width, height
CHOICES = [
    ("ViT", {"size": {"height": 18, "width": 20}}),
    ("ViT", {"size": 16, "resample": 3, "image_mean": [0.1, 0.2, 0.3], "image_std": [0.4, 0.5, 0.6]}),
    ("ViT", {"do_resize": True, "size": {"height": 9, "width": 9}, "do_normalize": False}),
    ("ViT", {"do_rescale": False, "size": {"height": 9, "width": 9}}),
    ("ViT", {"size": {"height": 9, "width": 9}, "rescale_factor": 0.01, "do_center_crop": True,
             "crop_size": {"height": 7, "width": 5}}),
    ("DeiT", {"size": {"height": 20, "width": 20}, "crop_size": {"height": 17, "width": 16}}),
    ("DeiT", {"size": 12, "crop_size": 15}),  # a crop that is larger than the image
    ("Beit", {"size": {"height": 20, "width": 20}, "do_center_crop": True, "crop_size": 9}),
    ("ConvNext", {"size": {"shortest_edge": 16}, "crop_pct": 0.8}),
    ("ConvNext", {"size": 21, "crop_pct": None}),
    ("ConvNext", {"size": {"shortest_edge": 384}}),
    ("Bit", {"size": {"shortest_edge": 20}, "crop_size": {"height": 16, "width": 18}}),
    ("MobileNetV2", {"size": {"shortest_edge": 19}, "crop_size": 24}),
    ("Detr", {"size": {"shortest_edge": 30, "longest_edge": 50}}),
    ("Detr", {"size": 30, "max_size": 44}),
    ("Yolos", {"size": {"shortest_edge": 36, "longest_edge": 80}}),
    ("Yolos", {"size": {"height": 32, "width": 48}}),
]  # fmt: skip


def picture(width: int, height: int) -> Image.Image:
    random = np.random.RandomState(width * 100 + height)
    coarse = Image.fromarray(random.randint(0, 256, size=(5, 5, 3)).astype(np.uint8))
    return coarse.resize((width, height), Image.Resampling.BICUBIC)


def folder_with(tmp_path, value: object) -> ModelFolder:
    (tmp_path / "preprocessor_config.json").write_text(value if isinstance(value, str) else json.dumps(value))
    return ModelFolder(str(tmp_path))


@pytest.mark.parametrize(("kind", "options"), CHOICES)
def test_pixels_are_those_of_transformers(kind, options, tmp_path):
    import transformers

    theirs_class = getattr(transformers, f"{kind}ImageProcessorPil")
    # Some keys are not taken as None by the class, as they are not saved.
    theirs = theirs_class(**{name: value for name, value in options.items() if value is not None})
    ours = read_processor(folder_with(tmp_path, {"image_processor_type": f"{kind}ImageProcessor"} | options), "ViT", 3)
    for width, height in SIZES:
        image = picture(width, height)
        expected = np.asarray(theirs(image, return_tensors="np")["pixel_values"][0])
        found = ours(image)
        assert found.dtype == np.float32
        assert found.shape == expected.shape == (3, *ours.size_of(height, width))
        assert np.array_equal(found, expected.astype(np.float32)), (width, height)


def test_what_transformers_saves_is_read(tmp_path):
    from transformers import ViTImageProcessorPil

    ViTImageProcessorPil(size={"height": 10, "width": 12}, image_mean=[0.3, 0.3, 0.3]).save_pretrained(tmp_path)
    processor = read_processor(ModelFolder(str(tmp_path)), "Bit", 3)
    assert processor.kind == "ViT"
    assert processor.size_of(100, 50) == (10, 12)


def test_grey_models_get_one_channel(tmp_path):
    folder = folder_with(tmp_path, {"size": 8, "image_mean": 0.5, "image_std": [0.5]})
    found = read_processor(folder, "ViT", 1)(picture(20, 20))
    assert found.shape == (1, 8, 8)


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ({"image_processor_type": "EvilImageProcessor"}, "is not known here"),
        ({"image_processor_type": ["ViT"]}, "is not known here"),
        ({"size": 10**9}, "size must be"),
        ({"size": {"height": 4}}, "size must be"),
        ({"size": {"height": 4, "width": True}}, "size must be"),
        ({"do_center_crop": True, "crop_size": {"height": -1, "width": 3}}, "crop_size must be"),
        ({"do_center_crop": True}, "crop_size must be"),
        ({"image_mean": [1, 2]}, "list of 3 numbers"),
        ({"image_std": [1, 0, 1]}, "must not be 0"),
        ({"resample": 77}, "resample must be"),
        ({"do_resize": "yes"}, "true or false"),
        ({"rescale_factor": "1/255"}, "rescale_factor must be"),
        ({"image_processor_type": "ConvNextImageProcessor", "size": {"height": 4, "width": 4}}, "shortest_edge"),
        ("[]", "JSON object"),
        ("{", "cannot be read"),
        ('{"size": NaN}', "cannot be read"),
    ],
)
def test_a_file_that_cannot_be_followed_is_refused(value, says, tmp_path):
    with pytest.raises(EngineError, match=says) as caught:
        read_processor(folder_with(tmp_path, value), "ViT", 3)
    assert caught.value.code == "bad_preprocessor"


def test_code_of_its_own_is_refused_and_a_missing_file_is_named(tmp_path):
    with pytest.raises(EngineError, match=r"preprocessor_config\.json is missing"):
        read_processor(ModelFolder(str(tmp_path)), "ViT", 3)
    with pytest.raises(EngineError) as caught:
        read_processor(folder_with(tmp_path, {"auto_map": {"AutoImageProcessor": "x.Y"}}), "ViT", 3)
    assert caught.value.code == "custom_code"


def test_a_strip_is_not_blown_up(tmp_path):
    processor = read_processor(folder_with(tmp_path, {"image_processor_type": "BitImageProcessor"}), "ViT", 3)
    with pytest.raises(EngineError, match="would be made"):
        processor(Image.new("RGB", (16_000, 1)))


def png(image: Image.Image, format: str = "PNG", **options: object) -> bytes:
    file = BytesIO()
    image.save(file, format, **options)
    return file.getvalue()
