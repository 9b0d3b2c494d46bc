"""Storing a score: whole and finite, with the end of its job, or not at all."""

import json
import math
from collections.abc import Callable

import pytest

from leaderboard.models import Evaluation
from leaderboard.recipes import recipe_of
from leaderboard.recording import BadScores
from models_hub.models import Repo
from portal.models import Event, Job, LeaseLost, User
from tests.evaluating import make_benchmark, make_evaluation
from tests.leaderboard import scored
from worker.engine.recipe import evaluate_spec, parse_recipe

pytestmark = pytest.mark.django_db


@pytest.fixture
def evaluation(make_repo: Callable[..., Repo], alice: User) -> Evaluation:
    return make_evaluation(make_repo, alice, make_benchmark(make_repo, alice))


def test_a_score_is_stored_with_the_end_of_its_job(evaluation: Evaluation) -> None:
    scored.record(evaluation, scored.scores(0.8))
    assert (evaluation.value, evaluation.low, evaluation.high, evaluation.n) == (0.8, 0.75, 0.8500000000000001, 20)
    assert (evaluation.device, evaluation.threads, evaluation.truncated) == ("cpu", 2, 1)
    assert (evaluation.state, evaluation.job.state) == ("succeeded", "succeeded")
    assert evaluation.job.result["url"] == f"/evaluations/{evaluation.pk}"
    assert Event.objects.filter(kind="evaluation.completed").count() == 1


def test_a_lost_lease_undoes_everything(evaluation: Evaluation, monkeypatch: pytest.MonkeyPatch) -> None:
    job = scored.claimed(evaluation)
    Job.objects.filter(pk=job.pk).update(fence=9)
    monkeypatch.setattr(scored, "claimed", lambda _evaluation: job)
    with pytest.raises(LeaseLost):
        scored.record(evaluation, scored.scores(0.8))
    evaluation.refresh_from_db()
    assert not evaluation.is_finished
    assert evaluation.value is None


@pytest.mark.parametrize("value", [math.nan, math.inf, True, "0.9", None])
def test_what_is_no_number_is_no_score(evaluation: Evaluation, value: object) -> None:
    found = scored.scores(0.8)
    found["primary"]["value"] = value
    with pytest.raises(BadScores):
        scored.record(evaluation, found)
    evaluation.refresh_from_db()
    assert not evaluation.is_finished


def test_a_metric_that_is_no_number_spoils_the_score(evaluation: Evaluation) -> None:
    found = scored.scores(0.8)
    found["metrics"]["mcc"] = {"value": 0.1, "low": -math.inf}
    with pytest.raises(BadScores):
        scored.record(evaluation, found)


def test_a_report_is_bounded_plain_data(evaluation: Evaluation) -> None:
    report = {"device": "x" * 9999, "threads": -1, "note": "y" * 9999, "speed": math.inf, "deep": [[[[["too"]]]]]}
    scored.record(evaluation, scored.scores(0.8), report)
    assert evaluation.threads is None
    assert len(evaluation.report["note"]) == 200
    assert evaluation.report["speed"] is None
    assert "too" not in json.dumps(evaluation.report)


def test_the_recipe_is_what_the_engine_reads(evaluation: Evaluation) -> None:
    scored.record(evaluation, scored.scores(0.8))
    raw = json.loads(json.dumps(recipe_of(evaluation, endpoint="http://portal")))
    recipe, spec = parse_recipe({"recipe": raw})
    asked = evaluate_spec(spec, model_dir="m", inputs="i", out_dir="o")
    assert (recipe.model.repo, recipe.model.commit) == ("alice/bert", evaluation.commit_oid)
    assert (recipe.score.bootstrap, recipe.score.primary) == (200, "f1_macro")
    assert recipe.expected.primary.value == 0.8
    assert asked.settings["labels"] == ["negative", "positive"]
    assert (asked.max_length, asked.threads, asked.device) == (64, 2, "cpu")
