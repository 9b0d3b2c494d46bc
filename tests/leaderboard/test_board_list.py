"""The list of all boards: by task, language and words, with who leads, how many models there are, what came last."""

from datetime import timedelta

import pytest
from django.utils import timezone

from leaderboard import board_lists
from leaderboard.board_lists import Asked
from leaderboard.models import Benchmark, BoardRow, Suite
from models_hub.models import Repo

pytestmark = pytest.mark.django_db


@pytest.fixture
def make_board(alice):
    """A board of one benchmark."""

    def make(slug, task="text-classification", languages=("en",), **values):
        owned = {"namespace": alice.namespace, "name": slug, "lower": slug, "languages": list(languages)}
        benchmark = Benchmark.objects.create(
            dataset=Repo.objects.create(kind="dataset", **owned), version=1, meaning=slug, name=slug, task=task,
            standing="approved", split_path="test.jsonl", data_size=1, primary_metric="accuracy",
        )  # fmt: skip
        suite = Suite.objects.create(slug=slug, title=f"Board {slug}", standing="approved", **values)
        suite.entries.create(benchmark=benchmark)
        return suite

    return make


@pytest.fixture
def place(alice):
    def make(suite, name, score, parameters=None, **values):
        known = Repo.objects.filter(kind="model", name=name).first()
        owned = {"namespace": alice.namespace, "name": name, "lower": name, "parameters": parameters}
        model = known or Repo.objects.create(kind="model", **owned)
        return BoardRow.objects.create(
            suite=suite, model=model, cells=b"", score=score, finished_at=timezone.now(), **values
        )

    return make


def slugs(**asked):
    return [listed.suite.slug for listed in board_lists.page_of(Asked(**asked)).boards]


def test_boards_are_found_by_task_language_and_words(make_board):
    make_board("moods", languages=["en", "zh"])
    make_board("names", task="token-classification", title_zh="实体榜")
    make_board("over", ends_at=timezone.now() - timedelta(days=1))
    assert slugs() == ["moods", "names", "over"]  # those that still take models first
    assert slugs(language="zh") == ["moods"]
    assert slugs(task="token-classification") == ["names"]
    assert slugs(q="board MOODS") == ["moods"]
    assert slugs(q="实体") == ["names"]
    assert slugs(task="token-classification", language="zh") == []


def test_a_private_benchmark_finds_no_board(make_board):
    suite = make_board("names", task="token-classification", languages=["xx"])
    Repo.objects.filter(benchmarks__suites=suite).update(private=True)
    assert (slugs(task="token-classification"), slugs(language="xx"), slugs()) == ([], [], ["names"])
    assert board_lists.choices() == ([], [])


def test_each_board_says_who_leads_how_many_and_of_which_size(client, make_board, place):
    suite, _other = make_board("moods"), make_board("other")
    place(suite, "best-model", 91.25, 30_000_000)
    place(suite, "small-model", 70, 4_000_000)
    place(suite, "lacking-model", None, 1)
    hidden = place(suite, "hidden-model", 99, 1)
    Repo.objects.filter(pk=hidden.model_id).update(private=True)
    [listed] = [one for one in board_lists.page_of(Asked()).boards if one.suite == suite]
    assert (listed.models, listed.leader.model.name) == (2, "best-model")
    assert (listed.by_size["5M"], listed.by_size["25M"], listed.by_size["100M"]) == (1, 1, 2)
    page = client.get("/leaderboard").text
    assert "best-model" in page
    assert "91.3" in page
    assert 'href="/leaderboard/moods?size=5M"' in page
    assert 'href="/leaderboard/other?size' not in page
    assert "hidden-model" not in page


def test_a_filter_that_finds_nothing_leads_back(client, make_board):
    make_board("moods")
    make_board("names")
    page = client.get("/leaderboard?language=fr").text
    assert "No board is like that" in page


def test_pages_follow_each_other(monkeypatch, make_board):
    monkeypatch.setattr(board_lists, "PAGE", 2)
    for number in range(3):
        make_board(f"b{number}")
    make_board("over", ends_at=timezone.now() - timedelta(days=1))
    make_board("over2", ends_at=timezone.now() - timedelta(days=1))
    found, cursor = [], ""
    for _page in range(3):
        page = board_lists.page_of(Asked(after=cursor))
        found.append([listed.suite.slug for listed in page.boards])
        cursor = page.next
    assert found == [["b0", "b1"], ["b2", "over"], ["over2"]]
    assert cursor == ""


def test_the_list_costs_the_same_however_many_boards(client, make_board, place, django_assert_num_queries):
    for name in ("a", "b"):
        place(make_board(name), "one", 50)
    client.get("/leaderboard")
    with django_assert_num_queries(5):
        client.get("/leaderboard")
    for name in ("c", "d", "e"):
        place(make_board(name), "one", 50)
        make_board(f"{name}-empty")
    with django_assert_num_queries(5):
        client.get("/leaderboard")
