"""The engine as a child process: this process stays free of torch."""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any, Literal

from demo.errors import DemoFailed
from worker.engine.contracts import EvaluateSpec, TrainSpec

ROOT = Path(__file__).resolve().parent.parent
LAST_WORDS = 2000

OnLine = Callable[[str], object]
OnProgress = Callable[[float, str], object]


def run_engine(
    verb: Literal["train", "evaluate"], spec: TrainSpec | EvaluateSpec, folder: Path, on_progress: OnProgress
) -> dict[str, Any]:
    """Run one verb in a process of its own, with its spec and its log in folder, and return the result."""
    spec_path, log_path = folder / f"{verb}.json", folder / f"{verb}.log"
    spec_path.write_text(json.dumps(asdict(spec)), encoding="utf-8")
    command = [sys.executable, "-m", "worker.engine", verb, str(spec_path)]
    # Libraries may write more to standard error than a pipe holds; a file never blocks them.
    with (
        log_path.open("wb") as log,
        subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=log, encoding="utf-8") as process,
    ):
        assert process.stdout is not None
        last = _follow(process.stdout, on_progress)
    if "result" in last:
        result: dict[str, Any] = last["result"]
        return result
    reason = last.get("error", {}).get("message") or log_path.read_text("utf-8", "replace")[-LAST_WORDS:].strip()
    raise DemoFailed(f"The engine could not {verb} (exit status {process.returncode}): {reason}")


def _follow(stream: IO[str], on_progress: OnProgress) -> dict[str, Any]:
    last: dict[str, Any] = {}
    for line in stream:
        last = json.loads(line)
        if "progress" in last:
            on_progress(last["progress"], last["message"])
    return last
