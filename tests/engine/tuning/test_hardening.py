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
    ],
)
def test_what_makes_no_sense_is_refused(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(EngineError, match=message):
        run(spec_of(tmp_path, recipe=replace(SHORT, **changes)))
