"""The log of a run: one JSON line a record, numbered without a gap, written as they come. Imports no torch.

Kinds of records, each with "seq" and "seconds" since the run began, those of earlier attempts included:
{"kind": "phase", "phase": "loading" | "tokenising" | "training" | "evaluating" | "saving"}
{"kind": "step", "step", "steps", "epoch", "loss", "lr", "grad_norm", "examples_per_second", "tokens_per_second",
 "padding" (share of tokens that are), "left" (seconds to go), "rss_mb", and where there is one "aux_loss", "gpu_mb"}
{"kind": "dev", "step", "epoch", "loss", "metrics": {name: value}, "best": bool}
{"kind": "note", "text"}: something that its reader should know, in English.
"""

import json
import time
from pathlib import Path
from typing import Any

from worker.engine.tuning.contracts import LOG_FILE


class Log:
    """Appends records to the log of a run."""

    def __init__(self, folder: Path, *, seq: int = 0, seconds: float = 0.0) -> None:
        """Go on behind `seq` records, of which later ones are cut off: what was after a checkpoint comes again."""
        self.seq = seq
        self._began = time.monotonic() - seconds
        self._path = folder / LOG_FILE
        lines = self._path.read_bytes().splitlines(keepends=True)[:seq] if seq and self._path.exists() else []
        self.seq = len(lines)
        self._path.write_bytes(b"".join(lines))

    @property
    def seconds(self) -> float:
        """Return how long the run has taken, earlier attempts included."""
        return time.monotonic() - self._began

    def write(self, kind: str, **values: Any) -> None:
        """Append one record; whoever reads along sees whole lines."""
        record = {"seq": self.seq, "kind": kind, "seconds": round(self.seconds, 3), **values}
        with self._path.open("ab") as file:
            file.write(json.dumps(record, ensure_ascii=False, allow_nan=False).encode() + b"\n")
        self.seq += 1
