"""The result card: all that a score is, in one document that stays the same as long as the score is there."""

from typing import Any

from leaderboard.models import Evaluation
from leaderboard.recipes import recipe_of

FORMAT = 1


def card_of(evaluation: Evaluation, *, endpoint: str) -> dict[str, Any]:
    """Return what was measured, on what, how and with which command; `endpoint` is the address of this portal."""
    return {
        "format": FORMAT,
        "url": f"{endpoint}{evaluation.get_absolute_url()}",
        "model": _model(evaluation),
        "benchmark": _benchmark(evaluation, endpoint),
        "result": {
            "primary": {
                "name": evaluation.benchmark.primary_metric,
                "value": evaluation.value,
                "low": evaluation.low,
                "high": evaluation.high,
            },
            "metrics": evaluation.metrics,
            "n": evaluation.n,
            "floors": evaluation.floors,
            "inputs_cut": evaluation.truncated,
            "prediction_digest": evaluation.prediction_digest,
            "predictions_sha256": evaluation.predictions_sha256,
        },
        "computed": _computed(evaluation),
        "command": command_of(evaluation, endpoint=endpoint),
        "recipe": recipe_of(evaluation, endpoint=endpoint),
    }


def command_of(evaluation: Evaluation, *, endpoint: str) -> str:
    """Return the line that gives the same number again, from a checkout of the portal's code."""
    needs_token = evaluation.model.private or evaluation.benchmark.dataset.private or evaluation.model.gated
    token = " --token hf_…" if needs_token or evaluation.benchmark.dataset.gated else ""
    return f"python -m worker.engine reproduce {endpoint}/api/v1{evaluation.get_absolute_url()}{token}"


def _model(evaluation: Evaluation) -> dict[str, Any]:
    return {
        "repo": evaluation.model.full_name,
        "commit": evaluation.commit_oid,
        "weights_digest": evaluation.weights_digest,
        "files_digest": evaluation.files_digest,
        "files": evaluation.provenance.get("model", {}).get("files", {}),
        **({"base": evaluation.provenance["base"]} if "base" in evaluation.provenance else {}),
    }


def _benchmark(evaluation: Evaluation, endpoint: str) -> dict[str, Any]:
    benchmark = evaluation.benchmark
    return {
        "url": f"{endpoint}{benchmark.get_absolute_url()}",
        "name": benchmark.name,
        "version": benchmark.version,
        "digest": benchmark.meaning,
        "task": benchmark.task,
        "dataset": benchmark.dataset.full_name,
        "commit": benchmark.commit_oid,
        "path": benchmark.split_path,
        "sha256": benchmark.data_sha256,
        "files": benchmark.files,
        "fields": benchmark.fields,
        "settings": benchmark.engine_settings,
        "max_length": benchmark.max_length,
        "bootstrap": {"draws": benchmark.bootstrap, "seed": benchmark.seed},
        "test_is_public": benchmark.test_is_public,
        "license": benchmark.license,
    }


def _computed(evaluation: Evaluation) -> dict[str, Any]:
    return {
        "engine": evaluation.engine_version,
        "versions": evaluation.versions,
        "dtype": evaluation.dtype,
        "seed": evaluation.seed,
        "device": evaluation.device,
        "threads": evaluation.threads,
        "worker": evaluation.provenance.get("worker", ""),
        "isolation": evaluation.provenance.get("isolation", []),
        "report": evaluation.report,
        "finished_at": evaluation.finished_at.isoformat() if evaluation.finished_at else None,
    }
