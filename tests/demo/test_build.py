"""Building the demo: what is finished is kept, what is not is done, and cards only say what was measured."""

import json
import re
import shutil
from pathlib import Path

import pytest

import demo
from demo.engine import run_engine
from demo.errors import DemoFailed
from demo.measuring import measure
from demo.models import RECIPES
from demo.sentences import Sentence
from models_hub import cards
from worker.engine.contracts import EvaluateSpec


@pytest.fixture(autouse=True)
def fake_engine(monkeypatch):
    monkeypatch.setenv("PORTAL_FAKE_ENGINE", "1")


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished build, made once by the engine that needs no torch."""
    folder = tmp_path_factory.mktemp("demo")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PORTAL_FAKE_ENGINE", "1")
        demo.build(folder, print)
    return folder


@pytest.fixture
def workdir(finished: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(finished, tmp_path / "demo"))


def build(workdir: Path) -> tuple[demo.DemoContent, list[str]]:
    lines: list[str] = []
    return demo.build(workdir, lines.append), lines


def trained(lines: list[str]) -> list[str]:
    return [line for line in lines if line.startswith("Training")]


def test_a_finished_build_trains_nothing_again(workdir):
    before = {path: path.read_bytes() for path in workdir.rglob("*") if path.is_file()}
    content, lines = build(workdir)
    assert trained(lines) == []
    assert {path: path.read_bytes() for path in workdir.rglob("*") if path.is_file()} == before
    assert [model.recipe for model in content.models] == list(RECIPES)


def test_a_model_that_was_cut_off_is_trained_again_alone(workdir):
    name = RECIPES[1].name
    (workdir / "models" / f"{name}.json").unlink()  # the record is written last
    (workdir / "models" / name / "config.json").unlink()
    _content, lines = build(workdir)
    assert trained(lines) == [f"Training {name}."]
    assert (workdir / "models" / name / "config.json").is_file()


def test_a_model_of_other_data_is_trained_again(workdir):
    record = workdir / "models" / f"{RECIPES[0].name}.json"
    record.write_text(record.read_text().replace('"fingerprint": "', '"fingerprint": "0'))
    _content, lines = build(workdir)
    assert trained(lines) == [f"Training {RECIPES[0].name}."]


def test_training_leaves_no_scratch_behind(finished):
    names = {path.name for path in (finished / "models").iterdir()}
    assert names == {recipe.name for recipe in RECIPES} | {f"{recipe.name}.json" for recipe in RECIPES}


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.name)
def test_the_numbers_on_a_model_card_are_those_of_its_training(finished, recipe):
    folder = finished / "models" / recipe.name
    card = (folder / "README.md").read_text(encoding="utf-8")
    summary = json.loads((folder / "training_summary.json").read_text(encoding="utf-8"))
    record = json.loads((finished / "models" / f"{recipe.name}.json").read_text(encoding="utf-8"))
    assert record["summary"] == summary
    assert f"**{summary['parameters']:,} parameters**" in card
    assert f"{summary['epochs']} epochs, {summary['steps']} steps" in card
    assert f"the weights of epoch {summary['best_epoch']} are kept" in card
    shown = re.findall(r"^\| \S+ \| (\d+) \| ([\d.]+) \| ([\d.]+) \|$", card, re.MULTILINE)
    measured = [
        (str(row["n"]), f"{100 * row['accuracy']:.1f}", f"{100 * row['f1_macro']:.1f}") for row in record["dev"]
    ]
    assert shown == measured * 2, "the same table in English and in Chinese"


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.name)
def test_the_metadata_of_a_model_card_reads(finished, recipe):
    text = (finished / "models" / recipe.name / "README.md").read_text(encoding="utf-8")
    metadata = cards.read_metadata(text)
    assert metadata["license"] == "apache-2.0"
    assert metadata["library_name"] == "transformers"
    assert metadata["pipeline_tag"] == "text-classification"
    assert metadata["datasets"] == ["demo/bilingual-sentiment"]
    assert "$" not in text
    assert f'model="demo/{recipe.name}"' in text


def test_an_engine_that_fails_says_why(tmp_path):
    spec = EvaluateSpec(
        task="text-classification",
        model_dir=str(tmp_path / "nowhere"),
        inputs=str(tmp_path / "inputs.jsonl"),
        out_dir=str(tmp_path),
        settings={"labels": ["negative", "positive"]},
    )
    with pytest.raises(DemoFailed, match=r"could not evaluate .*config\.json"):
        run_engine("evaluate", spec, tmp_path, lambda fraction, message: None)


def test_measures_are_taken_over_each_group():
    rows = [
        Sentence("1", "a", "positive", "en", "food", "plain"),
        Sentence("2", "b", "positive", "en", "food", "plain"),
        Sentence("3", "c", "negative", "zh", "food", "irony"),
        *(
            Sentence(name, "d", "negative", "zh", "food", name)
            for name in ("negation", "mixed", "comparison", "understatement")
        ),
    ]
    answers = {row.id: "negative" for row in rows} | {"1": "positive"}
    found = {row.group: row for row in measure(rows, answers)}
    assert (found["all"].n, found["all"].accuracy) == (7, 6 / 7)
    # positive: 1 hit, 2 gold, 1 answered -> 2/3; negative: 5 hits, 5 gold, 6 answered -> 10/11
    assert found["all"].f1_macro == pytest.approx((2 / 3 + 10 / 11) / 2)
    assert found["en"].accuracy == 0.5
    assert found["irony"].accuracy == 1
    assert found["irony"].f1_macro == 0.5, "a label that never occurs counts as nothing"
