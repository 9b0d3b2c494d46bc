"""Scores of bases are measured once: by whom, for whom, and what happens where an attempt is lost."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from models_hub.models import BaseScore, Repo, Run
from portal.models import Job, User
from tests.tuning import ask, make_base, make_data
from worker import base_scores
from worker.attempts import CANCELLED, Attempt, Stopped
from worker.engine.contracts import EvaluateSpec

pytestmark = pytest.mark.django_db
MakeRepo = Callable[..., Repo]
SCORE = {"n": 1, "primary": {"name": "accuracy", "value": 1.0}, "metrics": {}, "floors": {}}


class Asking:
    """One attempt at a run, as far as its base is concerned."""

    def __init__(self, run: Run, folder: Path, **spec: object) -> None:
        job = Job.claim(run.job_id, worker="worker", lease=timedelta(minutes=1))
        assert job is not None
        self.attempt, self.run, self.folder = (
            Attempt(job),
            Run.objects.select_related("base", "data").get(pk=run.pk),
            folder,
        )
        usual = EvaluateSpec(task=run.task, model_dir="x", inputs=str(folder / "questions"), out_dir="x", seed=run.seed)
        self.spec = replace(usual, **spec)
        self.answers = folder / "answers"

    def find(self) -> BaseScore:
        found = base_scores.find(self.attempt, self.run, self.spec, self.folder / "gold")
        assert found is not None
        return found

    def takes(self) -> bool:
        return base_scores.place(self.attempt, self.find(), self.answers)

    def measure(self, score: dict[str, object] | None = None) -> None:
        found = self.find()
        self.answers.write_text('{"id": "1", "label": "good"}\n' * 50)
        base_scores.keep(self.attempt, found, SCORE if score is None else score, self.answers)
        self.answers.unlink()


@pytest.fixture
def folder(make_repo: MakeRepo, alice: User, tmp_path: Path) -> Path:
    make_base(make_repo, alice)
    make_data(make_repo, alice)
    (tmp_path / "questions").write_text("q")
    (tmp_path / "gold").write_text("a")
    return tmp_path


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[Callable[[], object]]:
    """What happens while an attempt waits for another one, one thing each time it looks."""
    happens: list[Callable[[], object]] = []
    monkeypatch.setattr(base_scores, "wait", lambda _seconds: happens.pop(0)())
    return happens


def test_what_one_run_measured_the_next_one_takes(alice: User, folder: Path) -> None:
    first = Asking(ask(alice), folder)
    assert not first.takes()
    first.measure()
    second = Asking(ask(alice, recipe={"lr": 0.001}), folder, threads=2, model_dir="elsewhere")
    assert second.takes()
    assert second.find().score == SCORE
    assert second.answers.read_text() == '{"id": "1", "label": "good"}\n' * 50


@pytest.mark.parametrize("changed", ["questions", "gold", "seed", "max_length", "model", "person"])
def test_what_could_answer_otherwise_is_asked_itself(
    alice: User, bob: User, make_repo: MakeRepo, folder: Path, changed: str
) -> None:
    Asking(ask(alice), folder).measure()
    if changed in ("questions", "gold"):
        (folder / changed).write_text("others")
    options = {"seed": {"seed": 1}, "max_length": {"max_length": 16}}.get(changed, {})
    if changed == "model":
        make_base(make_repo, alice, "other", seconds=1)
    wish = {"model": {"base": "alice/other"}, "person": {"target": "bob/tuned"}}.get(changed, {})
    assert not Asking(ask(bob if changed == "person" else alice, **wish), folder, **options).takes()
    assert BaseScore.objects.count() == 2


def test_one_asks_and_the_others_wait(alice: User, folder: Path, waits: list[Callable[[], object]]) -> None:
    first, second = (Asking(ask(alice), folder) for _run in range(2))
    first.find()
    waits.extend([lambda: None, first.measure])
    assert second.takes()
    assert not waits
    assert BaseScore.objects.get().job_id == first.run.job_id


def test_the_next_one_asks_where_an_attempt_is_lost(
    alice: User, folder: Path, waits: list[Callable[[], object]]
) -> None:
    lost, second, third = (Asking(ask(alice), folder) for _run in range(3))
    row = lost.find()

    def lose() -> None:
        Job.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
        Job.objects.get(pk=lost.run.job_id).expire()

    waits.append(lose)
    assert not second.takes()
    assert not waits
    row.keep(score={"n": 0}, predictions=None, job=lost.attempt.job)  # it comes back, and nobody listens
    second.measure()
    assert third.find().score == SCORE
    # Its next attempt has another fence, and takes what is there.
    Job.objects.filter(pk=lost.run.job_id).update(not_before=None)
    assert Asking(lost.run, folder).takes()


def test_who_waits_can_be_cancelled(alice: User, folder: Path, waits: list[Callable[[], object]]) -> None:
    first, second = (Asking(ask(alice), folder) for _run in range(2))
    first.find()
    waits.append(lambda: second.attempt.stop(CANCELLED))
    with pytest.raises(Stopped):
        second.find()


def test_what_a_base_cannot_do_is_kept_too(alice: User, folder: Path) -> None:
    Asking(ask(alice), folder).measure({})
    second = Asking(ask(alice), folder)
    assert second.takes()
    assert second.find().score == {}
    assert not second.answers.exists()


def test_answers_too_many_to_keep_are_asked_for_again_and_nobody_waits(
    alice: User, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(base_scores, "MAX_PACKED", 10)
    first, second = (Asking(ask(alice), folder) for _run in range(2))
    first.measure()
    assert not second.takes()
    second.measure()
    assert BaseScore.objects.get().job_id == first.run.job_id


def test_what_is_not_used_is_forgotten(alice: User, folder: Path) -> None:
    row = Asking(ask(alice), folder).find()
    now, old = timezone.now(), timezone.now() - timedelta(days=31)
    names = {"owner": alice, "base": row.base, "data": row.data}
    kept = BaseScore.objects.create(**names, key="a", finished_at=old)
    BaseScore.objects.create(**names, key="b", finished_at=old, used_at=old)
    BaseScore.objects.create(**names, key="c")  # begun by a job of which nothing is left
    BaseScore.forget_old()
    assert set(BaseScore.objects.all()) == {row, kept}  # of one, an attempt is at it
    Job.objects.update(state="failed", finished_at=now)
    BaseScore.forget_old()
    assert BaseScore.objects.get() == kept
