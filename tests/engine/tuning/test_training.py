"""A model learns what can be learned, says how it goes, and goes on where it was killed."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.engine.builders import LABELS
from tests.engine.tuning.arranged import kill_in_the_middle, losses, records, run, spec_of
from worker.engine.contracts import EngineError, EvaluateSpec
from worker.engine.tuning.contracts import Recipe

pytestmark = pytest.mark.engine

SMALL = Recipe(epochs=6, lr=5e-3, batch_size=8, token_dropout=0.1)


def test_a_model_from_scratch_learns_and_says_how_it_went(tmp_path: Path) -> None:
    summary = run(spec_of(tmp_path, recipe=SMALL))
    log = records(tmp_path / "run", "step")
    assert summary["best"]["metrics"]["accuracy"] > 0.9
    assert log[-1]["step"] == log[-1]["steps"] == summary["steps"] == 90
    assert {"loss", "lr", "grad_norm", "examples_per_second", "tokens_per_second", "padding", "left", "rss_mb"} <= set(
        log[0]
    )
    dev = records(tmp_path / "run", "dev")
    assert len(dev) == 6
    assert any(record["best"] for record in dev)
    assert [record["phase"] for record in records(tmp_path / "run", "phase")][:3] == [
        "loading",
        "tokenising",
        "training",
    ]


def test_the_same_seed_gives_the_same_numbers(tmp_path: Path) -> None:
    recipe = replace(SMALL, epochs=1)
    for name in ("one", "two"):
        run(spec_of(tmp_path / name, recipe=recipe))
    assert losses(tmp_path / "one" / "run") == losses(tmp_path / "two" / "run")
    weights = [(tmp_path / name / "run/model/model.safetensors").read_bytes() for name in ("one", "two")]
    assert weights[0] == weights[1]


def test_a_killed_run_goes_on_and_ends_on_the_same_curve(tmp_path: Path) -> None:
    recipe = replace(SMALL, epochs=4, accumulation=2, schedule="cosine", eval_every=7)
    run(spec_of(tmp_path / "whole", recipe=recipe))
    spec = spec_of(tmp_path / "killed", recipe=recipe, checkpoint_seconds=0.05)
    kill_in_the_middle(spec, tmp_path)
    before = len(losses(tmp_path / "killed/run"))
    assert 0 < before < 32
    summary = run(spec)
    assert summary["attempts"] == 2
    whole, resumed = losses(tmp_path / "whole/run"), losses(tmp_path / "killed/run")
    assert len(whole) == len(resumed) == 32
    assert resumed == pytest.approx(whole, abs=1e-6)
    scores = [[record["metrics"] for record in records(tmp_path / name / "run", "dev")] for name in ("whole", "killed")]
    assert scores[0] == scores[1]
    assert not (tmp_path / "killed/run/checkpoint").exists()


def test_a_checkpoint_of_another_run_or_engine_is_not_gone_on_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    from worker.engine.tuning import checkpoints

    folder = tmp_path / "run"
    folder.mkdir()
    weights = {"a": torch.ones(2)}
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.ones(2))], lr=0.1)
    checkpoints.write(folder, checkpoints.Progressed(identity="another"), weights, optimizer, {})
    with pytest.raises(EngineError, match="another recipe or other data"):
        run(spec_of(tmp_path))
    monkeypatch.setattr(checkpoints, "ARITHMETIC", 1)
    with pytest.raises(EngineError, match="computes otherwise"):
        run(spec_of(tmp_path))


def test_a_body_without_a_head_gets_one_for_the_labels(bert_folder: Path, tmp_path: Path) -> None:
    spec = spec_of(
        tmp_path,
        model_dir=str(bert_folder),
        recipe=replace(SMALL, epochs=0.2),
        settings={"labels": ["no", "yes", *LABELS]},
    )
    summary = run(spec)
    assert summary["fresh"] == ["classifier.bias", "classifier.weight"]
    config = json.loads((tmp_path / "run/model/config.json").read_text(encoding="utf-8"))
    assert list(config["id2label"].values()) == ["no", "yes", *LABELS]
    assert config["problem_type"] == "single_label_classification"


def test_a_head_with_the_labels_of_the_task_is_kept_and_the_result_can_be_evaluated(
    bert_folder: Path, tmp_path: Path, inputs: Path, hurried: None
) -> None:
    from io import StringIO

    from worker.engine.evaluating import evaluate
    from worker.engine.progress import Progress

    summary = run(spec_of(tmp_path, model_dir=str(bert_folder), recipe=replace(SMALL, epochs=0.5)))
    assert summary["fresh"] == []
    evaluate(
        EvaluateSpec(
            task="text-classification",
            model_dir=str(tmp_path / "run/model"),
            inputs=str(inputs),
            out_dir=str(tmp_path / "answers"),
            settings={"labels": LABELS},
        ),
        Progress(StringIO()),
    )


def test_a_run_stops_early_and_keeps_the_best(tmp_path: Path) -> None:
    recipe = replace(SMALL, epochs=20, lr=1.0, eval_every=2, patience=2)
    summary = run(spec_of(tmp_path, recipe=recipe))
    assert summary["stopped_early"]
    assert summary["steps"] < 300
    assert summary["best"]["step"] == summary["steps"] - 4


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"precision": "float16"}, "needs a GPU"),
        ({"metric": "bleu"}, "must be one of"),
        ({"method": "nonsense"}, "method must be one of"),
    ],
)
def test_what_cannot_be_is_refused(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(EngineError, match=message):
        run(spec_of(tmp_path, recipe=replace(SMALL, **changes)))


def test_dropout_is_that_of_the_recipe_from_scratch_too(tmp_path: Path) -> None:
    run(spec_of(tmp_path, recipe=replace(SMALL, epochs=0.1, dropout=0.3), dev=None))
    config = json.loads((tmp_path / "run/model/config.json").read_text(encoding="utf-8"))
    assert (config["hidden_dropout_prob"], config["attention_probs_dropout_prob"]) == (0.3, 0.3)


def test_an_operation_that_cannot_repeat_itself_is_done_all_the_same_and_said(tmp_path: Path, monkeypatch: Any) -> None:
    import torch

    from worker.engine.tuning import hardening

    real, tries = hardening.plain, []

    def unsteady(passes: Any, batch: Any) -> Any:
        tries.append(torch.is_deterministic_algorithms_warn_only_enabled())
        if not tries[-1]:
            raise RuntimeError("it does not have a deterministic implementation")
        return real(passes, batch)

    monkeypatch.setattr(hardening, "plain", unsteady)
    summary = run(spec_of(tmp_path, recipe=replace(SMALL, epochs=0.2), dev=None))
    assert tries == [False] + [True] * summary["steps"]
    notes = [record["text"] for record in records(tmp_path / "run", "note")]
    assert any("no repeatable form" in text for text in notes)
