"""The verb `pick`: which rows of the pool a person should answer, the most useful ones first. Imports no torch."""

from pathlib import Path
from typing import Any

import numpy as np

from worker.engine.contracts import EngineError
from worker.engine.predictions import ID_BYTES, read_bounded, read_row
from worker.engine.progress import Progress
from worker.engine.rows import Questions, read_changed, records_in, write_lines
from worker.engine.tasks import find
from worker.engine.tasks.task import Array, Task, Value
from worker.engine.tuning.picking.asking import text_of
from worker.engine.tuning.picking.contracts import PickSpec
from worker.engine.tuning.picking.doubts import checked, doubts_of, guess_of, number_of
from worker.engine.tuning.picking.spreading import choose

# Only so many rows of the largest doubt are compared with each other.
COMPARED = 5000
DIGITS = 4


def pick(spec: PickSpec, progress: Progress) -> dict[str, Any]:
    """Write the chosen rows, in the order in which they should be asked, and return what was counted."""
    task = find(spec.task)
    pool = read_changed(Path(spec.pool), {})
    known = [text_of(row["question"]) for _number, row in records_in(Path(spec.known), "jsonl")]
    settings = task.settings(spec.settings)
    guesses: list[Value] = []
    doubts: Array = np.ones(len(pool.ids))
    if spec.predictions is not None:
        guesses = _read(Path(spec.predictions), task, pool, settings)
        doubts = doubts_of(task, guesses, settings.labels, spec.order)
    order = np.argsort(-doubts, kind="stable")
    if spec.order == "spread":
        order = np.random.default_rng(spec.seed).permutation(len(pool.ids))
    candidates = order[:COMPARED].tolist()
    progress.report(0.3, "choosing", always=True)
    choice = choose([text_of(pool.values[at]) for at in candidates], doubts[candidates], known, spec.count)
    rows = [candidates[at] for at in choice.rows]
    write_lines(Path(spec.out), (_line(pool, at, guesses, doubts) for at in rows))
    progress.report(1.0, "done", always=True)
    return {
        "picked": len(rows),
        "near": choice.passed,
        "doubt": round(float(doubts.mean()), DIGITS) if len(doubts) else 0,
    }


def _line(pool: Questions, at: int, guesses: list[Value], doubts: Array) -> Value:
    line = {"line": int(pool.ids[at]), "question": pool.values[at]}
    if not guesses:
        return line
    return {**line, "guess": guess_of(guesses[at]), "doubt": round(float(doubts[at]), DIGITS)}


def _read(path: Path, task: Task[Any], pool: Questions, settings: Any) -> list[Value]:
    """Return what the model said of each row of the pool; the file was written by a process that ran it."""
    raw = read_bounded(path, limit=2 * (task.max_row_bytes(settings) + ID_BYTES) * len(pool.ids))
    lines = raw.removesuffix(b"\n").split(b"\n")
    if len(lines) != len(pool.ids):
        raise EngineError("bad_predictions", f"{len(pool.ids)} rows are needed, {len(lines)} are given")
    found = []
    for number, (line, identity, question) in enumerate(zip(lines, pool.ids, pool.values, strict=True), start=1):
        row = read_row(line, identity, number)
        try:
            found.append(checked(task, row, question, settings))
        except EngineError as error:
            raise number_of(error, number) from error
    return found
