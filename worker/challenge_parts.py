"""What the jobs of challenges share: rows in parts, scores of a part, and comparisons on it, each in a sandbox."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.conf import settings

from leaderboard.models import Challenge
from models_hub.models import Blob
from worker import scratch
from worker.attempts import Attempt
from worker.engine.contracts import CompareSpec, EngineError, ScoreSpec
from worker.engine.decoding import parse_json, read_json_object
from worker.engine_runs import Run, run_verb
from worker.jobs.limits import limits_of

MAX_SCORES_BYTES = 64 * 1024**2
DRAWS = 2000
PUBLIC, PRIVATE = "public", "private"


def lay_out(root: Path) -> None:
    """Make the folders of a job; the answers can be entered by nobody but this process until the model is gone."""
    for name in ("spec", "judged", "scores"):
        (root / name).mkdir(exist_ok=True)
    (root / "answers").mkdir(mode=0o700, exist_ok=True)


def place_answers(attempt: Attempt, root: Path, **parts: Blob | None) -> None:
    """Fetch the answers of parts of the rows."""
    for part, blob in parts.items():
        assert blob is not None
        scratch.place_blob(attempt.job, blob, root / "answers" / f"{part}.jsonl")


def ids_of(path: Path) -> list[int]:
    """Return the ids of a file of answers, which the portal gave out itself."""
    return [int(json.loads(line)["id"]) for line in path.read_bytes().splitlines()]


def take_part(predictions: Path, ids: Iterable[int], target: Path, *, rows: int) -> Path:
    """Copy the lines of some rows; of a file that a sandbox wrote, one line for each id from 1 to `rows` in order."""
    lines = predictions.read_bytes().removesuffix(b"\n").split(b"\n")
    if len(lines) != rows:
        raise EngineError("bad_predictions", f"{rows} rows are needed, {len(lines)} are given")
    target.write_bytes(b"".join(lines[number - 1] + b"\n" for number in ids))
    return target


def score(
    attempt: Attempt, challenge: Challenge, root: Path, part: str, *, share: tuple[float, float]
) -> dict[str, Any]:
    """Return {"value", "low", "high"} of the metric on one part, from a process that has seen no byte of a model."""
    out = root / "scores" / f"{part}.json"
    (root / "answers").chmod(0o755)
    definition = challenge.definition
    spec = ScoreSpec(
        gold=str(root / "answers" / f"{part}.jsonl"),
        predictions=str(root / "judged" / f"{part}.jsonl"),
        task=challenge.task,
        settings=definition.engine_settings,
        out=str(out),
        bootstrap=DRAWS,
        primary=challenge.metric,
    )
    run_verb(
        attempt,
        Run("score", spec, readonly=[root / "answers", root / "judged"], writable=root / "scores", share=share),
        spec_folder=root / "spec",
        limits=limits_of(memory_mb=min(settings.JOB_MEMORY_MB, 4096), threads=1),
    )
    return _read(out, root / f"{part}-scores.json")["primary"]  # type: ignore[no-any-return]


def compare(
    attempt: Attempt,
    challenge: Challenge,
    root: Path,
    part: str,
    *,
    before: Path,
    after: Path,
    share: tuple[float, float],
) -> dict[str, Any]:
    """Return how two files of predictions differ on one part: {"difference" (after − before), "low", "high", "p"}."""
    out = root / "scores" / "comparison.json"
    (root / "answers").chmod(0o755)
    spec = CompareSpec(
        task=challenge.task,
        gold=str(root / "answers" / f"{part}.jsonl"),
        before=str(before),
        after=str(after),
        settings=challenge.definition.engine_settings,
        primary=challenge.metric,
        bootstrap=DRAWS,
    )
    found = run_verb(
        attempt,
        Run("compare", spec, readonly=[root / "answers", root / "judged"], writable=root / "scores", share=share),
        spec_folder=root / "spec",
        limits=limits_of(memory_mb=min(settings.JOB_MEMORY_MB, 4096), threads=1),
    )
    out.unlink(missing_ok=True)
    return {name: float(found[name]) for name in ("difference", "low", "high", "p")}


def lines_of(path: Path) -> Iterable[tuple[str, dict[str, Any]]]:
    """Yield the id and the rest of each line that the sandbox wrote; hostile data was read there."""
    with path.open("rb") as file:
        for line in file:
            value = parse_json(line.decode("utf-8"))
            if not isinstance(value, dict) or not isinstance(value.get("id"), str):
                raise EngineError("bad_data", "a row has no id")
            yield value.pop("id"), value


def _read(source: Path, target: Path) -> dict[str, Any]:
    scratch.collect(source, target, limit=MAX_SCORES_BYTES)
    return read_json_object(target, limit=MAX_SCORES_BYTES, code="bad_predictions")
