"""Rows that nobody labelled: what the model is sure of is learned from, counted by round, and all of it repeats."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.engine.builders import LABELS, write_jsonl
from tests.engine.tuning.arranged import losses, records, run, spec_of, toy_arranged
from worker.engine.contracts import EngineError
from worker.engine.tuning import script
from worker.engine.tuning.contracts import FinetuneSpec, Recipe

pytestmark = pytest.mark.engine
RECIPE = Recipe(epochs=4, lr=1e-2, batch_size=8, pseudo_rounds=2, pseudo_confidence=0.5)


def few_rows(folder: Path, **changes: Any) -> FinetuneSpec:
    """A run with 24 labelled rows and 40 others."""
    spec = spec_of(folder, **{"recipe": RECIPE, **changes, "unlabelled": ""})
    train = write_jsonl(folder / "few.jsonl", toy_arranged(24))
    # Some are among the labelled ones; of the others no text is there twice.
    known = [row["question"]["text"] for row in toy_arranged(4)]
    texts = [f"{row['question']['text']} {number}" for number, row in enumerate(toy_arranged(40, start=200))]
    pool = write_jsonl(folder / "pool.jsonl", [{"id": str(n), "text": text} for n, text in enumerate(known + texts)])
    return replace(spec, train=str(train), unlabelled=str(pool))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("whole")
    return folder, run(few_rows(folder))


def test_each_round_is_counted_and_the_last_one_learns_from_all(whole: tuple[Path, dict[str, Any]]) -> None:
    folder, summary = whole
    told = summary["pseudo"]
    assert told["rows"] == 40
    assert [one["round"] for one in told["rounds"]] == [1, 2]
    for one in told["rounds"]:
        assert 0 < one["taken"] <= 40
        assert sum(one["labels"].values()) == one["taken"]
        assert set(one["labels"]) <= set(LABELS)
        assert 0 <= one["dev"] <= 1
    assert summary["train_rows"] == 24 + told["rounds"][1]["taken"]
    steps = [record["step"] for record in records(folder / "run", "step")]
    assert steps == sorted(set(steps))
    assert steps[-1] == summary["steps"]
    assert len([note for note in records(folder / "run", "note") if "without labels" in note["text"]]) == 2
    assert json.loads((folder / "run" / "summary.json").read_text("utf-8"))["pseudo"] == told
    assert not (folder / "run" / "checkpoint").exists()


def test_a_run_that_was_broken_off_in_a_later_round_ends_on_the_same_curve(
    whole: tuple[Path, dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from worker.engine.tuning.training import Training

    spec = replace(few_rows(tmp_path), checkpoint_seconds=0.0)
    save = Training._save_checkpoint

    def save_and_break(self: Training) -> None:
        save(self)
        if self.earlier.steps:
            raise KeyboardInterrupt

    monkeypatch.setattr(Training, "_save_checkpoint", save_and_break)
    with pytest.raises(KeyboardInterrupt):
        run(spec)
    monkeypatch.setattr(Training, "_save_checkpoint", save)
    summary = run(replace(spec, checkpoint_seconds=60.0))
    assert losses(tmp_path / "run") == losses(whole[0] / "run")
    assert summary["pseudo"] == whole[1]["pseudo"]


def test_a_model_that_is_sure_of_nothing_is_published_as_it_is(tmp_path: Path) -> None:
    recipe = replace(RECIPE, epochs=0.5, pseudo_confidence=1.0)
    summary = run(few_rows(tmp_path, recipe=recipe))
    assert [one["taken"] for one in summary["pseudo"]["rounds"]] == [0]
    assert summary["train_rows"] == 24
    assert (tmp_path / "run" / "model" / "config.json").exists()


def test_what_cannot_be_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="unlabelled"):
        spec_of(tmp_path, recipe=RECIPE)
    spec = few_rows(tmp_path)
    assert "label rows" in str(script.refusal(spec))
    known = [{"id": row["id"], **row["question"]} for row in toy_arranged(4)]
    with pytest.raises(EngineError, match="no rows without labels"):
        run(replace(spec, unlabelled=str(write_jsonl(tmp_path / "known.jsonl", known))))
