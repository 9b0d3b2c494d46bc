"""The job kind `evaluate`, in real sandboxes with the engine's stand-in."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from leaderboard.models import Evaluation
from models_hub import contents
from models_hub.models import Repo
from portal.models import Event, User
from tests.evaluating import make_benchmark, make_evaluation
from worker.running import perform

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def stand_in(settings, tmp_path: Path) -> None:
    settings.FAKE_ENGINE = True
    settings.SCRATCH_DIR = str(tmp_path / "scratch")


def run(evaluation: Evaluation) -> Evaluation:
    assert evaluation.job is not None
    perform(evaluation.job.pk)
    return Evaluation.objects.select_related("job", "benchmark").get(pk=evaluation.pk)


def test_a_model_gets_a_score_with_interval_and_provenance(make_repo: Callable[..., Repo], alice: User) -> None:
    evaluation = run(make_evaluation(make_repo, alice, make_benchmark(make_repo, alice)))
    assert evaluation.job.state == "succeeded", (evaluation.job.reason_text, list(evaluation.job.lines.all()))
    assert evaluation.value == evaluation.metrics["f1_macro"]["value"]
    assert evaluation.low <= evaluation.value <= evaluation.high
    assert evaluation.n == 20
    assert set(evaluation.provenance["model"]["files"]) == {"config.json", "tokenizer.json", "model.safetensors"}
    assert evaluation.provenance["dataset"]["sha256"] == evaluation.benchmark.data_sha256
    assert evaluation.versions["python"]
    assert Event.objects.filter(kind="evaluation.completed", subject=f"evaluation:{evaluation.pk}").count() == 1
