"""The job kind `judge_entry`, in real sandboxes with the engine's stand-in."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from leaderboard.challenges import entering
from leaderboard.models import Challenge, Judgement
from models_hub import contents
from models_hub.models import Repo
from portal.models import Job, User
from tests.challenging import OPENS, clock, join, opened
from tests.evaluating import adapter_files, model_files
from tests.worker.performing import perform
from worker.jobs import evaluate

__all__ = ["clock"]
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def challenge(
    alice: User, bob: User, morgan: User, clock: Callable[..., None], settings: Any, tmp_path: Path
) -> Challenge:
    """One that is open, which bob has joined."""
    settings.FAKE_ENGINE, settings.SCRATCH_DIR = True, str(tmp_path / "scratch")
    made = opened(alice, morgan)
    clock(OPENS)
    join(made, bob)
    return made


def test_a_model_answers_without_the_answers_and_is_scored_on_both_parts(
    make_repo: Callable[..., Repo], bob: User, challenge: Challenge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    entry = entering.enter_model(challenge, make_repo(bob, "mine", files=model_files(), private=True), by=bob)
    beside: list[str] = []
    answer = evaluate.answer

    def watched(attempt: Any, evaluation: Any, places: Any) -> Any:
        beside.extend(str(path.relative_to(places.root)) for path in places.root.rglob("*") if path.is_file())
        return answer(attempt, evaluation, places)

    monkeypatch.setattr(evaluate, "answer", watched)
    perform(entry.job.pk)
    job = Job.objects.get(pk=entry.job_id)
    assert job.state == "succeeded", job.reason_text
    judgement = Judgement.objects.get(entry=entry)
    assert judgement.public["low"] <= judgement.public["value"] <= judgement.public["high"]
    assert len(b"".join(contents.stream(judgement.predictions)).splitlines()) == 40
    assert "answers" not in {path.split("/")[0] for path in beside}, "no answer is on the disk while a model runs"
    entry.refresh_from_db()
    assert entry.shown is not None
    assert job.result == {"url": "/challenges/moods/entries", "page": "/challenges/moods/entries"}
    assert not job.lines.exists()
    assert not list((tmp_path / "scratch").glob("job-*"))


def test_an_adapter_answers_on_its_base(
    make_repo: Callable[..., Repo], bob: User, challenge: Challenge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    make_repo(bob, "bert", files=model_files(), private=True)
    adapter = make_repo(bob, "tuned", files=adapter_files("bob/bert"), private=True)
    entry = entering.enter_model(challenge, adapter, by=bob)
    beside: list[str] = []
    answer = evaluate.answer

    def watched(attempt: Any, evaluation: Any, places: Any) -> Any:
        beside.extend(path.name for path in (places / "base").iterdir())
        assert evaluation.base == entry.base
        return answer(attempt, evaluation, places)

    monkeypatch.setattr(evaluate, "answer", watched)
    perform(entry.job.pk)
    job = Job.objects.get(pk=entry.job_id)
    assert job.state == "succeeded", job.reason_text
    assert set(beside) == {"config.json", "tokenizer.json", "model.safetensors"}
