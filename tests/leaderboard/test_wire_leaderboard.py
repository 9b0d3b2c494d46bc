"""The scores on a data set as clients of the Hub read its leaderboard."""

import pytest
from django.utils import timezone
from huggingface_hub.hf_api import DatasetLeaderboardEntry

from leaderboard.models import Evaluation, Standing
from models_hub import publishing
from models_hub.changes import PutFile
from models_hub.models import Repo
from tests.evaluating import make_benchmark, make_evaluation
from tests.leaderboard.scored import record, scores
from tests.models_hub.wire import Wire

ADDRESS = "/api/datasets/alice/mood/leaderboard"


@pytest.fixture
def benchmark(alice, make_repo):
    return make_benchmark(make_repo, alice)


def board(query: str = "", token: str | None = None) -> list[DatasetLeaderboardEntry]:
    return [DatasetLeaderboardEntry(**row) for row in Wire(token).get(ADDRESS + query).json()]


def test_a_client_reads_who_reached_what_and_where_it_was_computed(
    benchmark, alice, bob, make_repo, django_assert_max_num_queries
):
    for owner, name, value in ((alice, "small", 0.6), (bob, "good", 0.9)):
        record(make_evaluation(make_repo, owner, benchmark, name), scores(value))
    with django_assert_max_num_queries(4):
        first, second = board()
    assert (first.rank, first.model_id, first.value, first.verified) == (1, "bob/good", 0.9, True)
    assert (second.rank, second.model_id, second.author.username) == (2, "alice/small", "alice")
    assert first.filename == ".eval_results/alice--mood.yaml"
    evaluation = Evaluation.objects.get(model__name="good")
    assert first.source["url"] == f"http://portal.example{evaluation.get_absolute_url()}"


def test_models_that_name_a_base_model_are_there_for_who_asks_for_them(benchmark, bob, make_repo):
    evaluation = record(make_evaluation(make_repo, bob, benchmark), scores(0.9))
    card = PutFile("README.md", b"---\nlicense: mit\nbase_model: alice/other\n---\n")
    publishing.commit(repo=evaluation.model, by=bob, changes=[card], title="Name the base")
    assert board() == []
    assert [entry.model_id for entry in board("?base_model=False")] == ["bob/bert"]


def test_only_the_newest_score_of_a_model_counts(benchmark, bob, make_repo):
    old = record(make_evaluation(make_repo, bob, benchmark), scores(0.9))
    Evaluation.objects.filter(pk=old.pk).update(seed=7)
    new = Evaluation.objects.get(pk=old.pk)
    new.pk, new.seed, new.job, new.value, new.finished_at = None, 8, None, 0.5, timezone.now()
    new.save()
    assert [entry.value for entry in board()] == [0.5]


def test_what_is_private_is_on_no_board_and_what_is_no_benchmark_has_none(benchmark, alice, bob, make_repo, token_of):
    evaluation = record(make_evaluation(make_repo, bob, benchmark), scores(0.9))
    Repo.objects.filter(pk=evaluation.model_id).update(private=True)
    assert board(token=token_of(bob)) == []
    make_repo(alice, "rows", kind="dataset")
    answer = Wire().get("/api/datasets/alice/rows/leaderboard")
    assert (answer.status_code, answer.get("X-Error-Code")) == (404, None)
    benchmark.standing = Standing.PROPOSED
    benchmark.save()
    assert Wire().get(ADDRESS).status_code == 404
    assert Wire().get("/api/datasets/alice/none/leaderboard")["X-Error-Code"] == "RepoNotFound"
