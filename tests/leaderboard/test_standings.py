"""Rows of boards: made from evaluations, alone as among others, and made anew when something changed."""

import json
import threading
from datetime import timedelta

import numpy as np
import pytest
from django.utils import timezone

from leaderboard import contamination, standings, suites
from leaderboard.models import LEVEL_BITS, BoardRow, BoardState, Evaluation, Reproduction, StaleRow
from leaderboard.ranking import board_of
from models_hub import job_contents, publishing
from models_hub.changes import PutFile
from models_hub.models import Repo
from portal import deciding, moderating
from portal.models import Event
from tests.evaluating import make_benchmark, model_files, safetensors
from tests.leaderboard.scored import REPORT, renew, score
from worker.board_keeping import BoardKeeping
from worker.relay import deliver_events

pytestmark = pytest.mark.django_db


@pytest.fixture
def mood(alice, make_repo):
    return make_benchmark(make_repo, alice)


@pytest.fixture
def suite(morgan, mood):
    return suites.create_suite(by=morgan, slug="moods", title="Moods", benchmarks=[(mood, 1.0)])


@pytest.fixture
def scored(alice, make_repo, mood):
    """A model with a score, floor 0.5; with numbers for its examples where they are given."""

    def make(name, value, items=None, clusters=None, **interval):
        one = score(make_repo(alice, name, files=model_files(value)), mood, alice, value, **interval)
        if items is not None:
            kept = {"ids": [], "metrics": {"f1_macro": items}} | ({"clusters": clusters} if clusters else {})
            Evaluation.objects.filter(pk=one.pk).update(items=job_contents.keep([json.dumps(kept).encode()]))
            renew()
        return one

    return make


def settle():
    """Do what the relay does soon after."""
    deliver_events()
    standings.renew_stale()


def test_what_is_hard_for_both_does_not_hide_a_difference(suite, scored):
    """Both fail on the same examples; one fails on twelve more. Their intervals overlap, their difference is sure."""
    better, worse = [1.0] * 160 + [0.0] * 40, [1.0] * 148 + [0.0] * 52
    scored("better", 0.8, better, low=0.74, high=0.85)
    scored("worse", 0.74, worse, low=0.68, high=0.8)
    first, second = board_of(suite).rows
    assert (first.worst_rank, second.best_rank, first.group, second.group) == (1, 2, 1, 2)
    assert first.low < second.high
    Evaluation.objects.update(items=None)
    renew()
    assert [row.group for row in board_of(suite).rows] == [1, 1]


def test_examples_that_hang_together_are_drawn_together(suite, scored):
    hits = [1.0] * 50 + [0.0] * 50
    scored("loose", 0.5, hits)
    scored("tied", 0.5, hits, [number // 25 for number in range(100)])
    spread = {row.model.name: row.high - row.low for row in board_of(suite).rows}
    assert spread["tied"] > 3 * spread["loose"]


def test_a_row_made_alone_is_the_row_made_among_all(suite, scored):
    for number, name in enumerate("abc"):
        scored(name, 0.9 - number / 10, [1.0] * (90 - 10 * number) + [0.0] * (10 + 10 * number))
    whole = {row.model_id: (bytes(row.drawn), bytes(row.cells)) for row in BoardRow.objects.all()}
    one = Repo.objects.get(name="b")
    BoardRow.objects.filter(model=one).update(drawn=b"", score=None)
    standings.renew(suite, [one.pk])
    again = {row.model_id: (bytes(row.drawn), bytes(row.cells)) for row in BoardRow.objects.all()}
    assert again.keys() == whole.keys()
    for pk, (drawn, cells) in again.items():
        assert cells == whole[pk][1]
        assert np.frombuffer(drawn, "<f4") == pytest.approx(np.frombuffer(whole[pk][0], "<f4"), abs=1e-4)


def test_a_row_says_what_filters_and_columns_ask(suite, scored, alice):
    one = scored("one", 0.9)
    report = REPORT | {"latency": {"p50_ms": 7.5}, "peak_rss_bytes": 123_000_000}
    Evaluation.objects.filter(pk=one.pk).update(contamination="declared", relative_drop=0.25, report=report)
    again = Reproduction.objects.create(evaluation=one, value=0.9, finished_at=timezone.now(), prediction_digest="x")
    renew()
    row = BoardRow.objects.get()
    assert (row.latencies, row.memory_bytes) == ({"A processor ×2": 7.5}, 123_000_000)
    assert (row.relative_drop, row.ece, row.precision) == (0.25, 0.1, "float32")
    assert (row.levels, row.is_verified, row.is_outdated) == (LEVEL_BITS["declared"], False, False)
    assert row.finished_at == one.finished_at
    assert BoardState.objects.get().machines == ["A processor ×2"]
    Reproduction.objects.filter(pk=again.pk).update(prediction_digest=one.prediction_digest)
    Evaluation.objects.filter(pk=one.pk).update(report=report | {"busy": True})
    renew()
    row.refresh_from_db()  # the same row still
    assert (row.is_verified, row.latencies) == (True, {})


def test_the_more_models_the_fewer_draws():
    assert [standings.draws_for(models) for models in (1, 500, 501, 2001, 10_000)] == [2000, 2000, 500, 200, 200]


def test_a_new_score_is_on_the_board_soon(suite, scored):
    settle()
    scored("one", 0.9)
    BoardRow.objects.all().delete()
    settle()
    assert [row.model.name for row in board_of(suite).rows] == ["one"]
    assert not BoardState.objects.stale().exists()


def test_other_weights_other_visibility_and_other_knowledge_make_a_row_anew(alice, suite, scored):
    one = scored("one", 0.9)
    settle()
    publishing.commit(repo=one.model, by=alice, title="x", changes=[PutFile("model.safetensors", safetensors(5))])
    settle()
    assert BoardRow.objects.get().is_outdated
    Evaluation.objects.filter(pk=one.pk).update(contamination="measured")
    contamination.note([Evaluation.objects.select_related("model__namespace", "benchmark__dataset").get(pk=one.pk)])
    settle()
    assert BoardRow.objects.get().levels == LEVEL_BITS["unknown"]
    Repo.objects.filter(pk=one.model_id).update(private=True)
    Event.record("repo.visibility_changed", subject=f"repo:{one.model_id}", by=alice)
    settle()
    assert not BoardRow.objects.exists()
    Repo.objects.filter(pk=one.model_id).update(private=False)
    Event.record("repo.visibility_changed", subject=f"repo:{one.model_id}", by=alice)
    settle()
    assert BoardRow.objects.exists()


def test_what_moderators_decide_reaches_boards(suite, scored, charlie, morgan):
    one = scored("one", 0.9)
    settle()
    case = moderating.report(f"evaluation:{one.pk}", by=charlie, reason="false-score")
    decision = deciding.decide(case, by=morgan, action="unscore", version=case.version)
    settle()
    assert not BoardRow.objects.exists()
    deciding.undo(decision, by=morgan)
    settle()
    assert BoardRow.objects.exists()


def test_a_data_set_that_becomes_private_takes_its_column_along(alice, morgan, make_repo, mood, scored):
    other = make_benchmark(make_repo, alice, "other")
    both = suites.create_suite(by=morgan, slug="both", title="Both", benchmarks=[(mood, 1.0), (other, 1.0)])
    score(scored("one", 0.9).model, other, alice, 0.7)
    settle()
    Repo.objects.filter(pk=other.dataset_id).update(private=True)
    Event.record("repo.visibility_changed", subject=f"repo:{other.dataset_id}", by=alice)
    settle()
    assert BoardState.objects.get(suite=both).columns == [mood.pk]
    assert [row.score for row in board_of(both).rows] == pytest.approx([80])


def test_what_changes_while_a_board_is_computed_is_not_lost(monkeypatch, suite, scored):
    one = scored("one", 0.9)
    BoardState.objects.mark(models=[one.model_id])
    rows = standings._rows

    def slowly(*given):
        BoardState.objects.mark(models=[one.model_id])
        return rows(*given)

    monkeypatch.setattr(standings, "_rows", slowly)
    standings.renew_stale()
    assert BoardState.objects.stale().exists()
    assert StaleRow.objects.exists()
    monkeypatch.setattr(standings, "_rows", rows)
    standings.renew_stale()
    assert not BoardState.objects.stale().exists()
    assert not StaleRow.objects.exists()


def test_the_relay_looks_for_boards_of_before_and_for_those_that_are_stale(monkeypatch, suite, scored):
    scored("one", 0.9)
    BoardState.objects.all().delete()
    begun = []
    monkeypatch.setattr(threading.Thread, "start", lambda thread: begun.append(thread.name))
    keeping = BoardKeeping(threading.Event())
    keeping.begin()
    assert (BoardState.objects.count(), begun) == (1, [])  # it waits for more of the same
    BoardState.objects.update(stale_at=timezone.now() - timedelta(seconds=5))
    keeping.begin()
    assert begun == ["boards"]


def test_a_relay_that_stops_leaves_the_rest_for_the_next(suite, scored):
    scored("one", 0.9)
    BoardState.objects.mark()

    def stop():
        raise InterruptedError

    with pytest.raises(InterruptedError):
        standings.renew_stale(stop)
    assert BoardState.objects.stale().exists()
