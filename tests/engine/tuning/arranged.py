"""Arranged rows and runs for the tests of tuning."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import asdict
from io import StringIO
from pathlib import Path
from typing import Any

from tests.engine.builders import LABELS, ROOT, toy_rows, write_jsonl
from worker.engine.progress import Progress
from worker.engine.tuning.contracts import Architecture, FinetuneSpec

TINY = Architecture(vocab_size=120, hidden=32, layers=1, heads=2, intermediate=64, max_positions=64)


def toy_arranged(count: int, *, start: int = 0) -> list[dict[str, Any]]:
    """Rows of a task that is learned in a few steps."""
    rows = enumerate(toy_rows(count, start=start))
    return [{"id": str(n), "question": {"text": row["text"]}, "gold": {"label": row["label"]}} for n, row in rows]


def spec_of(folder: Path, **changes: Any) -> FinetuneSpec:
    """Return a run of a model from scratch; changes are fields of the spec."""
    folder.mkdir(exist_ok=True)
    values: dict[str, Any] = {
        "task": "text-classification",
        "train": str(write_jsonl(folder / "train.jsonl", toy_arranged(120))),
        "dev": str(write_jsonl(folder / "dev.jsonl", toy_arranged(40, start=120))),
        "out_dir": str(folder / "run"),
        "settings": {"labels": LABELS},
        "architecture": TINY,
        "seed": 3,
    }
    values |= changes
    if values.get("model_dir"):
        values["architecture"] = None
    return FinetuneSpec(**values)


def run(spec: FinetuneSpec) -> dict[str, Any]:
    """Train in this process."""
    from worker.engine.tuning.training import finetune

    return finetune(spec, Progress(StringIO()))


def records(folder: Path, kind: str) -> list[dict[str, Any]]:
    """Return the records of one kind in the log of a run."""
    lines = (json.loads(line) for line in (folder / "log.jsonl").read_text(encoding="utf-8").splitlines())
    return [line for line in lines if line["kind"] == kind]


def losses(folder: Path) -> list[float]:
    """Return what was logged of each step."""
    return [record["loss"] for record in records(folder, "step")]


def kill_in_the_middle(spec: FinetuneSpec, folder: Path) -> None:
    """Run the command line and kill it when it has a checkpoint and is not done."""
    path = folder / "spec.json"
    path.write_text(json.dumps(asdict(spec)), encoding="utf-8")
    out = Path(spec.out_dir)
    process = subprocess.Popen(
        [sys.executable, "-m", "worker.engine", "finetune", str(path)],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 100
    while time.monotonic() < deadline and process.poll() is None:
        state = out / "checkpoint/state.json"
        if state.exists() and len(losses(out)) >= 9:
            break
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
