"""The job kind `finetune`, in real sandboxes with the engine's stand-in: the whole way, and what may go wrong on it."""

import errno
import json
import os
import tarfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from models_hub import browsing
from models_hub.adapting import asking, ending, following, studies, wishes
from models_hub.models import Blob, Repo, Run, RunPoint, Study
from portal.errors import InvalidInput
from portal.models import Job, User
from tests.evaluating import model_files
from tests.tuning import ask, make_base, make_data, rows, wish
from tests.worker.performing import perform
from worker import followed
from worker.attempts import Attempt
from worker.engine.tuning.contracts import CHECKPOINT_DIR, LOG_FILE
from worker.jobs import before_and_after, finetune
from worker.relay import deliver_events

pytestmark = pytest.mark.django_db(transaction=True)
MakeRepo = Callable[..., Repo]
SPACE = {"lr": {"type": "float", "low": 1e-5, "high": 1e-1, "log": True}}


@pytest.fixture(autouse=True)
def scratch(settings, tmp_path: Path) -> Path:
    settings.FAKE_ENGINE = True
    settings.SCRATCH_DIR = str(tmp_path / "scratch")
    return tmp_path / "scratch"


@pytest.fixture
def data(make_repo: MakeRepo, alice: User) -> Repo:
    return make_data(make_repo, alice)


def work(run: Run) -> Run:
    assert run.job_id is not None
    perform(run.job_id)
    return Run.objects.select_related("job", "result__namespace", "checkpoint", "owner").get(pk=run.pk)


def files_of(repo: Repo) -> dict[str, bytes]:
    commit = browsing.resolve_revision(repo, "main")
    entries = [one for one in browsing.list_folder(repo, commit, recursive=True) if not one.is_folder]
    return {entry.path: browsing.read(repo, entry, 1_000_000) for entry in entries}


def test_a_run_ends_as_a_private_model_with_its_history(
    make_repo: MakeRepo, alice: User, data: Repo, scratch: Path
) -> None:
    make_base(make_repo, alice)
    run = work(ask(alice, recipe={"lr": 0.001}))
    assert run.job.state == "succeeded", run.job.reason_text
    assert run.result.full_name == "alice/tuned"
    assert run.result.private
    files = files_of(run.result)
    assert {"config.json", "model.safetensors", "tokenizer.json", "training/recipe.json", "training/log.jsonl"} <= set(
        files
    )
    assert run.scores["after"]["n"] == 6
    assert run.scores["paired"]["n"] == 6  # the stand-in's base knows the labels, so that both are compared
    assert run.value == 0.9
    assert run.data_report["rows"] == {"train": 48, "dev": 6, "test": 6}
    assert RunPoint.objects.filter(run=run, kind="step").count() == 10
    card = files["README.md"].decode()
    assert "base_model:\n- alice/bert" in card
    assert "alice/moods" in card
    assert json.loads(files["training/recipe.json"])["wish"]["recipe"]["lr"] == 0.001
    assert not list(scratch.glob("job-*"))


def test_teachers_and_those_who_write_rows_otherwise_are_there_while_a_model_learns(
    make_repo: MakeRepo, alice: User, data: Repo
) -> None:
    make_base(make_repo, alice)
    make_base(make_repo, alice, "large")
    marian = json.dumps({"model_type": "marian", "architectures": ["MarianMTModel"]})
    make_repo(alice, "translator", files=model_files() | {"config.json": marian})
    named = {"there": {"model": "alice/translator"}, "back": {"model": "alice/translator"}}
    run = work(ask(alice, recipe={"augment_back": True}, teacher={"model": "alice/large"}, helpers=named))
    assert run.job.state == "succeeded", run.job.reason_text
    recipe = json.loads(files_of(run.result)["training/recipe.json"])
    assert recipe["wish"]["teacher"]["model"] == "alice/large"
    assert recipe["wish"]["helpers"]["there"]["model"] == "alice/translator"
    assert "alice/translator" in files_of(run.result)["README.md"].decode()


def test_rows_that_nobody_labelled_are_read_without_those_of_the_test_part(
    make_repo: MakeRepo, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_base(make_repo, alice)
    lines = [json.loads(line) for line in rows(30).splitlines()]
    bare = "".join(json.dumps({"text": line["text"]}) + "\n" for line in [*lines[:4], {"text": "new one"}])
    files = {"train.jsonl": rows(30), "test.jsonl": rows(4), "bare.jsonl": bare}
    make_repo(alice, "moods", kind="dataset", files=files)
    pooled: list[str] = []
    real = finetune.run_verb

    def spy(attempt: Any, what: Any, **options: Any) -> Any:
        if what.verb == "finetune":
            pooled.extend(Path(what.spec.unlabelled).read_text("utf-8").splitlines())
        return real(attempt, what, **options)

    monkeypatch.setattr(finetune, "run_verb", spy)
    named = {"dataset": "alice/moods", "file": "bare.jsonl"}
    split = {"train": "train.jsonl", "test": "test.jsonl"}
    run = work(ask(alice, recipe={"pseudo_rounds": 1}, unlabelled=named, files=split))
    assert run.job.state == "succeeded", run.job.reason_text
    assert [json.loads(line)["text"] for line in pooled] == ["new one"]


def test_the_name_of_a_model_that_is_there_gets_a_pull_request(make_repo: MakeRepo, alice: User, data: Repo) -> None:
    base = make_base(make_repo, alice)
    run = work(ask(alice, target="alice/bert"))
    assert run.job.state == "succeeded", run.job.reason_text
    assert (run.result, run.result_pull) == (base, 1)
    assert "training/recipe.json" not in files_of(base)


def test_the_data_alone_is_checked_when_that_is_asked_for(make_repo: MakeRepo, alice: User, data: Repo) -> None:
    make_base(make_repo, alice)
    run = work(ask(alice, only_check=True))
    assert run.job.state == "succeeded"
    assert run.data_report["labels"]["train"] == {"negative": 24, "positive": 24}
    assert run.result is None
    assert not Repo.objects.filter(name="tuned").exists()


def test_data_that_cannot_be_learned_ends_the_run_and_says_why(make_repo: MakeRepo, alice: User) -> None:
    make_base(make_repo, alice)
    longer_than_looked_at_before = f"word {'and so on ' * 500}"
    lines = "".join(
        json.dumps({"text": f"{n} {longer_than_looked_at_before}", "label": "only"}) + "\n" for n in range(60)
    )
    make_repo(alice, "moods", kind="dataset", files={"train.jsonl": lines})
    run = work(ask(alice))
    assert (run.job.state, run.job.reason_code) == ("failed", "bad_data")
    assert "nothing to tell apart" in run.job.reason_text
    assert "benchmark" not in run.job.reason_text


def test_findings_that_forbid_training_are_kept_with_the_run(make_repo: MakeRepo, alice: User) -> None:
    make_base(make_repo, alice)
    lines = rows(20) + "".join(json.dumps({"text": "", "label": "positive"}) + "\n" for _n in range(40))
    make_repo(alice, "moods", kind="dataset", files={"train.jsonl": lines})
    run = work(ask(alice))
    assert (run.job.state, run.job.reason_code) == ("failed", "data_refused")
    found = {finding["code"]: finding for finding in run.data_report["findings"]}
    assert found["too_many_empty"]["count"] == 40


def test_a_killed_child_is_followed_by_one_that_goes_on_unless_the_engine_computes_otherwise(
    make_repo: MakeRepo, alice: User, data: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(followed, "KEEP_EVERY", 0.0)
    make_base(make_repo, alice, die_at=7, die_after=1.5)
    run = work(ask(alice, recipe={"lr": 0.001}))
    assert run.job.state == "queued"
    assert run.checkpoint_step == 5
    assert run.checkpoint is not None
    Job.objects.filter(pk=run.job_id).update(not_before=None)
    with monkeypatch.context() as updated:
        updated.setattr(followed, "ARITHMETIC", followed.ARITHMETIC + 1)
        run = work(run)
    assert run.job.state == "queued"  # only one that began anew dies
    Job.objects.filter(pk=run.job_id).update(not_before=None)
    run = work(run)
    assert run.job.state == "succeeded", run.job.reason_text
    steps = list(RunPoint.objects.filter(run=run, kind="step").order_by("seq").values_list("data__step", flat=True))
    assert steps == list(range(1, 11))
    assert run.checkpoint is None


def test_a_full_disk_ends_no_training_and_gives_up_nothing_learned(
    make_repo: MakeRepo, alice: User, data: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_base(make_repo, alice)
    run, folder, aside = ask(alice), tmp_path / "out", tmp_path / "aside"
    assert run.job_id is not None
    job = Job.claim(run.job_id, worker="w", lease=timedelta(minutes=1))
    assert job is not None
    (folder / CHECKPOINT_DIR).mkdir(parents=True)
    aside.mkdir()
    (folder / CHECKPOINT_DIR / followed.STATE).write_text('{"step": 3}')
    (folder / LOG_FILE).write_text('{"seq": 0, "kind": "step", "step": 3}\n')
    watched = followed.Followed(Attempt(job), run, folder, aside, max_bytes=10_000)

    def full(*_arguments: Any, **_options: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as short:
        short.setattr(os, "fsync", full)
        watched.look(at_once=True)
    run.refresh_from_db()
    assert (run.checkpoint, list(aside.iterdir())) == (None, [])
    watched.look(at_once=True)
    run.refresh_from_db()
    assert (run.checkpoint_step, list(aside.iterdir())) == (3, [])
    again = followed.Followed(Attempt(job), run, tmp_path / "again", aside, max_bytes=10_000)
    monkeypatch.setattr(tarfile.TarFile, "extractall", full)
    with pytest.raises(OSError, match="No space"):
        again.restore()
    assert RunPoint.objects.filter(run=run).exists()


def test_an_owner_who_may_no_longer_read_the_data_gets_nothing_of_it(
    make_repo: MakeRepo, alice: User, bob: User, data: Repo
) -> None:
    make_base(make_repo, alice)
    run = ask(bob, target="bob/tuned")
    Repo.objects.filter(pk=data.pk).update(private=True)
    run = work(run)
    assert (run.job.state, run.job.reason_code) == ("failed", "closed")


def test_data_that_was_closed_during_the_training_keeps_the_result_back_until_it_is_open_again(
    make_repo: MakeRepo, alice: User, bob: User, data: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_base(make_repo, alice)
    run, measure = ask(bob, target="bob/tuned"), before_and_after.measure

    def close(*arguments: Any) -> dict[str, Any]:
        Repo.objects.filter(pk=data.pk).update(private=True)
        return measure(*arguments)

    monkeypatch.setattr(before_and_after, "measure", close)
    run = work(run)
    assert (run.job.state, run.job.reason_code, run.result) == ("failed", "closed", None)
    run = work(asking.ask_again(run, by=bob))
    assert (run.job.kind, run.job.reason_code) == ("publish_run", "closed")
    Repo.objects.filter(pk=data.pk).update(private=False)
    run = work(asking.ask_again(run, by=bob))
    assert run.result is not None, run.job.reason_text


def test_a_failed_run_can_be_tried_again_and_a_finished_one_cannot(
    make_repo: MakeRepo, alice: User, data: Repo
) -> None:
    make_base(make_repo, alice, error="training_failed", message="The loss is not a number any more.")
    run = work(ask(alice))
    assert (run.job.state, run.job.reason_code) == ("failed", "training_failed")
    first = run.job_id
    again = asking.ask_again(run, by=alice)
    assert again.job_id != first
    with pytest.raises(InvalidInput):
        asking.ask_again(again, by=alice)


def test_a_worker_without_storage_hands_the_model_over(make_repo: MakeRepo, alice: User, data: Repo, settings) -> None:
    make_base(make_repo, alice)
    run = ask(alice)
    found = work(run)
    assert found.result is not None
    other = ask(alice, target="alice/other")
    packed = Blob.objects.order_by("-pk").first()
    job = Job.claim(other.job_id, worker="far", lease=timedelta(minutes=1))
    next_job = ending.hand_over(other, job=job, packed=packed, found={"summary": {"steps": 1}})
    assert (next_job.kind, next_job.needs) == ("publish_run", {"store": True})
    other.refresh_from_db()
    assert other.job_id == next_job.pk
    assert not other.is_finished


def study_of(alice: User, **plan: object) -> Study:
    return studies.ask(wishes.read(wish(target="alice/best")), SPACE, {"trials": 6, "parallel": 2, **plan}, by=alice)


def work_off(study: Study) -> None:
    """Run what is queued and deliver what happened, until nothing more comes."""
    for _round in range(40):
        deliver_events()
        job = Job.objects.filter(state="queued").order_by("pk").first()
        if job is None:
            return
        perform(job.pk)
    raise AssertionError("the study does not end")


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The folders of the models that were asked the test part, in order: "base" or "judged"."""
    names: list[str] = []
    real = before_and_after.run_verb

    def spy(attempt: Any, what: Any, **options: Any) -> Any:
        if what.verb == "evaluate":
            names.append("base" if Path(what.spec.model_dir).name == "base" else "judged")
        return real(attempt, what, **options)

    monkeypatch.setattr(before_and_after, "run_verb", spy)
    return names


def test_a_search_tries_keeps_the_best_and_publishes_it(
    make_repo: MakeRepo, alice: User, data: Repo, asked: list[str]
) -> None:
    make_base(make_repo, alice)
    study = study_of(alice, pruner="none")
    work_off(study)
    assert (asked.count("base"), asked.count("judged")) == (1, 6)
    scores = [run.scores for run in study.runs.all()]
    assert all(one["before"] == scores[0]["before"] and one["paired"]["n"] == 6 for one in scores)
    study.refresh_from_db()
    assert study.state == "finished"
    assert study.runs.count() == 6
    values = list(study.runs.values_list("value", flat=True))
    best = studies.best_of(study)
    assert best is not None
    assert best.value == max(values)
    assert study.importances == {"lr": 1.0}
    assert [run.pk for run in study.runs.filter(checkpoint__isnull=False)] == [best.pk]
    assert not Repo.objects.filter(name__startswith="best").exists()
    ending.publish_trial(best)
    work_off(study)
    best.refresh_from_db()
    assert best.result is not None
    assert best.result.full_name == "alice/best"
    assert {"model.safetensors", "README.md"} <= set(files_of(best.result))


def test_a_search_survives_the_loss_of_a_look_and_of_a_trial(make_repo: MakeRepo, alice: User, data: Repo) -> None:
    make_base(make_repo, alice)
    study = study_of(alice, trials=4)
    deliver_events()
    perform(Job.objects.get(kind="search").pk)
    lost = study.runs.order_by("number").first()
    assert lost is not None
    Job.objects.filter(pk=lost.job_id).update(state="failed", reason_code="crashed")
    studies.look(study)
    work_off(study)
    study.refresh_from_db()
    assert study.state == "finished"
    assert study.runs.filter(value__isnull=False).count() == 3


def test_a_hopeless_trial_is_ended_early(make_repo: MakeRepo, alice: User, data: Repo) -> None:
    make_base(make_repo, alice)
    study = study_of(alice, trials=8)
    for number in range(1, 8):
        run = Run.objects.create(
            owner=alice, title="x", study=study, number=number, target="alice/best", task="text-classification"
        )
        value = 0.2 if number == 7 else 0.8
        looks = [{"seq": n, "kind": "step", "step": n, "steps": 10} for n in range(3)]
        looks += [{"seq": 3 + n, "kind": "dev", "step": n, "metrics": {"f1_macro": value}} for n in range(1, 3)]
        following.keep(run, looks)
        if number < 7:
            Run.objects.filter(pk=run.pk).update(finished_at=timezone.now(), value=value)
    assert studies.is_hopeless(run)
    good = study.runs.get(number=1)
    assert not studies.is_hopeless(good)


def test_a_study_can_be_stopped(make_repo: MakeRepo, alice: User, data: Repo) -> None:
    make_base(make_repo, alice)
    study = study_of(alice)
    deliver_events()
    perform(Job.objects.get(kind="search").pk)
    studies.stop(study, by=alice)
    work_off(study)
    study.refresh_from_db()
    assert study.state == "stopped"
    assert not Job.objects.unfinished().exists()
    assert study.runs.count() == 2
