"""Boxes around digits on a canvas: answers equal to transformers, average precision equal to COCO's own."""

import base64
import json
from dataclasses import replace
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits

from tests.engine.builders import edit_json, write_jsonl
from tests.engine.coco import coco
from tests.engine.vision_models import MEAN, STD, save_random
from worker.engine.contracts import EngineError, EvaluateSpec, PrepareSpec, ScoreSpec
from worker.engine.measures.detection import Box
from worker.engine.progress import Progress
from worker.engine.records import Record
from worker.engine.rows import prepare
from worker.engine.scoring import score
from worker.engine.tasks.object_detection import ObjectDetection

pytestmark = pytest.mark.engine
DIGITS = load_digits()
LABELS = ["0", "1", "2"]
SIDE = 32
Rows = list[dict[str, Any]]


def scene(number: int) -> tuple[Image.Image, list[dict[str, Any]]]:
    """Some digits pasted on a canvas of one of three sizes, with COCO's left, top, width and height of each."""
    random = np.random.RandomState(number)
    canvas = Image.new("L", [(48, 48), (64, 40), (40, 56)][number % 3])
    things = []
    for _ in range(1 + number % 3):
        index = int(random.choice(np.flatnonzero(DIGITS.target < len(LABELS))))
        side = int(random.randint(8, 17))
        left, top = (int(random.randint(0, length - side)) for length in canvas.size)
        canvas.paste(Image.fromarray((DIGITS.images[index] * 15.9).astype(np.uint8)).resize((side, side)), (left, top))
        things.append({"category": int(DIGITS.target[index]), "bbox": [left, top, side, side]})
    return canvas, things


def row_of(number: int) -> dict[str, Any]:
    canvas, things = scene(number)
    file = BytesIO()
    canvas.save(file, "PNG")
    objects: Any = things
    if number % 2:  # the other form in which such rows are published
        objects = {name: [thing[name] for thing in things] for name in ("bbox", "category")}
    return {"image": {"bytes": base64.b64encode(file.getvalue()).decode()}, "objects": objects}


def lines_of(path: Path) -> Rows:
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny YOLOS with random weights, and scenes that were prepared and answered."""
    from worker.engine.evaluating import evaluate

    root = tmp_path_factory.mktemp("detecting")
    (root / "model").mkdir()
    save_random("yolos", root / "model", ["N/A", "2", "0", "1"], side=SIDE)
    data = write_jsonl(root / "test.jsonl", [row_of(number) for number in range(30)])
    prepare(
        PrepareSpec(
            task="object-detection",
            files={"test": str(data)},
            settings={"labels": LABELS},
            inputs=str(root / "inputs.jsonl"),
            gold=str(root / "gold.jsonl"),
        )
    )
    evaluate(spec_of(root), Progress(StringIO()))
    return root


def spec_of(root: Path, out: str = "out") -> EvaluateSpec:
    return EvaluateSpec(
        task="object-detection",
        model_dir=str(root / "model"),
        inputs=str(root / "inputs.jsonl"),
        out_dir=str(root / out),
        settings={"labels": LABELS},
        device="cpu",
    )


def test_boxes_are_those_of_transformers(folder):
    import torch
    from transformers import AutoModelForObjectDetection, YolosImageProcessorPil

    model = AutoModelForObjectDetection.from_pretrained(folder / "model").eval()
    processor = YolosImageProcessorPil(
        size={"shortest_edge": SIDE, "longest_edge": 2 * SIDE}, image_mean=MEAN, image_std=STD
    )
    answers = lines_of(folder / "out" / "predictions.jsonl")
    own = ["N/A", "2", "0", "1"]
    count = 0
    for number, answer in enumerate(answers):
        canvas = scene(number)[0].convert("RGB")
        with torch.inference_mode():
            output = model(pixel_values=processor(canvas, return_tensors="pt")["pixel_values"])
        size = torch.tensor([canvas.size[::-1]])
        found = processor.post_process_object_detection(output, threshold=0.0, target_sizes=size)[0]
        # What the benchmark has no class for is no answer.
        kept = [(float(score), own[label], box.tolist()) for score, label, box in zip(*found.values(), strict=True)]
        kept = sorted((thing for thing in kept if thing[1] in LABELS), key=lambda thing: -thing[0])
        assert [box["label"] for box in answer["boxes"]] == [label for _score, label, _box in kept]
        for box, (expected_score, _label, corners) in zip(answer["boxes"], kept, strict=True):
            assert box["score"] == pytest.approx(expected_score, abs=2e-6)
            assert box["box"] == pytest.approx(corners, abs=2e-3)
        count += len(kept)
    assert count > 20


def test_the_score_is_that_of_coco(folder, tmp_path):
    """Of boxes near those of the reference, some doubled, beside what the model itself says."""
    golds = lines_of(folder / "gold.jsonl")
    random = np.random.RandomState(2)
    rows = []
    for gold, answer in zip(golds, lines_of(folder / "out" / "predictions.jsonl"), strict=True):
        boxes = list(answer["boxes"])
        for box in gold["boxes"] + gold["boxes"][:1]:
            moved = (np.array(box["box"]) + random.normal(0, 0.8, 4)).round(3).tolist()
            boxes.append({"label": box["label"], "box": moved, "score": round(float(random.rand()), 6)})
        rows.append({"id": gold["id"], "boxes": boxes})
    result = score(
        ScoreSpec(
            task="object-detection",
            settings={"labels": LABELS},
            gold=str(folder / "gold.jsonl"),
            predictions=str(write_jsonl(tmp_path / "predictions.jsonl", rows)),
            out=str(tmp_path / "scores.json"),
            bootstrap=100,
        )
    )
    sides = [
        [[Box(box["label"], tuple(box["box"]), box.get("score", 1.0)) for box in row["boxes"]] for row in file]
        for file in (golds, rows)
    ]
    expected = coco(*sides, LABELS)
    metrics = result["metrics"]
    assert (metrics["box_ap"]["value"], metrics["box_ap50"]["value"]) == pytest.approx(expected, abs=1e-9)
    assert 0.05 < expected[0] < expected[1] < 1
    assert result["floors"]["nothing"]["metrics"]["box_ap"] == 0
    classes = result["details"]["per_box_class"]
    assert [row["label"] for row in classes] == LABELS
    assert np.mean([row["ap"] for row in classes]) == pytest.approx(expected[0], abs=1e-9)
    assert np.mean([row["ap50"] for row in classes]) == pytest.approx(expected[1], abs=1e-9)


def test_answers_depend_neither_on_the_batch_size_nor_on_threads(folder, monkeypatch):
    from worker.engine.answering import measuring
    from worker.engine.evaluating import evaluate

    # Two threads for tiny models on a busy machine wait for each other more than they compute.
    monkeypatch.setattr(measuring, "LATENCY_WARM_UP", 1)
    monkeypatch.setattr(measuring, "LATENCY_SAMPLES", 1)

    evaluate(replace(spec_of(folder, "again"), token_budget=16, threads=2), Progress(StringIO()))
    first, again = (lines_of(folder / out / "predictions.jsonl") for out in ("out", "again"))
    for one, other in zip(first, again, strict=True):
        assert [box["label"] for box in one["boxes"]] == [box["label"] for box in other["boxes"]]
        for box, same in zip(one["boxes"], other["boxes"], strict=True):
            assert box["score"] == pytest.approx(same["score"], abs=2e-6)
            assert box["box"] == pytest.approx(same["box"], abs=2e-3)


def test_a_model_without_a_class_of_the_benchmark_is_refused(folder, tmp_path):
    import shutil

    from worker.engine.evaluating import evaluate

    shutil.copytree(folder / "model", tmp_path / "model")
    edit_json(tmp_path / "model" / "config.json", id2label={"0": "N/A", "1": "2", "2": "0", "3": "cat"})
    with pytest.raises(EngineError, match="No model label leads to: '1'") as caught:
        evaluate(replace(spec_of(folder), model_dir=str(tmp_path / "model"), out_dir=str(tmp_path)),
                 Progress(StringIO()))  # fmt: skip
    assert caught.value.code == "label_mismatch"


def read(objects: Any, **settings: Any) -> list[dict[str, Any]]:
    task = ObjectDetection()
    record = Record({"image": [[0, 1], [2, 3]], "objects": objects}, 4, task.columns({}))
    boxes: list[dict[str, Any]] = task.read(record, task.settings({"labels": LABELS} | settings))[1]["boxes"]
    return boxes


def test_boxes_come_as_corners_or_with_an_extent():
    box = [1, 2, 8, 9.5]
    assert read({"bbox": [box], "category": ["1"]}) == [{"label": "1", "box": [1, 2, 9, 11.5]}]
    assert read([{"bbox": box, "category": 1}], box_format="xyxy") == [{"label": "1", "box": box}]
    assert read('{"bbox": [], "category": []}') == []


def test_crowds_are_marked_in_either_form():
    corners = {"label": "0", "box": [0, 0, 1, 2]}
    both = [corners | {"crowd": True}, corners]
    assert read([{"bbox": [0, 0, 1, 2], "category": 0, "iscrowd": flag} for flag in (1, 0)]) == both
    assert read({"bbox": [[0, 0, 1, 2]] * 2, "category": [0, 0], "iscrowd": [True, False]}) == both
    task = ObjectDetection()
    settings = task.settings({"labels": LABELS})
    assert task.check_gold({"boxes": both}, settings) == {"boxes": both}
    with pytest.raises(EngineError, match="crowd"):
        task.check_gold({"boxes": [corners | {"crowd": 1}]}, settings)


def test_one_class_is_enough():
    assert ObjectDetection().settings({"labels": ["0"]}).labels == ["0"]


@pytest.mark.parametrize(
    ("objects", "says"),
    [
        (7, "must be"),
        ("[", "is not JSON"),
        ({"bbox": [[0, 0, 1, 1]], "category": []}, "two lists of the same length"),
        ({"bbox": [[0, 0, 1, 1]]}, "two lists of the same length"),
        ([{"bbox": [0, 0, 1], "category": 0}], "four numbers"),
        ([{"bbox": [0, 0, 1, True], "category": 0}], "four numbers"),
        ([{"bbox": [0, 0, 0, 1], "category": 0}], "width and height above 0"),
        ([{"bbox": [0, 0, 1, 1], "category": "cat"}], "not one of the labels"),
        ([{"bbox": [0, 0, 1, 1], "category": 0, "iscrowd": 2}], "iscrowd"),
        ({"bbox": [[0, 0, 1, 1]], "category": [0], "iscrowd": [0, 1]}, "iscrowd"),
    ],
)
def test_boxes_that_cannot_be_scored_name_their_line(objects, says):
    with pytest.raises(EngineError, match=f'line 4: its field "objects" .*{says}'):
        read(objects)


GOOD = {"label": "0", "box": [0, 0, 2, 2], "score": 0.5}


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ({}, "exactly id"),
        ({"boxes": {}}, "exactly id"),
        ({"boxes": [], "x": 1}, "exactly id"),
        ({"boxes": [GOOD] * 301}, "at most 300"),
        ({"boxes": [GOOD | {"label": "cat"}]}, "does not know"),
        ({"boxes": [GOOD | {"label": []}]}, "does not know"),
        ({"boxes": [GOOD | {"box": [2, 0, 0, 2]}]}, "corners"),
        ({"boxes": [GOOD | {"box": [0, 0, 1e999, 2]}]}, "corners"),
        ({"boxes": [GOOD | {"score": 1.5}]}, "from 0 to 1"),
        ({"boxes": [GOOD | {"score": True}]}, "from 0 to 1"),
        ({"boxes": [{"label": "0"}]}, "not a label, corners and a score"),
    ],
)
def test_improper_boxes_are_refused(value, says):
    task = ObjectDetection()
    settings = task.settings({"labels": LABELS})
    assert task.check({"boxes": [GOOD]}, {}, settings) == {"boxes": [GOOD]}
    with pytest.raises(EngineError, match=says):
        task.check(value, {}, settings)


def test_a_benchmark_without_a_single_box_is_refused():
    task = ObjectDetection()
    with pytest.raises(EngineError, match="no image of the benchmark has a box"):
        task.measure([{"boxes": []}], [{"boxes": []}], task.settings({"labels": LABELS}))
