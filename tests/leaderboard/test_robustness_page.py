"""The result page shows what changed texts did, the parts of the benchmark, and how the speed was measured."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from leaderboard.models import Evaluation
from leaderboard.robustness import robustness_of, slices_of
from models_hub.models import Repo
from portal.models import User
from tests.evaluating import make_benchmark, make_evaluation
from tests.leaderboard.scored import REPORT, record, scores

pytestmark = pytest.mark.django_db
MakeRepo = Callable[..., Repo]


def line(name: str, drop: float, *, flips: float | None = 0.25) -> dict[str, Any]:
    rate = flips if flips is None else {"value": flips, "low": 0.1, "high": 0.4, "method": "wilson"}
    return {
        "name": name, "kind": "noise", "n": 50, "changed": 40, "clean": 0.9, "value": 0.9 - drop, "flip_rate": rate,
        "drop": {"value": drop, "low": drop - 0.02, "high": drop + 0.02, "p": 0.01, "method": "paired_normal"},
    }  # fmt: skip


def part(by: str, name: str, value: float) -> dict[str, Any]:
    return {"by": by, "name": name, "n": 40, "metric": "accuracy", "value": value, "low": value - 0.1,
            "high": value + 0.05, "method": "wilson"}  # fmt: skip


ROBUSTNESS = {"metric": "f1_macro", "rows": 50, "questions": 120, "relative_drop": 0.0712,
              "relative_drop_interval": {"low": 0.0404, "high": 0.1107, "method": "percentile_bootstrap"},
              "digest": "e" * 64,
              "perturbations": [line("swap", 0.1), line("homophone", -0.01), line("names", 0.02, flips=0.1),
                                line("of another version", 0.5)]}  # fmt: skip
SLICES = [
    part("length", "5-20", 0.8),
    part("length", "21-90", 0.7),
    part("script", "han", 0.75),
    part("domain", "<b>", 0.6),
]


@pytest.fixture
def evaluation(make_repo: MakeRepo, alice: User) -> Evaluation:
    waiting = make_evaluation(make_repo, alice, make_benchmark(make_repo, alice))
    report = REPORT | {
        "robustness": {"questions": 120, "seconds": 1.0, "share": 0.31}, "busy": True, "cores": 2, "disk_bytes": 5000,
        "load_average": 1.5, "load_average_after": 3.5, "cpu_name": "A processor", "resumed_rows": 12,
        "load_seconds": 0.5, "predict_seconds": 2.0,
        "latency": {"batch": 1, "warm_up": 10, "samples": 100, "p50_ms": 1.0, "p90_ms": 2.0, "p99_ms": 7.7},
    }  # fmt: skip
    return record(waiting, scores(0.9) | {"details": {"robustness": ROBUSTNESS, "slices": SLICES}}, report)


def test_losses_and_failures_are_told_with_their_intervals(evaluation: Evaluation, client: Client) -> None:
    page = client.get(evaluation.get_absolute_url()).content.decode()
    assert evaluation.relative_drop == 0.0712
    for text in ("7.1 %", "4.0…11.1 %", "of the score lost on average", "Swapped", "−10.0", "−12.0…−8.0", "+1.0",
                 "Same sound", "Other names", "each changed one is a failure", "10 of 40", "4 of 40",
                 "took 31 % of the time"):  # fmt: skip
        assert text in page, text
    assert "of another version" not in page


def test_parts_are_told_by_what_they_have_in_common(evaluation: Evaluation, client: Client) -> None:
    page = client.get(evaluation.get_absolute_url()).content.decode()
    for text in ("Length in characters", "21-90", "Chinese characters", "domain", "&lt;b&gt;", "80.0", "70.0…85.0"):
        assert text in page, text


def test_speed_says_how_it_was_measured_and_that_others_were_at_work(evaluation: Evaluation, client: Client) -> None:
    page = client.get(evaluation.get_absolute_url()).content.decode()
    for text in ("busy machine", "7.7 ms", "100 queries after 10", "12 answers are of an attempt before", "2 cores",
                 "Others were at work too"):  # fmt: skip
        assert text in page, text


def test_bars_share_one_scale_that_holds_zero(evaluation: Evaluation) -> None:
    shown = robustness_of(evaluation)
    assert shown is not None
    assert (shown.start, shown.end) == (pytest.approx(-0.12), pytest.approx(0.03))


def test_answers_that_are_numbers_have_no_flips(evaluation: Evaluation, client: Client) -> None:
    evaluation.details["robustness"]["perturbations"] = [line("swap", 0.1, flips=None)]
    evaluation.save()
    assert "Answers changed" in client.get(evaluation.get_absolute_url()).content.decode()


def test_a_result_without_either_shows_neither(make_repo: MakeRepo, alice: User, client: Client) -> None:
    evaluation = record(make_evaluation(make_repo, alice, make_benchmark(make_repo, alice)), scores(0.9))
    assert (robustness_of(evaluation), slices_of(evaluation), evaluation.relative_drop) == (None, [], None)
    page = client.get(evaluation.get_absolute_url()).content.decode()
    assert 'id="robustness"' not in page
    assert 'id="slices"' not in page
