"""Hardening goes over each batch as often as it says, and moves it where the loss is worse."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.engine.tuning.arranged import records, run, spec_of
from worker.engine.contracts import EngineError
from worker.engine.tuning.contracts import Recipe

pytestmark = pytest.mark.engine

SHORT = Recipe(epochs=1, lr=5e-3, batch_size=32, dropout=0.1)


@pytest.mark.parametrize(
    ("changes", "passes"),
    [
        ({"harden": "fgm"}, 2),
        ({"harden": "pgd", "harden_options": {"steps": 2}}, 3),
        ({"harden": "freelb"}, 3),
        ({"harden": "worst_of_k", "harden_options": {"count": 3}}, 5),
        ({"harden": "worst_of_k", "harden_options": {"count": 1}}, 2),
        ({"harden": "rdrop"}, 2),
        ({"mixup": 0.4}, 1),
    ],
)
def test_each_way_goes_over_a_batch_as_often_as_it_says_and_repeats_itself(
    tmp_path: Path, changes: dict[str, Any], passes: int
) -> None:
    found = []
    for name in ("one", "two"):
        summary = run(spec_of(tmp_path / name, recipe=replace(SHORT, **changes), dev=None))
        assert summary["passes"] == passes * summary["steps"]
        found.append([record["loss"] for record in records(tmp_path / name / "run", "step")])
    assert found[0] == found[1]


def test_an_attack_finds_a_worse_place_and_stays_near(tmp_path: Path) -> None:
    import torch

    from worker.engine.tuning.hardening.attacks import Attack
    from worker.engine.tuning.training import Training

    spec = spec_of(tmp_path, recipe=replace(SHORT, dropout=0.0))
    training = _started(spec, Training)
    ready = training.ready
    batch = ready.objective.collate(ready.features[:8], training=True)
    attack = Attack(ready.passes, batch)
    losses = [attack.loss()]
    for _step in range(3):
        attack.climb(attack.gradient(losses[-1]), 0.2, 0.3)
        losses.append(attack.loss())
    assert losses[-1].total > losses[0].total
    assert attack._added is not None
    assert attack._length is not None
    assert (attack._added.flatten(1).norm(dim=1) <= 0.3001 * attack._length.flatten()).all()
    # What fills a row up is not moved.
    assert not torch.any(attack._added[batch.inputs["attention_mask"] == 0])


def test_of_several_ways_to_mistype_a_row_the_worst_is_learned(tmp_path: Path) -> None:
    import torch

    from worker.engine.tuning.hardening import worst_of_k
    from worker.engine.tuning.training import Training

    passes = _started(spec_of(tmp_path, recipe=SHORT), Training).ready.passes
    features = passes.objective.encode(passes.rows[:8], training=False)
    batch = passes.objective.collate(features, training=True)
    forms = [worst_of_k._mistyped(passes, batch, 0.5, (7, number)) for number in range(3)]
    assert any(list(new.ids) != list(old.ids) for form in forms for new, old in zip(form, features, strict=True))
    # A run that goes on from a checkpoint has counted as many passes, and makes the same slips.
    again = worst_of_k._mistyped(passes, batch, 0.5, (7, 2))
    assert [list(feature.ids) for feature in again] == [list(feature.ids) for feature in forms[2]]
    found = worst_of_k._worst(passes, forms)
    passes.attached.model.eval()
    losses = torch.stack([worst_of_k._losses(passes, form) for form in forms])
    assert len({tuple(column.tolist()) for column in losses.T}) > 1
    assert torch.allclose(worst_of_k._losses(passes, found), losses.amax(dim=0), atol=1e-5)


def _started(spec: Any, kind: type[Any]) -> Any:
    from io import StringIO

    from worker.engine.progress import Progress
    from worker.engine.repeating import repeatable

    repeatable(3, 1)
    folder = Path(spec.out_dir)
    folder.mkdir()
    return kind(spec, Progress(StringIO()), folder)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"mixup": 0.2, "harden": "fgm"}, "choose one"),
        ({"harden": "fgm", "harden_options": {"size": 1.0}}, "no option size"),
        ({"harden": "pgd", "harden_options": {"steps": 50}}, "must be 1 to 10"),
        ({"harden": "worst_of_k", "harden_options": {"count": 0}}, "must be 1 to 16"),
    ],
)
def test_what_makes_no_sense_is_refused(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(EngineError, match=message):
        run(spec_of(tmp_path, recipe=replace(SHORT, **changes)))
