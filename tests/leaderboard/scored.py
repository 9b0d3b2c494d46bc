"""Finished evaluations for tests of boards and pages, recorded as a worker records them."""

from datetime import timedelta
from typing import Any

from leaderboard import recording, standings, submitting
from leaderboard.models import Benchmark, Evaluation, Suite
from models_hub import job_contents
from models_hub.models import Repo
from portal.models import Job, User

REPORT = {
    "device": "cpu",
    "device_name": "A processor",
    "threads": 2,
    "truncated_rows": 1,
    "parameters": 1000,
    "weights_bytes": 4000,
    "examples_per_second": 100.0,
    "latency": {"batch": 1, "samples": 20, "p50_ms": 1.0, "p90_ms": 2.0},
    "peak_rss_bytes": 1_000_000,
    "versions": {"python": "3.11.7"},
}


def scores(value: float, *, low: float | None = None, high: float | None = None, floor: float = 0.5) -> dict[str, Any]:
    """What the scorer writes, for a primary metric of `value`."""
    low, high = value - 0.05 if low is None else low, value + 0.05 if high is None else high
    primary = {"value": value, "low": low, "high": high}
    negative = {"label": "negative", "precision": 1.0, "recall": 1.0, "f1": 1.0, "support": 10, "predicted": 10}
    flat = {"accuracy": floor, "f1_macro": floor, "mcc": 0.0}
    return {
        "n": 20,
        "primary": {"name": "f1_macro", **primary},
        "metrics": {"f1_macro": primary, "accuracy": {"value": value}, "ece": {"value": 0.1}},
        "per_class": [negative, negative | {"label": "positive"}],
        "confusion": {"labels": ["negative", "positive"], "rows": [[10, 0], [0, 10]]},
        "floors": {"majority": {"label": "negative", "metrics": flat}, "chance": {"metrics": flat}},
        "prediction_digest": "d" * 64,
    }


def claimed(evaluation: Evaluation) -> Job:
    assert evaluation.job is not None
    job = Job.claim(evaluation.job.pk, worker="one", lease=timedelta(seconds=30))
    assert job is not None
    return job


def record(evaluation: Evaluation, found: dict[str, Any], report: dict[str, Any] | None = None) -> Evaluation:
    """Store a result for an evaluation that waits."""
    recording.record(
        evaluation,
        job=claimed(evaluation),
        scores=found,
        report=dict(REPORT if report is None else report),
        provenance={
            "model": {"commit": evaluation.commit_oid, "files": {"config.json": "a" * 64}},
            "dataset": {"commit": evaluation.benchmark.commit_oid, "path": "data/test.jsonl", "sha256": "b" * 64},
            "isolation": ["namespaces"],
        },
        predictions=job_contents.keep([b'{"id": "0"}\n' * 20]),
    )
    evaluation.refresh_from_db()
    renew(entries__benchmark=evaluation.benchmark)
    return evaluation


def renew(**suites: Any) -> None:
    """Compute boards anew, all unless some are chosen by lookups, as the relay does soon after something changed."""
    for suite in Suite.objects.filter(**suites).distinct():
        standings.renew(suite)


def score(model: Repo, benchmark: Benchmark, by: User, value: float, **interval: float) -> Evaluation:
    """Ask for an evaluation and record its score."""
    evaluation, _is_new = submitting.submit(model, benchmark, by=by)
    return record(evaluation, scores(value, **interval))
