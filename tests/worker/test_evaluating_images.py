"""Tasks of images from eval.yaml to their pages: real sandboxes, the engine's stand-in."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from leaderboard import benchmarks, submitting
from leaderboard.models import Benchmark, Evaluation
from leaderboard.not_evaluable import NotEvaluable
from models_hub.models import Repo
from portal.models import User
from tests.evaluating import model_files
from tests.worker.performing import perform

pytestmark = pytest.mark.django_db(transaction=True)
MakeRepo = Callable[..., Repo]

CLASSES = """\
version: 1
name: Shades
task: image-classification
split: {path: test.jsonl}
fields: {input: picture, target: shade}
labels: [dark, light]
bootstrap: 100
"""
BOXES = """\
version: 1
name: Spots
task: object-detection
split: {path: test.jsonl}
labels: [spot, stain]
bootstrap: 100
"""


@pytest.fixture(autouse=True)
def stand_in(settings, tmp_path: Path) -> None:
    settings.FAKE_ENGINE = True
    settings.SCRATCH_DIR = str(tmp_path / "scratch")


def files_of(architecture: str) -> dict[str, bytes | str]:
    files = model_files()
    del files["tokenizer.json"]
    config = {"architectures": [architecture], "model_type": "vit", "id2label": {"0": "dark", "1": "light"}}
    return files | {"config.json": json.dumps(config), "preprocessor_config.json": "{}"}


def shades() -> str:
    rows = [{"picture": [[n, n], [9 * n, 20 * n]], "shade": n % 2} for n in range(12)]
    return "".join(json.dumps(row) + "\n" for row in rows)


def spots() -> str:
    rows = [
        {"image": [[n] * 30] * 20, "objects": {"bbox": [[2, 3, 10 + n, 9]], "category": ["spot"]}} for n in range(8)
    ]
    return "".join(json.dumps(row) + "\n" for row in rows)


def registered(make_repo: MakeRepo, owner: User, name: str, definition: str, rows: str) -> Benchmark:
    dataset = make_repo(owner, name, kind="dataset", files={"eval.yaml": definition, "test.jsonl": rows})
    return benchmarks.register(dataset, by=owner)[0]


def evaluated(model: Repo, benchmark: Benchmark, by: User) -> Evaluation:
    evaluation, _is_new = submitting.submit(model, benchmark, by=by)
    assert evaluation.job is not None
    perform(evaluation.job.pk)
    found = Evaluation.objects.select_related("job").get(pk=evaluation.pk)
    assert found.job.state == "succeeded", found.job.reason_text
    return found


def test_images_go_from_a_definition_to_a_page_that_shows_the_wrong_ones(client, make_repo, alice) -> None:
    benchmark = registered(make_repo, alice, "shades", CLASSES, shades())
    model = make_repo(alice, "vit", files=files_of("ViTForImageClassification"))
    evaluation = evaluated(model, benchmark, alice)
    assert evaluation.value == evaluation.metrics["accuracy"]["value"] < 1
    assert evaluation.metrics["accuracy_top5"]["value"] == 1
    assert set(evaluation.provenance["model"]["files"]) == {
        "config.json", "model.safetensors", "preprocessor_config.json",
    }  # fmt: skip
    page = client.get(evaluation.get_absolute_url()).text
    for piece in ("By class", "Confusion matrix", "Right label among the first five", "What it got wrong"):
        assert piece in page
    wrong = sum(evaluation.confusion["rows"][right][1 - right] for right in (0, 1))
    assert page.count('src="data:image/png;base64,') == wrong
    page = client.get(benchmark.get_absolute_url()).text
    assert "In the rows themselves, in the column <code>picture</code>" in page


def test_boxes_go_from_a_definition_to_a_page_that_draws_them(client, make_repo, alice) -> None:
    benchmark = registered(make_repo, alice, "spots", BOXES, spots())
    assert benchmark.settings == {"box_format": "xywh"}
    model = make_repo(alice, "yolos", files=files_of("YolosForObjectDetection"))
    evaluation = evaluated(model, benchmark, alice)
    assert evaluation.value == evaluation.metrics["box_ap"]["value"]
    page = client.get(evaluation.get_absolute_url()).text
    for piece in ("By class", "AP50", "Average precision of boxes", '<rect class="box box-missed"'):
        assert piece in page
    assert 'x="2.00" y="3.00" width="10.00" height="9.00"' in page
    assert "Confusion matrix" not in page


def test_rows_that_are_withheld_show_no_image(client, make_repo, alice) -> None:
    benchmark = registered(make_repo, alice, "shades", CLASSES + "test_is_public: false\n", shades())
    evaluation = evaluated(make_repo(alice, "vit", files=files_of("ViTForImageClassification")), benchmark, alice)
    assert "data:image" not in client.get(evaluation.get_absolute_url()).text


@pytest.mark.parametrize(
    ("missing", "architecture", "says"),
    [
        ("preprocessor_config.json", "ViTForImageClassification", "preprocessor_config.json is missing"),
        ("", "ViTForMaskedImageModeling", "needs one that ends in ForImageClassification"),
        ("", "BertForSequenceClassification", "needs one that ends in ForImageClassification"),
        ("", "YolosForObjectDetection", "needs one that ends in ForImageClassification"),
    ],
)
def test_a_model_that_cannot_see_is_told_why(make_repo, alice, missing, architecture, says) -> None:
    benchmark = registered(make_repo, alice, "shades", CLASSES, shades())
    files = files_of(architecture)
    files.pop(missing, None)
    with pytest.raises(NotEvaluable, match=says):
        submitting.submit(make_repo(alice, "vit", files=files), benchmark, by=alice)


def test_a_row_that_is_no_image_fails_with_its_line(make_repo, alice) -> None:
    rows = shades() + json.dumps({"picture": "aGVsbG8=", "shade": 0}) + "\n"
    benchmark = registered(make_repo, alice, "shades", CLASSES, rows)
    model = make_repo(alice, "vit", files=files_of("ViTForImageClassification"))
    evaluation, _is_new = submitting.submit(model, benchmark, by=alice)
    perform(evaluation.job.pk)
    evaluation.job.refresh_from_db()
    assert evaluation.job.state == "failed"
    assert 'line 13: its field "picture" is not an image' in evaluation.job.reason_text
