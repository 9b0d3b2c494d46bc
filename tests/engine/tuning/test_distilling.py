"""Students that learn what their teacher says: smaller, and close to it."""

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.engine.builders import edit_json
from tests.engine.tuning.arranged import records, run, spec_of
from worker.engine.contracts import EngineError
from worker.engine.tuning.compressing.distilling import Distilling, evenly
from worker.engine.tuning.contracts import Architecture, Recipe, Teacher

pytestmark = pytest.mark.engine
LEARNING = Recipe(epochs=4, lr=5e-3, batch_size=8)


@pytest.fixture(scope="module")
def teacher(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("teacher")
    spec = spec_of(place, recipe=LEARNING)
    assert spec.architecture is not None
    run(replace(spec, architecture=replace(spec.architecture, layers=2)))
    return place / "run" / "model"


def config_of(place: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((place / "run" / "model" / "config.json").read_text("utf-8"))
    return found


def test_a_student_begins_as_some_layers_of_its_teacher(teacher, tmp_path):
    spec = spec_of(tmp_path, recipe=LEARNING)
    of_teacher = Teacher(model_dir=str(teacher), keep_layers=1)
    summary = run(replace(spec, architecture=None, model_dir=str(teacher), teacher=of_teacher))
    assert config_of(tmp_path)["num_hidden_layers"] == 1
    assert summary["best"]["metrics"]["accuracy"] > 0.9
    assert not (tmp_path / "run" / "student.part").exists()


def test_a_student_of_other_sizes_reads_with_its_teachers_tokenizer(teacher, tmp_path):
    spec = spec_of(tmp_path, recipe=LEARNING)
    small = Architecture(model_type="bert", hidden=16, layers=1, heads=2, intermediate=24)
    summary = run(replace(spec, architecture=small, teacher=Teacher(model_dir=str(teacher))))
    config = config_of(tmp_path)
    assert (config["hidden_size"], config["num_hidden_layers"]) == (16, 1)
    assert summary["best"]["metrics"]["accuracy"] > 0.8
    tokenizers = [(folder / "tokenizer.json").read_text("utf-8") for folder in (teacher, tmp_path / "run" / "model")]
    assert json.loads(tokenizers[0])["model"] == json.loads(tokenizers[1])["model"]


def test_a_teacher_alone_teaches_what_the_labels_do_not_say(teacher, tmp_path):
    spec = spec_of(tmp_path, recipe=LEARNING)
    # Every label is wrong, and has no share of the loss.
    lines = [json.loads(line) for line in Path(spec.train).read_text("utf-8").splitlines()]
    other = dict(zip(spec.settings["labels"], spec.settings["labels"][::-1], strict=True))
    for line in lines:
        line["gold"]["label"] = other[line["gold"]["label"]]
    Path(spec.train).write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    small = Architecture(model_type="bert", hidden=32, layers=1, heads=2, intermediate=48)
    summary = run(replace(spec, architecture=small, teacher=Teacher(model_dir=str(teacher), alpha=1.0)))
    assert summary["best"]["metrics"]["accuracy"] > 0.8
    assert records(tmp_path / "run", "dev")[-1]["loss"] < 0.7


def test_a_student_with_another_tokenizer_is_refused(teacher, model, tmp_path):
    edit_json(model / "tokenizer.json", normalizer=None)
    spec = spec_of(tmp_path, recipe=LEARNING)
    with pytest.raises(EngineError, match="same tokenizer"):
        run(replace(spec, architecture=None, model_dir=str(model), teacher=Teacher(model_dir=str(teacher))))


def test_the_loss_weighs_labels_and_teacher():
    import torch

    from worker.engine.tuning.objectives.objective import Batch, Loss

    said = {"student": torch.tensor([[2.0, 0.0]]), "teacher": torch.tensor([[0.0, 2.0]])}
    inner: Any = SimpleNamespace(
        basis=SimpleNamespace(device=torch.device("cpu")),
        loss=lambda output, _batch, training: Loss(total=torch.tensor(3.0), logits=said[output]),
        forward=lambda _model, _batch: "teacher",
    )
    teacher: Any = SimpleNamespace(model=torch.nn.Linear(1, 1))
    distilling = Distilling(inner, teacher, Teacher(model_dir="t", temperature=2.0, alpha=0.25))
    mine, theirs = (torch.softmax(values / 2, dim=-1) for values in said.values())
    apart = float((theirs * (theirs / mine).log()).sum())
    batch = Batch(features=[], inputs={}, targets=None, tokens=0, cells=0)
    assert float(distilling.loss("student", batch, training=True).total) == pytest.approx(0.25 * 4 * apart + 0.75 * 3)
    assert float(distilling.loss("student", batch, training=False).total) == 3.0


def test_layers_are_taken_evenly():
    assert evenly(12, 4) == [0, 4, 7, 11]
    assert evenly(6, 1) == [0]
    with pytest.raises(EngineError, match="below 2"):
        evenly(2, 2)
