"""The best verified score that lists show: public, of today's weights, and gone when it is no longer true."""

import pytest

from models_hub import publishing
from models_hub.models import Repo
from portal.models import Event
from tests.evaluating import make_benchmark, make_evaluation
from tests.leaderboard import scored
from worker.consumers import CONSUMERS, best_scores

pytestmark = pytest.mark.django_db


def best(repo: Repo) -> float | None:
    """The score as it is kept, after the reactions to all that happened."""
    for event in Event.objects.order_by("pk"):
        if best_scores.tell in CONSUMERS.get(event.kind, ()):
            best_scores.tell(event)
    return Repo.objects.values_list("best_score", flat=True).get(pk=repo.pk)


@pytest.fixture
def evaluation(make_repo, alice):
    return scored.record(make_evaluation(make_repo, alice, make_benchmark(make_repo, alice)), scored.scores(0.8))


def test_a_score_is_kept_with_what_guessing_reaches_taken_off(evaluation, client):
    assert best(evaluation.model) == pytest.approx(60)
    answer = client.get("/models", {"scored": "yes", "sort": "score"})
    assert [repo.pk for repo in answer.context["page"].repos] == [evaluation.model_id]


def test_a_score_on_hidden_data_is_not_shown(evaluation, alice):
    data = evaluation.benchmark.dataset
    publishing.set_private(data, by=alice, private=True)
    assert best(evaluation.model) is None
    publishing.set_private(data, by=alice, private=False)
    assert best(evaluation.model) == pytest.approx(60)


def test_a_score_goes_with_the_data_and_with_the_weights_that_earned_it(evaluation, alice):
    publishing.commit(
        repo=evaluation.model, by=alice, changes=[publishing.Delete("model.safetensors")], title="Other weights"
    )
    assert best(evaluation.model) is None


def test_a_score_goes_with_its_benchmark(evaluation, alice):
    publishing.delete_repo(evaluation.benchmark.dataset, by=alice)
    assert best(evaluation.model) is None
