"""The verb `arrange`: training data is read, checked, split where it is not, and written as the engine wants it."""

import json
import random
from pathlib import Path
from typing import Any

from worker.engine.contracts import EngineError
from worker.engine.measures.entities import OUTSIDE
from worker.engine.progress import Progress
from worker.engine.rows import write_lines
from worker.engine.tasks import find
from worker.engine.tuning.arranged_rows import Line, Source, read_source
from worker.engine.tuning.contracts import DATA_REPORT_FILE, ArrangeSpec
from worker.engine.tuning.data_check import character_lengths, findings_of, imbalance_of, label_counts
from worker.engine.tuning.learning_rows import is_conversation, tested
from worker.engine.tuning.splitting import split

TRAIN = "train.jsonl"
DEV = "dev.jsonl"
TEST_INPUTS = "test_inputs.jsonl"
TEST_GOLD = "test_gold.jsonl"


def arrange(spec: ArrangeSpec, progress: Progress) -> dict[str, Any]:
    """Write the rows and the report of a data set and return the report; findings that forbid training are errors."""
    task = find(spec.task)
    if any(task.files.values()):
        raise EngineError("bad_spec", f"models cannot be trained for {task.name}")
    source = read_source(spec, task)
    progress.report(0.5, "checking", always=True)
    parts, cut = _parts(source)
    counts = label_counts(parts)
    findings = findings_of(source, parts)
    report = {
        "task": task.name,
        "settings": source.settings,
        "labels_found": source.found_labels,
        "columns": source.seen_columns,
        "fields": dict(source.columns),
        "read": {name: part.read for name, part in source.parts.items()},
        "rows": {name: len(lines) for name, lines in parts.items() if lines},
        "skipped": {name: sum(map(len, part.skipped.values())) for name, part in source.parts.items()},
        "cut": cut,
        "seed": spec.seed,
        "labels": counts if any(counts.values()) else {},
        "imbalance": imbalance_of({label: n for label, n in counts["train"].items() if label != OUTSIDE}),
        "characters": character_lengths(parts) if task.reads_text else {},
        "findings": findings,
    }
    folder = Path(spec.out_dir)
    folder.mkdir(parents=True, exist_ok=True)
    if not any(finding["severity"] == "error" for finding in findings):
        _write(source, parts, folder)
    (folder / DATA_REPORT_FILE).write_text(
        json.dumps(report, ensure_ascii=False, indent=1, allow_nan=False) + "\n", encoding="utf-8"
    )
    progress.report(1.0, "done", always=True)
    return report


def _parts(source: Source) -> tuple[dict[str, list[Line]], list[str]]:
    """Return the lines of each part, and which parts were cut off the training rows."""
    spec = source.spec
    parts = {name: part.lines for name, part in source.parts.items()}
    train = parts["train"]
    if spec.max_rows is not None and len(train) > spec.max_rows:
        rng = random.Random(spec.seed)  # noqa: S311  (which rows are taken is no secret)
        train = [train[place] for place in sorted(rng.sample(range(len(train)), spec.max_rows))]
    shares = {
        part: share
        for part, share in (("dev", spec.dev_share), ("test", spec.test_share))
        if part not in parts
        and share > 0
        # What nothing can be scored on is better learned from.
        and not (part == "test" and any(is_conversation(line.question) for line in train[:1]))
    }
    made = {**parts, **split(train, shares, spec.seed)}
    return {name: made[name] for name in ("train", "dev", "test") if name in made}, list(shares)


def _write(source: Source, parts: dict[str, list[Line]], folder: Path) -> None:
    for name, file in (("train", TRAIN), ("dev", DEV)):
        if lines := parts.get(name):
            rows = ({"id": _id(line), "question": line.question, "gold": line.gold} for line in lines)
            write_lines(folder / file, rows)
    if lines := parts.get("test"):
        settings = source.task.settings(source.settings)
        asked = [(_id(line), tested(source.task, line.question, line.gold, settings)) for line in lines]
        kept = [(name, *row) for name, row in asked if row is not None and not is_conversation(row[0])]
        if not kept:
            return
        ids, questions = [name for name, _question, _gold in kept], [question for _name, question, _gold in kept]
        plain = [{name: value for name, value in gold.items() if name != "starts"} for _name, _question, gold in kept]
        golds = source.task.finish(ids, questions, plain, {}, settings)
        write_lines(folder / TEST_INPUTS, ({"id": id_, **row} for id_, row in zip(ids, questions, strict=True)))
        write_lines(folder / TEST_GOLD, ({"id": id_, **gold} for id_, gold in zip(ids, golds, strict=True)))


def _id(line: Line) -> str:
    """Return a name that leads back to the file and its line."""
    return f"{line.part}-{line.number}"
