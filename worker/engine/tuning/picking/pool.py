"""The verb `pool`: rows that nobody answered yet, and a sample of those that somebody did. Imports no torch."""

import json
import random
from collections import Counter
from pathlib import Path
from typing import Any

from worker.engine.contracts import MAX_LABELS, EngineError
from worker.engine.progress import Progress
from worker.engine.rows import records_in, write_lines
from worker.engine.tasks.task import Value
from worker.engine.tuning.picking import asking
from worker.engine.tuning.picking.contracts import KNOWN, MAX_KNOWN, POOL, POOL_REPORT, PoolSpec

MAX_ROWS = 1_000_000
MAX_LABEL_CHARACTERS = 256


def pool(spec: PoolSpec, progress: Progress) -> dict[str, Any]:
    """Write pool.jsonl, known.jsonl and a report of what was counted; return the report."""
    path = Path(spec.file)
    columns = asking.columns_of(spec.task, spec.fields)
    counts = dict.fromkeys(("rows", "known", "unreadable", "too_long", "doubled"), 0)
    labels: Counter[str] = Counter()
    waiting, known = Sample(spec.most, spec.seed), Sample(MAX_KNOWN, spec.seed)
    seen: set[str] = set()

    def skip(_number: int, _error: EngineError) -> None:
        counts["rows"] += 1
        counts["unreadable"] += 1

    for number, values in records_in(path, asking.format_of(path), skip):
        counts["rows"] += 1
        if counts["rows"] > MAX_ROWS:
            raise EngineError("bad_data", f"the file has more than {MAX_ROWS} rows")
        try:
            question = asking.question_of(spec.task, values, number, columns)
        except EngineError:
            counts["unreadable"] += 1
            continue
        answer = asking.answer_of(spec.task, values, columns)
        if answer is not None:
            counts["known"] += 1
            _count(labels, asking.named_labels(spec.task, answer))
            known.offer({"question": question})
        elif asking.is_too_long(question):
            counts["too_long"] += 1
        elif (text := asking.text_of(question)) in seen:
            counts["doubled"] += 1
        else:
            seen.add(text)
            waiting.offer({"id": str(number), **question})
    folder = Path(spec.out_dir)
    write_lines(folder / POOL, waiting.rows())
    write_lines(folder / KNOWN, known.rows())
    found = sorted(labels, key=lambda label: (-labels[label], label))
    report = {**counts, "open": len(seen), "pool": len(waiting.rows()), "labels": spec.labels or found}
    (folder / POOL_REPORT).write_text(json.dumps(report, ensure_ascii=False) + "\n", encoding="utf-8")
    progress.report(1.0, "done", always=True)
    return {name: value for name, value in report.items() if name != "labels"}


class Sample:
    """An even sample of a stream of rows, in their order (reservoir sampling, seeded)."""

    def __init__(self, most: int, seed: int) -> None:
        self._most, self._random = most, random.Random(seed)  # noqa: S311
        self._kept: list[tuple[int, Value]] = []
        self._offered = 0

    def offer(self, row: Value) -> None:
        """Take the row, or leave it, with the chance of every other."""
        at = self._offered
        self._offered += 1
        if len(self._kept) < self._most:
            self._kept.append((at, row))
        elif (place := self._random.randrange(self._offered)) < self._most:
            self._kept[place] = (at, row)

    def rows(self) -> list[Value]:
        """Return what was kept."""
        return [row for _at, row in sorted(self._kept, key=lambda pair: pair[0])]


def _count(labels: Counter[str], names: list[str]) -> None:
    """Count labels; of a column that holds no closed list only the first thousand texts."""
    for name in names:
        if name in labels or (len(labels) < MAX_LABELS and len(name) <= MAX_LABEL_CHARACTERS):
            labels[name] += 1
