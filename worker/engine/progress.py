"""Progress as JSON lines on the real standard output, a few in a second at most."""

import json
import os
import sys
import time
from typing import TextIO

MIN_INTERVAL = 0.2


class Progress:
    """Writes {"progress": 0..1, "message": "..."} lines."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self.last = 0.0

    def report(self, fraction: float, message: str, *, always: bool = False) -> None:
        """Write one line, unless the last one is fresh; the end is always written."""
        now = time.monotonic()
        if not always and fraction < 1 and now - self.last < MIN_INTERVAL:
            return
        self.last = now
        self.stream.write(self.line(round(min(max(fraction, 0.0), 1.0), 4), message) + "\n")
        self.stream.flush()

    def line(self, fraction: float, message: str) -> str:
        """Return how one report is written."""
        return json.dumps({"progress": fraction, "message": message}, ensure_ascii=False)


class PlainProgress(Progress):
    """Writes lines for a person at a terminal."""

    def line(self, fraction: float, message: str) -> str:
        """Return how one report is written."""
        return f"{fraction:4.0%}  {message}"


def claim_stdout() -> Progress:
    """Keep standard output for progress alone: what libraries print goes to standard error."""
    sys.stdout.flush()
    stream = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return Progress(stream)
