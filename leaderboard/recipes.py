"""A finished evaluation as a recipe: all that is needed to get the same number from a shell."""

from typing import Any

from leaderboard import recording
from leaderboard.models import Evaluation


def recipe_of(evaluation: Evaluation, *, endpoint: str) -> dict[str, Any]:
    """Return what `python -m worker.engine reproduce` reads; `endpoint` is the address of this portal."""
    benchmark = evaluation.benchmark
    spec = {
        "task": benchmark.task,
        **recording.spec_of(evaluation),
        "threads": evaluation.threads or 1,
        "device": "cuda" if evaluation.device == "cuda" else "cpu",
    }
    return {
        "endpoint": endpoint,
        "model": {
            "repo": evaluation.model.full_name,
            "commit": evaluation.commit_oid,
            "files": evaluation.provenance["model"]["files"],
        },
        **_base_of(evaluation),
        "dataset": {
            "repo": benchmark.dataset.full_name,
            "commit": benchmark.commit_oid,
            "path": benchmark.split_path,
            "sha256": benchmark.data_sha256,
            "files": {name: {"path": file["path"], "sha256": file["sha256"]} for name, file in benchmark.files.items()},
        },
        "spec": spec,
        "fields": benchmark.fields,
        "robustness": benchmark.engine_robustness,
        "score": {
            "bootstrap": benchmark.bootstrap,
            "seed": benchmark.seed,
            "primary": benchmark.primary_metric,
        },
        "expected": {
            "primary": {"name": benchmark.primary_metric, **evaluation.metric(benchmark.primary_metric)},
            "metrics": evaluation.metrics,
            "prediction_digest": evaluation.prediction_digest,
            "robustness_digest": evaluation.details.get("robustness", {}).get("digest"),
        },
        "engine_version": evaluation.engine_version,
        "versions": evaluation.versions,
    }


def _base_of(evaluation: Evaluation) -> dict[str, Any]:
    """Return what an adapter was put on; one that not everybody sees is named beside private adapters alone."""
    if not evaluation.base_commit:
        return {}
    base = evaluation.base
    is_told = base is not None and (evaluation.model.private or not base.private)
    files = evaluation.provenance.get("base", {}).get("files", {})
    return {
        "base": {"repo": base.full_name if base and is_told else "", "commit": evaluation.base_commit, "files": files}
    }
