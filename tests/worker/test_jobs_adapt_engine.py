"""Runs with the real engine, through their jobs: one that is killed, conversions and explanations, on tiny models."""

import os
import signal
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from models_hub import browsing
from models_hub.adapting import asking, converting, explaining, wishes
from models_hub.models import Repo, Run, RunPoint
from portal.models import Job, User
from tests.tuning import make_data
from tests.worker.performing import perform
from worker import followed
from worker.engine.tuning.contracts import FinetuneSpec
from worker.jobs import finetune
from worker.sandbox import watching

pytestmark = [pytest.mark.engine, pytest.mark.django_db(transaction=True)]
MakeRepo = Callable[..., Repo]
SIZES = {"hidden": 16, "layers": 1, "heads": 2, "intermediate": 16, "vocab_size": 120, "max_positions": 32}
RECIPE = {"epochs": 40, "batch_size": 8, "lr": 0.01}  # long enough to be killed in the middle
KILLED_AT = 6


@pytest.fixture(autouse=True)
def scratch(settings: Any, tmp_path: Path) -> None:
    settings.FAKE_ENGINE, settings.SCRATCH_DIR = False, str(tmp_path / "scratch")


@pytest.fixture
def data(make_repo: MakeRepo, alice: User) -> Repo:
    return make_data(make_repo, alice)


def work(job_id: int | None) -> Job:
    assert job_id is not None
    perform(job_id)
    return Job.objects.get(pk=job_id)


def train(alice: User, target: str) -> Run:
    sent = {
        "task": "text-classification", "data": "alice/moods", "files": {"train": "train.jsonl"}, "seed": 3,
        "architecture": {"model_type": "bert", **SIZES}, "recipe": RECIPE, "target": target, "test_share": 0.0,
    }  # fmt: skip
    return asking.ask(wishes.read(sent), by=alice)


def curve(run: Run) -> list[tuple[int, float]]:
    points = RunPoint.objects.filter(run=run, kind="step").order_by("seq")
    return [(data["step"], data["loss"]) for data in points.values_list("data", flat=True)]


def children_in(folder: str) -> list[int]:
    """The engine processes that were given a spec below the folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if folder.encode() in (process / "cmdline").read_bytes():
                found.append(int(process.name))
        except OSError:
            continue
    return found


def kill_once(monkeypatch: pytest.MonkeyPatch, settings: Any) -> list[int]:
    """Have the next child killed once a checkpoint behind some steps is kept, and every checkpoint written."""
    monkeypatch.setattr(followed, "KEEP_EVERY", 0.0)
    monkeypatch.setattr(followed, "READ_EVERY", 0.0)
    monkeypatch.setattr(watching, "CHECK_SECONDS", 0.02)
    keep = followed.Followed._keep
    monkeypatch.setattr(finetune, "FinetuneSpec", partial(FinetuneSpec, checkpoint_seconds=0.0))
    killed: list[int] = []

    def kept(self: followed.Followed) -> bool:
        is_kept = keep(self)
        if is_kept and not killed and Run.objects.get(pk=self._run.pk).checkpoint_step >= KILLED_AT:
            for child in children_in(settings.SCRATCH_DIR):
                os.kill(child, signal.SIGKILL)
                killed.append(child)
        return is_kept

    monkeypatch.setattr(followed.Followed, "_keep", kept)
    return killed


def test_a_killed_training_ends_as_one_that_was_not_and_what_it_made_is_converted_and_explained(
    alice: User, data: Repo, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    whole = train(alice, "alice/whole")
    assert work(whole.job_id).state == "succeeded"
    broken = train(alice, "alice/broken")
    killed = kill_once(monkeypatch, settings)
    assert work(broken.job_id).state == "queued"
    assert killed
    Job.objects.filter(run=broken).update(not_before=None)
    ended = work(broken.job_id)
    assert (ended.state, ended.attempt) == ("succeeded", 2), ended.reason_text
    steps, expected = curve(broken), curve(whole)
    assert [step for step, _loss in steps] == [step for step, _loss in expected]
    assert [loss for _step, loss in steps] == pytest.approx([loss for _step, loss in expected], abs=1e-6)
    one, other = (Run.objects.get(pk=run.pk) for run in (broken, whole))
    assert one.value == pytest.approx(other.value, abs=1e-6)
    assert blob_of(one) == blob_of(other)  # the same weights to the last bit
    # Each of these begins from a model, and training another one would take as long as all that is tested.
    exports(alice)
    makes_smaller(alice)
    explains(alice)


def blob_of(run: Run) -> str:
    assert run.result is not None
    entry = browsing.find(run.result, browsing.resolve_revision(run.result, "main"), "model.safetensors")
    assert entry.blob is not None
    return entry.blob.sha256


def exports(alice: User) -> None:
    asked = {"base": "alice/whole", "target": "alice/as-onnx", "format": "onnx", "precisions": ["fp32"]}
    exported = converting.ask(converting.read(asked), by=alice)
    job = work(exported.job_id)
    assert job.state == "succeeded", f"{job.reason_text} {list(job.lines.values_list('text', flat=True))}"
    exported.refresh_from_db()
    [name] = exported.summary["files"]
    assert exported.summary["files"][name]["check"]["max_abs_difference"] < 1e-3
    assert "onnx/model.onnx" in paths_of(exported)


def makes_smaller(alice: User) -> None:
    asked = {
        "base": "alice/whole", "target": "alice/smaller", "method": "quantize", "precisions": ["int8"],
        "task": "text-classification", "data": "alice/moods", "files": {"train": "train.jsonl"},
    }  # fmt: skip
    smaller = converting.ask(converting.read(asked), by=alice)
    job = work(smaller.job_id)
    assert job.state == "succeeded", f"{job.reason_text} {list(job.lines.values_list('text', flat=True))}"
    smaller.refresh_from_db()
    assert {"before", "int8"} <= {row["name"] for row in smaller.summary["table"]}
    assert all("value" in row["score"] for row in smaller.summary["table"])


def explains(alice: User) -> None:
    model = Repo.objects.get(name="whole")
    job = work(explaining.ask(model, {"text": "a good thing"}, by=alice, method="occlusion").pk)
    assert job.state == "succeeded", job.reason_text
    [(field, pieces)] = explaining.pieces_of(job.result)
    assert field == "text"
    assert [piece.text for piece in pieces if piece.weight is not None] == ["a", "good", "thing"]


def paths_of(run: Run) -> set[str]:
    assert run.result is not None
    commit = browsing.resolve_revision(run.result, "main")
    return {entry.path for entry in browsing.list_folder(run.result, commit, recursive=True)}
