"""Ways to see a board: filters, words, order, columns and pages, all of which are in the address."""

from datetime import UTC, datetime

import numpy as np
import pytest
from django.http import QueryDict

from leaderboard.board_views import View
from leaderboard.models import LEVEL_BITS, Benchmark, BoardRow, BoardState, Suite
from leaderboard.ranking import board_of, places_of
from models_hub.models import Repo
from portal.errors import InvalidInput

DRAWS = 40
DAY = datetime(2026, 3, 1, tzinfo=UTC)


def _benchmark(owner, name):
    dataset = Repo.objects.create(kind="dataset", namespace=owner.namespace, name=name, lower=name)
    return Benchmark.objects.create(
        dataset=dataset, version=1, meaning=name, name=name, task="text-classification", standing="approved",
        split_path="test.jsonl", data_size=1, primary_metric="accuracy", metrics=["accuracy"],
    )  # fmt: skip


@pytest.fixture
def suite(alice):
    benchmarks = [_benchmark(alice, name) for name in ("mood", "news")]
    suite = Suite.objects.create(slug="small", title="Small", standing="approved")
    for position, benchmark in enumerate(benchmarks):
        suite.entries.create(benchmark=benchmark, weight=1 + 2 * position, position=position)
    columns = [benchmark.pk for benchmark in benchmarks]
    BoardState.objects.create(suite=suite, columns=columns, draws=DRAWS, machines=["Laptop ×2", "Phone ×4"])
    return suite


@pytest.fixture
def row(suite, alice):
    """A model that has its place on the board without evaluations behind it, as if it had been computed."""

    def make(name, *cells, spread=0.5, facts=None, **of_model):
        model = Repo.objects.create(
            **{"kind": "model", "namespace": alice.namespace, "name": name, "lower": name.lower()} | of_model
        )
        score = (cells[0] + 3 * cells[1]) / 4
        drawn = score + spread * np.linspace(-1, 1, DRAWS)
        columns = BoardState.objects.get(suite=suite).columns
        values = {
            "cells": np.array(cells, dtype="<f8").tobytes(),
            "drawn": b"" if np.isnan(score) else drawn.astype("<f4").tobytes(),
            **({} if np.isnan(score) else {"score": score, "low": score - spread, "high": score + spread}),
            "lacking": int(np.isnan(cells).sum()),
            "evaluations": [None for _column in columns],
            "finished_at": DAY,
        }
        return BoardRow.objects.create(suite=suite, model=model, **values | (facts or {}))

    return make


def names(board):
    return [one.model.name for one in board.rows]


def view(query):
    return View.of(QueryDict(query))


def test_a_view_is_its_address():
    query = (
        "size=25M&max_disk=50000000&language=zh&since=2026-02-01&verified=1&q=tiny+bert&sort=-b12&columns=b12&version=3"
    )
    assert view(query).query() == query
    assert view("max_disk=50 MB&size=25M") == View(max_disk=50_000_000, size="25M")
    assert view("max_parameters=1.5b").max_parameters == 1_500_000_000
    assert View().query() == ""


def test_what_makes_no_sense_is_left_out_or_refused():
    nonsense = (
        "size=2M", "max_disk=many", "max_latency=-1", "since=2026-02-31", "sort=b", "sort=secret", "contamination=x",
        "license=%00", "version=1e3", "max_parameters=9e99", "max_latency=nan", "min_parameters=²",
    )  # fmt: skip
    for query in nonsense:
        assert view(query) == View(), query
        with pytest.raises(InvalidInput) as refused:
            View.of(QueryDict(query), strict=True)
        assert refused.value.data["key"] == query.partition("=")[0]


@pytest.mark.parametrize(
    ("query", "left"),
    [
        ("", "abc"),
        ("size=5M", "a"),
        ("size=25M", "ab"),
        ("min_parameters=5M", "bc"),
        ("max_parameters=20M", "ab"),
        ("max_disk=30MB", "a"),
        ("max_memory=1GB", "ab"),
        ("max_latency=5", "a"),
        ("max_latency=5&machine=Phone+×4", "c"),
        ("license=permissive", "ac"),
        ("license=mit", "a"),
        ("language=zh", "bc"),
        ("precision=I8", "c"),
        ("architecture=LlamaForCausalLM", "b"),
        ("since=2026-03-02", "c"),
        ("verified=1", "b"),
        ("contamination=not-declared", "bc"),
        ("contamination=not-found", "c"),
        ("language=zh&size=25M", "b"),
    ],
)
def test_filters_leave_models_out(suite, row, query, left):
    row(
        "model-a", 90, 90, parameters=4_000_000, size=20_000_000, license="mit", license_class="permissive",
        languages=["en"], precisions=["F32"], architecture="BertModel",
        facts={"latencies": {"Laptop ×2": 4.0, "Phone ×4": 9.0}, "memory_bytes": 300_000_000,
               "levels": LEVEL_BITS["declared"] | LEVEL_BITS["unknown"]},
    )  # fmt: skip
    row(
        "model-b", 80, 80, parameters=20_000_000, size=80_000_000, license="gpl-3.0", license_class="copyleft",
        languages=["en", "zh"], precisions=["F32"], architecture="LlamaForCausalLM",
        facts={"latencies": {"Laptop ×2": 40.5}, "memory_bytes": 700_000_000, "is_verified": True,
               "levels": LEVEL_BITS["unknown"]},
    )  # fmt: skip
    row(
        "model-c", 70, 70, parameters=300_000_000, size=300_000_000, license="apache-2.0", license_class="permissive",
        languages=["zh"], precisions=["I8"], architecture="BertModel",
        facts={"latencies": {"Phone ×4": 3.0}, "memory_bytes": 2_000_000_000, "levels": LEVEL_BITS["not_found"],
               "finished_at": datetime(2026, 3, 2, tzinfo=UTC)},
    )  # fmt: skip
    board = board_of(suite, view(query))
    assert names(board) == [f"model-{letter}" for letter in left]
    assert [one.rank for one in board.rows] == list(range(1, len(left) + 1))
    assert board.left_out == 3 - len(left)


def test_what_filters_the_page_can_be_taken_away_one_by_one(client, row):
    row("chinese", 90, 90, languages=["zh"], parameters=10**6)
    row("english", 80, 80, languages=["en"], parameters=10**6)
    page = client.get("/leaderboard/small?size=5M&language=zh&q=c").text
    assert "/chinese" in page
    assert "/english" not in page
    chips = page.split('id="active-filters"')[1].split("</ul>")[0]
    for address in ("?size=5M&amp;language=zh", "?language=zh&amp;q=c", "?size=5M&amp;q=c", "?"):
        assert f'href="{address}"' in chips


def test_ranks_are_among_those_that_are_left_and_words_keep_them(suite, row):
    row("large", 90, 90, parameters=10**9)
    row("small-one", 80, 80, parameters=10**6)
    row("small-two", 70, 70, parameters=10**6)
    assert [(one.model.name, one.rank) for one in board_of(suite, View(q="TWO")).rows] == [("small-two", 3)]
    small = board_of(suite, View(size="5M", q="two"))
    assert [(one.model.name, one.rank, one.borda) for one in small.rows] == [("small-two", 2, 0)]


def test_hand_worked_places(suite, row):
    """Scores (mood + 3 news) / 4: a 80, b 79.75, c 60, d 60; in every draw a is ahead of b, and c is equal to d."""
    row("a", 65, 85, spread=1)
    row("b", 94, 75, spread=1)
    row("c", 60, 60, spread=1)
    row("d", 60, 60, spread=1)
    row("e", 99, float("nan"))
    board = board_of(suite)
    assert [(one.model.name, one.score, one.rank, one.group) for one in board.rows] == [
        ("a", 80.0, 1, 1), ("b", 79.75, 2, 2), ("c", 60.0, 3, 3), ("d", 60.0, 3, 3),
    ]  # fmt: skip
    # On mood b leaves three behind, a two, c and d half a model each; on news a three, b two.
    assert [one.borda for one in board.rows] == [5, 5, 1, 1]
    assert [one.borda_rank for one in board.rows] == [1, 1, 3, 3]
    assert [entry.model.name for entry in board.unranked] == ["e"]


def test_models_of_which_neither_is_surely_ahead_are_tied(suite, row):
    first, second = row("first", 80, 80), row("second", 79, 79)
    back = np.frombuffer(second.drawn, "<f4") + np.where(np.arange(DRAWS) < 4, 9, 0)  # ahead in a tenth of the draws
    BoardRow.objects.filter(pk=second.pk).update(drawn=back.astype("<f4").tobytes())
    places = [(one.best_rank, one.worst_rank, one.group) for one in board_of(suite).rows]
    assert places == [(1, 2, 1), (1, 2, 1)]
    BoardRow.objects.filter(pk=second.pk).update(drawn=second.drawn)
    assert [one.group for one in board_of(suite).rows] == [1, 2]
    assert first.model.name == "first"


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        ("score", "abc"), ("-score", "cba"), ("parameters", "bac"), ("-parameters", "abc"), ("name", "abc"),
        ("-name", "cba"), ("latency", "cab"), ("drop", "bac"), ("b0", "cab"), ("-b0", "bac"), ("borda", "acb"),
        ("finished", "cab"),
    ],
)  # fmt: skip
def test_rows_are_ordered_by_any_column_and_what_is_unknown_comes_last(suite, row, sort, order):
    row("a", 80, 95, parameters=9, facts={"latencies": {"Laptop ×2": 5.0}, "relative_drop": 0.2})
    row("b", 70, 90, parameters=5, facts={"relative_drop": 0.1})
    row("c", 90, 60, facts={"latencies": {"Laptop ×2": 3.0}, "finished_at": datetime(2026, 3, 9, tzinfo=UTC)})
    sort = sort.replace("b0", f"b{BoardState.objects.get(suite=suite).columns[0]}")
    assert "".join(names(board_of(suite, View(sort=sort)))) == order


def test_pages_begin_after_the_last_row_though_it_is_gone(suite, row):
    rows = [row(f"m{number}", 90 - number, 90 - number) for number in range(7)]
    first = board_of(suite, limit=3)
    assert names(first) == ["m0", "m1", "m2"]
    Repo.objects.filter(pk=rows[2].model_id).update(private=True)
    second = board_of(suite, View(after=first.next), limit=3)
    assert names(second) == ["m3", "m4", "m5"]
    last = board_of(suite, View(after=second.next), limit=3)
    assert (names(last), last.next) == (["m6"], "")
    assert names(board_of(suite, View(after="nonsense~x"), limit=2)) == ["m0", "m1"]


def test_what_became_private_is_gone_at_once_and_leaves_no_trace(client, suite, row):
    row("shown", 80, 80)
    hidden = row("hidden-model", 90, 90, license="mine-alone", architecture="SecretArchitecture")
    Repo.objects.filter(pk=hidden.model_id).update(private=True)
    for address in ("/leaderboard/small", "/api/v1/leaderboard/small", "/leaderboard?q=small"):
        page = client.get(address).text
        assert not any(word in page for word in ("hidden-model", "mine-alone", "SecretArchitecture")), address
    assert places_of(suite).total == 1


def test_filters_that_leave_nothing_say_which_to_take_away(client, row):
    row("one", 80, 80, parameters=10**6, languages=["en"])
    row("two", 70, 70, parameters=10**9, languages=["en"])
    page = client.get("/leaderboard/small?size=25M&language=zh").text
    assert "Every model is left out" in page
    assert 'href="?size=25M"' in page
    assert "leaves 1 model<" in page
    assert 'href="?language=zh"' not in page.split("Take away one filter")[1]


def test_words_that_find_nothing_lead_back(client, row):
    row("one", 80, 80)
    assert "No ranked model is named like “zzz”" in client.get("/leaderboard/small?q=zzz").text


def test_columns_can_be_chosen(client, suite, row):
    row("one", 80, 80, license="bsd-9", parameters=1000)
    usual = client.get("/leaderboard/small").text
    assert "Borda</a></th>" in usual
    assert ">bsd-9</td>" not in usual
    mood = suite.entries.first().benchmark
    chosen = client.get(f"/leaderboard/small?columns=license&columns=b{mood.pk}").text
    assert ">bsd-9</td>" in chosen
    assert "Borda</a></th>" not in chosen
    assert chosen.count("board-metric") == 1


def test_few_benchmarks_and_ties_are_told(client, row):
    for name in ("one", "two"):
        row(name, 80, 80)
    page = client.get("/leaderboard/small").text
    assert "Only 2 benchmarks" in page
    assert "Tie of 2" in page
    assert "Tie of" not in client.get("/leaderboard/small?sort=name").text


def test_a_board_of_other_columns_waits_without_certainty(client, suite, row):
    row("one", 80, 80)
    row("two", 70, 75)
    Repo.objects.filter(pk=suite.entries.first().benchmark.dataset_id).update(private=True)
    board = board_of(suite)
    assert [(one.score, one.best_rank, one.worst_rank) for one in board.rows] == [(80, 1, 2), (75, 1, 2)]
    assert "Ranks are being computed anew" in client.get("/leaderboard/small").text


def test_the_api_shows_the_same_page_by_page(client, suite, row):
    for number in range(3):
        row(f"m{number}", 90 - number, 90 - number, parameters=10**6)
    found = client.get("/api/v1/leaderboard/small?size=5M&sort=-score&q=m").json()
    assert [one["model"] for one in found["rows"]] == ["alice/m2", "alice/m1", "alice/m0"]
    assert (found["found"], found["next"], found["machine"], found["draws"]) == (3, "", "Laptop ×2", DRAWS)
    assert found["rows"][0]["rank"] == 3
    refused = client.get("/api/v1/leaderboard/small?sort=nothing")
    assert refused.status_code == 400
