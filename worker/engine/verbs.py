"""The verbs that need no torch, in the shape that the command line calls."""

from typing import Any

from worker.engine import comparing, rows, scoring
from worker.engine.contracts import CompareSpec, PrepareSpec, ScoreSpec
from worker.engine.progress import Progress


def prepare(spec: PrepareSpec, progress: Progress) -> dict[str, Any]:
    """Split a benchmark file and return the number of its examples."""
    count = rows.prepare(spec)
    progress.report(1.0, "done", always=True)
    return {"rows": count}


def score(spec: ScoreSpec, progress: Progress) -> dict[str, Any]:
    """Score predictions and return what was written."""
    result = scoring.score(spec)
    progress.report(1.0, "done", always=True)
    return result


def compare(spec: CompareSpec, progress: Progress) -> dict[str, Any]:
    """Compare two files of predictions and return the difference."""
    result = comparing.compare(spec)
    progress.report(1.0, "done", always=True)
    return result
