"""Images to labels: scikit-learn's digits from rows to a score, equal to transformers and scikit-learn."""

import base64
import csv
import json
from dataclasses import replace
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from sklearn import metrics as sk
from sklearn.datasets import load_digits

from tests.engine.builders import edit_json, write_jsonl
from tests.engine.vision_models import MEAN, STD, save_random
from worker.engine.contracts import EngineError, EvaluateSpec, PrepareSpec, ScoreSpec
from worker.engine.progress import Progress
from worker.engine.rows import prepare
from worker.engine.scoring import score
from worker.engine.tasks.image_classification import ImageClassification

pytestmark = pytest.mark.engine
DIGITS = load_digits()
LABELS = [str(digit) for digit in range(10)]
SIDE = 16
Rows = list[dict[str, Any]]


def file_of(pixels: np.ndarray, format: str = "PNG", **options: Any) -> bytes:
    file = BytesIO()
    Image.fromarray(pixels).save(file, format, **options)
    return file.getvalue()


def coloured(index: int) -> np.ndarray:
    """A digit of scikit-learn in some colour."""
    return (DIGITS.images[index][:, :, None] * [15.9, 8.0, 3.0]).astype(np.uint8)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny ResNet with random weights, and ninety digits that were prepared and answered."""
    from worker.engine.evaluating import evaluate

    root = tmp_path_factory.mktemp("seeing")
    (root / "model").mkdir()
    save_random("resnet", root / "model", LABELS)
    rows: Rows = [{"image": base64.b64encode(file_of(coloured(n))).decode(), "label": int(DIGITS.target[n])}
                  for n in range(90)]  # fmt: skip
    prepare(prepare_spec(root, write_jsonl(root / "test.jsonl", rows)))
    evaluate(spec_of(root), Progress(StringIO()))
    return root


def prepare_spec(root: Path, data: Path) -> PrepareSpec:
    return PrepareSpec(
        task="image-classification",
        files={"test": str(data)},
        settings={"labels": LABELS},
        inputs=str(root / "inputs.jsonl"),
        gold=str(root / "gold.jsonl"),
    )


def spec_of(root: Path, out: str = "out") -> EvaluateSpec:
    return EvaluateSpec(
        task="image-classification",
        model_dir=str(root / "model"),
        inputs=str(root / "inputs.jsonl"),
        out_dir=str(root / out),
        settings={"labels": LABELS},
        device="cpu",
    )


def lines_of(path: Path) -> Rows:
    return [json.loads(line) for line in path.read_text().splitlines()]


def questions_of(tmp_path: Path, rows: Rows) -> Rows:
    prepare(prepare_spec(tmp_path, write_jsonl(tmp_path / "test.jsonl", rows)))
    return lines_of(tmp_path / "inputs.jsonl")


def test_answers_are_those_of_transformers(folder):
    import torch
    from transformers import AutoModelForImageClassification, ViTImageProcessorPil

    model = AutoModelForImageClassification.from_pretrained(folder / "model").eval()
    processor = ViTImageProcessorPil(size={"height": SIDE, "width": SIDE}, image_mean=MEAN, image_std=STD)
    answers = lines_of(folder / "out" / "predictions.jsonl")
    images = [Image.fromarray(coloured(n)) for n in range(90)]
    with torch.inference_mode():
        logits = model(**processor(images, return_tensors="pt")).logits
    expected = torch.softmax(logits.double(), dim=-1).numpy()
    found = np.array([[row["scores"][label] for label in LABELS] for row in answers])
    assert np.abs(found - expected).max() < 2e-6
    assert [row["label"] for row in answers] == [LABELS[best] for best in expected.argmax(axis=1)]
    assert len({row["label"] for row in answers}) > 3, "a model with one answer would prove nothing"


def test_the_score_is_that_of_scikit_learn(folder):
    result = score(
        ScoreSpec(
            task="image-classification",
            settings={"labels": LABELS},
            gold=str(folder / "gold.jsonl"),
            predictions=str(folder / "out" / "predictions.jsonl"),
            out=str(folder / "scores.json"),
            bootstrap=100,
        )
    )
    gold = DIGITS.target[:90]
    answers = lines_of(folder / "out" / "predictions.jsonl")
    given = [int(row["label"]) for row in answers]
    shares = np.array([[row["scores"][label] for label in LABELS] for row in answers])
    expected = {
        "accuracy": sk.accuracy_score(gold, given),
        "f1_macro": sk.f1_score(gold, given, average="macro", labels=range(10), zero_division=0),
        "mcc": sk.matthews_corrcoef(gold, given),
        "accuracy_top5": sk.top_k_accuracy_score(gold, shares, k=5, labels=range(10)),
    }
    found = {name: result["metrics"][name]["value"] for name in expected}
    assert found == pytest.approx(expected, abs=1e-9)
    assert result["primary"]["name"] == "accuracy"
    assert result["floors"]["chance"]["metrics"]["accuracy_top5"] == 0.5
    assert len(result["confusion"]["rows"]) == 10


def test_the_report_says_how_fast_and_how_large(folder):
    report = json.loads((folder / "out" / "report.json").read_text())
    assert report["architecture"] == "ResNetForImageClassification"
    assert report["examples_per_second"] > 0
    assert report["latency"]["p50_ms"] > 0
    assert report["parameters"] > 1000
    assert report["label_map"] == {label: label for label in LABELS}


def test_answers_depend_neither_on_the_batch_size_nor_on_threads(folder, monkeypatch):
    from worker.engine.answering import measuring
    from worker.engine.evaluating import evaluate

    # Two threads for tiny models on a busy machine wait for each other more than they compute.
    monkeypatch.setattr(measuring, "LATENCY_WARM_UP", 1)
    monkeypatch.setattr(measuring, "LATENCY_SAMPLES", 1)

    report = evaluate(replace(spec_of(folder, "again"), token_budget=7, threads=2), Progress(StringIO()))
    assert report["prediction_digest"] == json.loads((folder / "out/report.json").read_text())["prediction_digest"]
    first, again = (lines_of(folder / out / "predictions.jsonl") for out in ("out", "again"))
    for one, other in zip(first, again, strict=True):
        assert one["scores"] == pytest.approx(other["scores"], abs=2e-6)


def test_images_come_as_files_as_bytes_or_as_pixels(tmp_path):
    raw = file_of(coloured(3))
    rows = [
        {"image": base64.b64encode(raw).decode(), "label": "3"},
        {"image": {"bytes": base64.b64encode(raw).decode(), "path": "3.png"}, "label": "3"},
        {"image": coloured(3).tolist(), "label": "3"},
        {"image": DIGITS.images[3].tolist(), "label": "3"},
        {"image": DIGITS.data[3].tolist(), "label": "3"},
        {"image": base64.b64encode(file_of(coloured(3), "JPEG")).decode(), "label": "3"},
        {"image": base64.b64encode(file_of(coloured(3), "WEBP", lossless=True)).decode(), "label": "3"},
    ]
    from worker.engine.images import from_question

    images = [np.asarray(from_question(row)) for row in questions_of(tmp_path, rows)]
    assert all(image.shape == (8, 8, 3) for image in images)
    for same in (images[1], images[2], images[6]):
        assert np.array_equal(images[0], same)
    grey = np.repeat(DIGITS.images[3][:, :, None], 3, axis=2)
    assert np.array_equal(images[3], grey)
    assert np.array_equal(images[4], grey)


def test_csv_holds_lists_of_pixels(tmp_path):
    with (tmp_path / "test.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["image", "label"])
        writer.writerow([json.dumps(DIGITS.images[0].tolist()), 0])
    prepare(prepare_spec(tmp_path, tmp_path / "test.csv"))
    assert lines_of(tmp_path / "inputs.jsonl")[0]["width"] == 8
    assert lines_of(tmp_path / "gold.jsonl") == [{"id": "0", "label": "0"}]


def test_a_photograph_is_turned_upright(tmp_path):
    image = Image.fromarray(np.zeros((4, 9, 3), dtype=np.uint8))
    turned = image.getexif()
    turned[0x0112] = 6
    file = BytesIO()
    image.save(file, "JPEG", exif=turned)
    row = questions_of(tmp_path, [{"image": base64.b64encode(file.getvalue()).decode(), "label": "0"}])[0]
    assert (row["width"], row["height"]) == (4, 9)


def bomb() -> str:
    """A small file that claims 12,000 x 12,000 pixels."""
    raw = bytearray(file_of(np.zeros((1, 1), dtype=np.uint8)))
    raw[16:24] = (12_000).to_bytes(4, "big") * 2
    import zlib

    raw[29:33] = zlib.crc32(bytes(raw[12:29])).to_bytes(4, "big")
    return base64.b64encode(bytes(raw)).decode()


@pytest.mark.parametrize(
    ("image", "says"),
    [
        ("not base64!", "is not base64"),
        ("aGVsbG8=", "not an image that can be read"),
        (base64.b64encode(file_of(coloured(0))[:-30]).decode(), "not an image that can be read"),
        (base64.b64encode(file_of(coloured(0), "GIF")).decode(), "not an image that can be read"),
        (base64.b64encode(file_of(coloured(0), "TIFF")).decode(), "not an image that can be read"),
        (base64.b64encode(file_of(np.zeros((2, 2), dtype=np.uint16))).decode(), "8 bits a channel"),
        (bomb(), "12000 x 12000 pixels"),
        ("", "must be base64"),
        (7, "must be base64"),
        ({"path": "x.png"}, "must be base64"),
        ([], "must be base64"),
        ([[1, 2], [3]], "same number of them"),
        ([[[1, 2]]], "height x width"),
        ([1, 2, 3], "height x width"),
        ([[0, 256]], "whole numbers from 0 to 255"),
        ([[0.5, 1]], "whole numbers from 0 to 255"),
        ([["a", 1]], "same number of them"),
        ("[[1, 2", "is none"),
    ],
)
def test_a_row_without_a_proper_image_is_named(image, says, tmp_path):
    rows = [{"image": [[0]], "label": "0"}, {"image": image, "label": "0"}]
    with pytest.raises(EngineError, match=f'line 2: its field "image" .*{says}') as caught:
        questions_of(tmp_path, rows)
    assert caught.value.code == "bad_data"


def test_a_model_with_other_labels_is_told_which_are_missing(folder, tmp_path):
    import shutil

    from worker.engine.evaluating import evaluate

    shutil.copytree(folder / "model", tmp_path / "model")
    edit_json(tmp_path / "model" / "config.json", id2label={str(n): f"L{n}" for n in range(10)})
    with pytest.raises(EngineError, match="label_map") as caught:
        evaluate(replace(spec_of(folder), model_dir=str(tmp_path / "model"), out_dir=str(tmp_path)),
                 Progress(StringIO()))  # fmt: skip
    assert caught.value.code == "label_mismatch"


def test_the_label_is_among_the_first_five_when_it_is_chosen():
    task = ImageClassification()
    settings = task.settings({"labels": LABELS})
    flat = {"label": "9", "scores": dict.fromkeys(LABELS, 0.1)}
    measured = task.measure([{"label": "9"}, {"label": "4"}, {"label": "3"}], [flat] * 3, settings)
    # All are equally sure: the chosen one comes first, the others as the benchmark has them.
    assert measured.items["accuracy_top5"].tolist() == [1, 0, 1]
