"""The jobs `pick_rows` and `write_labels` in real sandboxes: from rows without an answer to a version with them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from models_hub import browsing
from models_hub.adapting import annotating, queues
from models_hub.adapting.queues import QueueWish
from models_hub.models import AnnotationQueue, AnnotationRow, Repo
from portal.models import Job, User
from tests.tuning import make_base
from tests.worker.performing import perform

pytestmark = pytest.mark.django_db(transaction=True)
MakeRepo = Callable[..., Repo]
WORDS = ("apple", "river", "stone", "cloud", "music", "train", "paper", "horse")
OPEN = "".join(json.dumps({"text": f"{word} {word}s", "label": None}) + "\n" for word in WORDS)
LINES = '{"text": "good", "label": "positive"}\n' + OPEN


@pytest.fixture(autouse=True)
def scratch(settings: Any, tmp_path: Path) -> None:
    settings.FAKE_ENGINE, settings.SCRATCH_DIR = True, str(tmp_path / "scratch")


@pytest.fixture
def data(make_repo: MakeRepo, alice: User) -> Repo:
    return make_repo(alice, "moods", kind="dataset", files={"train.jsonl": LINES})


def ask(by: User, **changes: Any) -> AnnotationQueue:
    wish = {"task": "text-classification", "data": "alice/moods", "path": "train.jsonl", "count": 4, **changes}
    return queues.ask(QueueWish(**wish), by=by)


def work(job_id: int | None) -> Job:
    assert job_id is not None
    perform(job_id)
    return Job.objects.get(pk=job_id)


def filled(by: User, **changes: Any) -> AnnotationQueue:
    queue = ask(by, **changes)
    job = work(queue.job_id)
    assert job.state == "succeeded", job.reason_text
    return AnnotationQueue.objects.shown().get(pk=queue.pk)


def written(queue: AnnotationQueue, by: User, *, as_pull: bool = False) -> AnnotationQueue:
    job = work(queues.write(queue, by=by, as_pull=as_pull).pk)
    assert job.state == "succeeded", job.reason_text
    return AnnotationQueue.objects.shown().get(pk=queue.pk)


def content(data: Repo, revision: str = "main") -> list[str]:
    commit = browsing.resolve_revision(Repo.objects.get(pk=data.pk), revision)
    return browsing.read(data, browsing.find(data, commit, "train.jsonl"), 10_000).decode().splitlines()


def answer(queue: AnnotationQueue, by: User, value: str) -> AnnotationRow:
    row = annotating.take(queue, by=by)
    assert row is not None
    annotating.answer(queue, row.position, value, by=by)
    return row


def test_rows_go_from_a_model_over_people_into_the_data_set(make_repo: MakeRepo, alice: User, data: Repo) -> None:
    make_base(make_repo, alice)
    queue = filled(alice, base="alice/bert", labels=["negative", "positive"])
    rows = list(queue.rows.order_by("position"))
    assert [row.doubt for row in rows] == sorted((row.doubt for row in rows), reverse=True)
    assert len(rows) == 4
    assert all(row.guess["value"] in queue.labels for row in rows)
    assert (queue.report["rows"], queue.report["known"], queue.report["open"]) == (9, 1, 8)
    row = answer(queue, alice, "negative")
    done = written(queue, alice)
    assert (done.written["written"], done.written["pull"]) == (1, None)
    after = content(data)
    assert json.loads(after[row.line - 1]) == {**row.question, "label": "negative"}
    assert [line for number, line in enumerate(after, start=1) if number != row.line] == [
        line for number, line in enumerate(LINES.splitlines(), start=1) if number != row.line
    ]
    assert queues.ready(done) == 0


def test_a_stranger_proposes_the_labels(alice: User, bob: User, data: Repo) -> None:
    queue = filled(bob, labels=["negative", "positive"])
    assert all(row.guess == {} for row in queue.rows.all())
    row = answer(queue, bob, "positive")
    done = written(queue, bob, as_pull=True)
    assert content(data) == LINES.splitlines()
    proposed = content(data, f"refs/pr/{done.written['pull']}")
    assert json.loads(proposed[row.line - 1])["label"] == "positive"


def test_a_queue_without_anything_to_ask_says_so(make_repo: MakeRepo, alice: User) -> None:
    make_repo(alice, "moods", kind="dataset", files={"train.jsonl": '{"text": "good", "label": "positive"}\n'})
    job = work(ask(alice).job_id)
    assert (job.state, job.reason_code) == ("failed", "nothing_open")


def test_labels_that_nobody_names_are_asked_for(alice: User, data: Repo) -> None:
    job = work(ask(alice).job_id)
    assert (job.state, job.reason_code) == ("failed", "no_labels")


def test_a_job_for_what_the_owner_may_no_longer_read_ends(alice: User, bob: User, data: Repo) -> None:
    queue = ask(bob, labels=["a", "b"])
    Repo.objects.filter(pk=data.pk).update(private=True)
    assert work(queue.job_id).state == "failed"
    assert not AnnotationRow.objects.exists()
