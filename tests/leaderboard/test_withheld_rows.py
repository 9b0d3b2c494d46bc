"""Withheld test rows: whoever asks, no page, answer, file or error shows a row, or which rows were answered right."""

import json

import pytest
from django.urls import reverse

from leaderboard import recording
from leaderboard.models import Evaluation
from models_hub import gating, job_contents
from tests.evaluating import EVAL_YAML, make_benchmark, make_evaluation
from tests.leaderboard.scored import REPORT, claimed, record, scores

HIDDEN = EVAL_YAML.replace("test_is_public: true", "test_is_public: false")
ROW, QUOTE, RIGHT = "bad 0", "quoted from a passage", "0.123456"


@pytest.fixture
def finished(alice, bob, make_repo) -> Evaluation:
    """Bob's model on a withheld test of alice, with answers that quote the test."""
    held = make_benchmark(make_repo, alice, "held", definition=HIDDEN)
    gating.set_gate(held.dataset, by=alice, gate="manual")
    evaluation = make_evaluation(make_repo, bob, held)
    answers = [
        {"id": str(n), "label": "positive", "scores": {"negative": 0, "positive": 1}, "text": QUOTE} for n in range(20)
    ]
    items = {"ids": [QUOTE] * 20, "metrics": {"accuracy": [float(RIGHT)] * 20}}
    recording.record(
        evaluation,
        job=claimed(evaluation),
        scores=scores(0.5),
        report=dict(REPORT),
        provenance={"model": {"files": {"config.json": "a" * 64}}, "dataset": {}},
        predictions=job_contents.keep(["".join(json.dumps(row) + "\n" for row in answers).encode()]),
        items=job_contents.keep([json.dumps(items).encode()]),
    )
    evaluation.refresh_from_db()
    return evaluation


def places(evaluation: Evaluation) -> list[str]:
    """Every address that is about the evaluation, its benchmark or the files of its data."""
    of_it, of_benchmark = {"evaluation_id": evaluation.pk}, {"benchmark_id": evaluation.benchmark_id}
    data, commit = "/datasets/alice/held", evaluation.benchmark.commit_oid
    return [
        reverse("evaluation", kwargs=of_it),
        *(reverse(f"api_evaluation{part}", kwargs=of_it) for part in ("", "_card", "_predictions", "_reproductions")),
        reverse("benchmark", kwargs=of_benchmark),
        reverse("api_benchmark", kwargs=of_benchmark),
        "/api/v1/evaluations?model=bob/bert",
        "/bob/bert/evaluations",
        "/bob/bert/evaluations/summary",
        f"{data}/benchmarks",
        data,
        f"{data}/data/main",
        f"{data}/table/main/data/test.jsonl",
        f"{data}/blob/{commit}/data/test.jsonl",
        f"{data}/resolve/{commit}/data/test.jsonl",
        f"{data}/raw/{commit}/data/test.jsonl",
        f"{data}/commit/{commit}",
        f"/jobs/{evaluation.job_id}",
        f"/api/v1/jobs/{evaluation.job_id}",
        f"/api/v1/jobs/{evaluation.job_id}/log",
    ]


@pytest.mark.parametrize("who", ["stranger", "owner of the model", "staff", "anonymous"])
def test_nobody_but_the_owner_of_the_rows_finds_one(as_user, charlie, bob, morgan, finished, who):
    person = {"stranger": charlie, "owner of the model": bob, "staff": morgan, "anonymous": None}[who]
    browser = as_user(person)
    for place in places(finished):
        answer = browser.get(place)
        text = b"".join(answer.streaming_content).decode() if answer.streaming else answer.text
        for secret in (ROW, QUOTE, RIGHT, "good 1"):
            assert secret not in text, place


def test_the_owner_of_the_benchmark_reads_what_models_answered_and_still_no_scored_rows(as_user, alice, finished):
    browser = as_user(alice)
    answers = browser.get(reverse("api_evaluation_predictions", kwargs={"evaluation_id": finished.pk}))
    assert QUOTE in b"".join(answers.streaming_content).decode()
    for place in places(finished)[:2]:
        page = browser.get(place).text
        assert ROW not in page
        assert RIGHT not in page


def test_who_may_not_read_the_answers_is_told_why_and_led_to_none(as_user, bob, finished):
    browser, address = as_user(bob), f"/api/v1/evaluations/{finished.pk}"
    refused = browser.get(f"{address}/predictions")
    assert (refused.status_code, refused.json()["code"]) == (403, "test_withheld")
    assert browser.get(address).json()["predictions"] is None
    assert "predictions" not in browser.get(finished.get_absolute_url()).text


def test_answers_to_public_rows_behind_a_gate_need_what_the_rows_need(as_user, alice, bob, charlie, make_repo):
    mood = make_benchmark(make_repo, alice)
    gating.set_gate(mood.dataset, by=alice, gate="manual")
    evaluation = make_evaluation(make_repo, bob, mood)
    assert as_user(charlie).get(f"/api/v1/evaluations/{evaluation.pk}/predictions").status_code == 403
    gating.grant(mood.dataset, by=alice, username="charlie")
    assert as_user(charlie).get(f"/api/v1/evaluations/{evaluation.pk}/predictions").status_code == 404


def test_parts_of_a_few_rows_tell_nothing_of_them(alice, make_repo):
    parts = [{"group": "one", "n": 1, "value": 1.0}, {"group": "many", "n": 19, "value": 0.5}]
    # The points of a curve are rows, so a withheld test has none at all.
    curves = [{"label": "positive", "auroc": 0.9, "roc": [[0, 0], [0.1, 0.9], [1, 1]]}]
    found = scores(0.5) | {"details": {"by_group": parts, "slices": {"length": parts}, "curves": curves}}
    held = make_benchmark(make_repo, alice, "held", definition=HIDDEN)
    assert record(make_evaluation(make_repo, alice, held), found).details == {
        "by_group": parts[1:],
        "slices": {"length": parts[1:]},
    }
    mood = make_benchmark(make_repo, alice)
    assert record(make_evaluation(make_repo, alice, mood, "other"), found).details == found["details"]


def test_a_test_that_is_withheld_in_name_only_is_called_so(client, alice, make_repo):
    held = make_benchmark(make_repo, alice, "held", definition=HIDDEN)
    assert "Withheld in name only" in client.get(held.get_absolute_url()).text
    gating.set_gate(held.dataset, by=alice, gate="manual")
    assert "Withheld in name only" not in client.get(held.get_absolute_url()).text
