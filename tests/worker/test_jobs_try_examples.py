"""Own examples, tried on models in real sandboxes with the engine's stand-in."""

from pathlib import Path

import pytest

from leaderboard.finding import outcome, trying
from leaderboard.models import Benchmark, Contender, Evaluation, ExampleSet
from models_hub.models import Repo
from tests.evaluating import TEXTS, model_files
from tests.worker.performing import perform

pytestmark = pytest.mark.django_db(transaction=True)
EXAMPLES = "text,label\n" + "".join(f"{text} {number},{label}\n" for number in range(6) for text, label in TEXTS)


@pytest.fixture(autouse=True)
def scratch(settings, tmp_path: Path) -> None:
    settings.FAKE_ENGINE = True
    settings.SCRATCH_DIR = str(tmp_path / "scratch")


def begin(by, *models: Repo) -> ExampleSet:
    return trying.begin(by=by, title="Mine", task="text-classification", text=EXAMPLES, models=models)


def test_a_model_is_tried_on_own_examples_and_nothing_public_knows(make_repo, alice) -> None:
    examples = begin(alice, make_repo(alice, "a", files=model_files(1.0)))
    perform(examples.contenders.get().job.pk)
    found = examples.contenders.select_related("model", "job").get()
    assert found.job.state == "succeeded", found.job.reason_text
    assert len(found.items) == len(found.answers) == 24
    assert found.low <= found.value == sum(found.items) / 24 <= found.high
    assert set(found.answers) <= {"positive", "negative"}
    assert outcome.of(examples, [found]).chosen.contender == found
    assert not found.job.lines.filter(text__contains="good").exists()
    assert not Evaluation.objects.exists()
    assert not Benchmark.objects.exists()
    assert not Repo.objects.filter(best_score__isnull=False).exists()


def test_examples_that_are_deleted_take_the_answers_and_the_jobs_with_them(make_repo, alice) -> None:
    examples = begin(alice, make_repo(alice, "a", files=model_files(1.0)))
    job = examples.contenders.get().job
    trying.forget(examples, by=alice)
    assert not Contender.objects.exists()
    job.refresh_from_db()
    assert job.state == "cancelled"
