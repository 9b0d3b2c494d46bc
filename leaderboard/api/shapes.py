"""What the rows of the leaderboard look like in the REST API."""

from collections.abc import Collection
from typing import Any

from leaderboard.models import Benchmark, Evaluation, Suite
from leaderboard.ranking import Board, Cell
from portal.api.shapes import job_shape


def benchmark_shape(benchmark: Benchmark) -> dict[str, Any]:
    return {
        "id": benchmark.pk,
        "url": benchmark.get_absolute_url(),
        "name": benchmark.name,
        "name_zh": benchmark.name_zh,
        "version": benchmark.version,
        "description": benchmark.description,
        "description_zh": benchmark.description_zh,
        "license": benchmark.license,
        "test_is_public": benchmark.test_is_public,
        "dataset": benchmark.dataset.full_name,
        "commit": benchmark.commit_oid,
        "path": benchmark.path,
        "task": benchmark.task,
        "split": {"path": benchmark.split_path, "sha256": benchmark.data_sha256, "size": benchmark.data_size},
        "fields": benchmark.fields,
        "labels": benchmark.labels,
        "label_map": benchmark.label_map,
        "primary": benchmark.primary_metric,
        "metrics": benchmark.metrics,
        "max_length": benchmark.max_length,
        "seed": benchmark.seed,
        "bootstrap": benchmark.bootstrap,
        "created_at": benchmark.created_at,
    }


def suite_shape(suite: Suite) -> dict[str, Any]:
    """Return a suite; private benchmarks are left out, whoever asks: a board is public."""
    return {
        "slug": suite.slug,
        "url": suite.get_absolute_url(),
        "title": suite.title,
        "title_zh": suite.title_zh,
        "description": suite.description,
        "description_zh": suite.description_zh,
        "benchmarks": [
            {"id": entry.benchmark_id, "name": entry.benchmark.name, "weight": entry.weight}
            for entry in suite.entries.all()
            if not entry.benchmark.dataset.private
        ],
    }


def evaluation_shape(evaluation: Evaluation, served: Collection[str] | None = None) -> dict[str, Any]:
    """Return an evaluation as lists show it."""
    return {
        "id": evaluation.pk,
        "url": evaluation.get_absolute_url(),
        "state": evaluation.state,
        "model": {"repo": evaluation.model.full_name, "commit": evaluation.commit_oid},
        "benchmark": {
            "id": evaluation.benchmark_id,
            "name": evaluation.benchmark.name,
            "version": evaluation.benchmark.version,
            "dataset": evaluation.benchmark.dataset.full_name,
        },
        "primary": _primary(evaluation),
        "is_outdated": evaluation.is_outdated,
        "engine_version": evaluation.engine_version,
        "dtype": evaluation.dtype,
        "seed": evaluation.seed,
        "requested_by": evaluation.requested_by.username if evaluation.requested_by else None,
        "created_at": evaluation.created_at,
        "finished_at": evaluation.finished_at,
        "job": job_shape(evaluation.job, served) if evaluation.job else None,
    }


def _primary(evaluation: Evaluation) -> dict[str, Any] | None:
    if not evaluation.is_finished:
        return None
    return {
        "name": evaluation.benchmark.primary_metric,
        "value": evaluation.value,
        "low": evaluation.low,
        "high": evaluation.high,
    }


def findings_shape(evaluation: Evaluation) -> dict[str, Any]:
    """Return all that was found and how, {} before the evaluation is finished."""
    if not evaluation.is_finished:
        return {}
    return {
        "n": evaluation.n,
        "metrics": evaluation.metrics,
        "per_class": evaluation.per_class,
        "confusion": evaluation.confusion,
        "floors": evaluation.floors,
        "device": evaluation.device,
        "threads": evaluation.threads,
        "versions": evaluation.versions,
        "report": evaluation.report,
        "truncated": evaluation.truncated,
        "provenance": evaluation.provenance,
    }


def board_shape(board: Board) -> dict[str, Any]:
    return {
        "suite": suite_shape(board.suite),
        "rows": [
            {
                "model": row.model.full_name,
                "rank": row.rank,
                "best_rank": row.best_rank,
                "worst_rank": row.worst_rank,
                "score": row.score,
                "low": row.low,
                "high": row.high,
                "results": [_cell(cell) for cell in row.cells],
            }
            for row in board.rows
        ],
        "unranked": [
            {
                "model": entry.model.full_name,
                "missing": [benchmark.pk for benchmark in entry.missing],
                "results": [_cell(cell) for cell in entry.cells],
            }
            for entry in board.unranked
        ],
    }


def _cell(cell: Cell | None) -> dict[str, Any] | None:
    if cell is None:
        return None
    return {
        "evaluation": cell.evaluation.pk,
        "benchmark": cell.evaluation.benchmark_id,
        "value": cell.evaluation.value,
        "low": cell.evaluation.low,
        "high": cell.evaluation.high,
        "floor": cell.floor,
        "normalised": cell.normalised,
        "is_outdated": cell.is_outdated,
    }
