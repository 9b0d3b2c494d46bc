"""Boards: normalised, honest about noise, public models only, flat in queries."""

from collections.abc import Callable

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from leaderboard import submitting, suites
from leaderboard.models import Benchmark, Suite
from leaderboard.ranking import Board, board_of
from models_hub import publishing
from models_hub.models import Repo
from models_hub.publishing import PutFile
from portal.models import User
from tests.evaluating import make_benchmark, model_files, safetensors
from tests.leaderboard.scored import renew, score

pytestmark = pytest.mark.django_db
MakeRepo = Callable[..., Repo]


@pytest.fixture
def mood(make_repo: MakeRepo, alice: User) -> Benchmark:
    return make_benchmark(make_repo, alice, "mood")


@pytest.fixture
def news(make_repo: MakeRepo, alice: User) -> Benchmark:
    return make_benchmark(make_repo, alice, "news")


@pytest.fixture
def suite(mood: Benchmark, news: Benchmark, morgan: User) -> Suite:
    return suites.create_suite(by=morgan, slug="small", title="Small", benchmarks=[(mood, 1.0), (news, 3.0)])


@pytest.fixture
def model(make_repo: MakeRepo, alice: User) -> Callable[..., Repo]:
    numbers = iter(range(1, 1000))
    return lambda name, **options: make_repo(alice, name, files=model_files(float(next(numbers))), **options)


def names(board: Board) -> list[str]:
    return [row.model.name for row in board.rows]


def test_a_score_counts_from_the_floor_and_by_weight(
    suite: Suite, mood: Benchmark, news: Benchmark, model, alice: User
) -> None:
    best = model("best")
    score(best, mood, alice, 0.75, floor=0.5)
    score(best, news, alice, 0.9, floor=0.6)
    [row] = board_of(suite).rows
    assert [cell.normalised for cell in row.cells] == pytest.approx([50, 75])
    assert row.score == pytest.approx((50 + 3 * 75) / 4)
    assert row.low < row.score < row.high
    assert (row.rank, row.best_rank, row.worst_rank) == (1, 1, 1)


def test_below_the_floor_is_negative_and_not_clipped(
    suite: Suite, mood: Benchmark, news: Benchmark, model, alice: User
) -> None:
    poor = model("poor")
    score(poor, mood, alice, 0.4, floor=0.5)
    score(poor, news, alice, 0.5, floor=0.5)
    assert board_of(suite).rows[0].score == pytest.approx(-5)


def test_a_model_without_all_scores_is_listed_apart(
    suite: Suite, mood: Benchmark, news: Benchmark, model, alice: User
) -> None:
    score(model("half"), mood, alice, 0.99)
    board = board_of(suite)
    assert board.rows == []
    assert [(entry.model.name, entry.missing) for entry in board.unranked] == [("half", [news])]


def test_models_that_cannot_be_told_apart_share_their_possible_places(
    mood: Benchmark, model, alice: User, morgan: User
) -> None:
    board = suites.create_suite(by=morgan, slug="one", title="One", benchmarks=[(mood, 1.0)])
    score(model("ahead"), mood, alice, 0.95, low=0.94, high=0.96)
    score(model("second"), mood, alice, 0.82, low=0.75, high=0.89)
    score(model("third"), mood, alice, 0.80, low=0.73, high=0.87)
    score(model("last"), mood, alice, 0.60, low=0.55, high=0.65)
    rows = board_of(board).rows
    places = {row.model.name: (row.rank, row.best_rank, row.worst_rank, row.is_tied) for row in rows}
    assert places == {
        "ahead": (1, 1, 1, False),
        "second": (2, 2, 3, True),
        "third": (3, 2, 3, True),
        "last": (4, 4, 4, False),
    }


def test_equal_scores_have_the_same_rank(mood: Benchmark, model, alice: User, morgan: User) -> None:
    board = suites.create_suite(by=morgan, slug="one", title="One", benchmarks=[(mood, 1.0)])
    for name in ("b", "a"):
        score(model(name), mood, alice, 0.8)
    score(model("c"), mood, alice, 0.7)
    assert [(row.model.name, row.rank) for row in board_of(board).rows] == [("a", 1), ("b", 1), ("c", 3)]


def test_private_models_and_private_data_sets_are_never_on_a_board(
    suite: Suite, mood: Benchmark, news: Benchmark, model, alice: User
) -> None:
    secret = model("secret", private=True)
    score(secret, mood, alice, 0.99)
    score(secret, news, alice, 0.99)
    shown = model("shown")
    score(shown, mood, alice, 0.6)
    score(shown, news, alice, 0.6)
    assert names(board_of(suite)) == ["shown"]
    Repo.objects.filter(pk=news.dataset_id).update(private=True)
    board = board_of(suite)
    assert [column.benchmark for column in board.columns] == [mood]
    assert names(board) == ["shown"]


def test_a_new_version_without_a_score_keeps_the_old_one_marked_as_outdated(
    mood: Benchmark, model, alice: User, morgan: User
) -> None:
    board = suites.create_suite(by=morgan, slug="one", title="One", benchmarks=[(mood, 1.0)])
    changing = model("changing")
    score(changing, mood, alice, 0.9)
    assert not board_of(board).rows[0].cells[0].is_outdated
    weights = PutFile("model.safetensors", safetensors(77.0))
    publishing.commit(repo=changing, by=alice, changes=[weights], title="Other weights")
    changing.refresh_from_db()
    renew()
    assert board_of(board).rows[0].cells[0].is_outdated
    newer = score(changing, mood, alice, 0.7)
    [row] = board_of(board).rows
    assert row.cells[0].evaluation.pk == newer.pk
    assert not row.cells[0].is_outdated


def test_the_score_of_the_current_weights_counts_though_an_older_one_came_later(
    mood: Benchmark, model, alice: User, morgan: User
) -> None:
    board = suites.create_suite(by=morgan, slug="one", title="One", benchmarks=[(mood, 1.0)])
    changing = model("changing")
    first = score(changing, mood, alice, 0.9)
    weights = PutFile("model.safetensors", safetensors(77.0))
    publishing.commit(repo=changing, by=alice, changes=[weights], title="Other weights")
    changing.refresh_from_db()
    current = score(changing, mood, alice, 0.7)
    type(first).objects.filter(pk=first.pk).update(id=current.pk + 1)
    renew()
    assert board_of(board).rows[0].cells[0].evaluation.pk == current.pk


def test_unfinished_evaluations_are_not_on_the_board(suite: Suite, mood: Benchmark, model, alice: User) -> None:
    submitting.submit(model("waiting"), mood, by=alice)
    board = board_of(suite)
    assert (board.rows, board.unranked) == ([], [])


def queries(suite: Suite) -> int:
    with CaptureQueriesContext(
        connection,
    ) as caught:
        for row in board_of(suite).rows:
            assert row.model.full_name
            assert [cell.is_outdated for cell in row.cells]
    return len(caught)


def test_a_board_costs_the_same_for_one_model_and_for_many(
    suite: Suite, mood: Benchmark, news: Benchmark, model, alice: User
) -> None:
    counts = []
    for name in ("one", "two", "three"):
        made = model(name)
        score(made, mood, alice, 0.8)
        score(made, news, alice, 0.8)
        counts.append(queries(suite))
    assert counts[0] == counts[2] <= 5
