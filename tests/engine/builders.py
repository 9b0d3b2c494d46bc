"""Tiny things to evaluate: data files, and model folders with random weights."""

import json
import os
import struct
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
LABELS = ["negative", "positive"]
POSITIVE = ["good", "great", "lovely", "fine", "好", "棒"]
NEGATIVE = ["bad", "awful", "sad", "poor", "坏", "差"]


def write_jsonl(path: Path, rows: Iterable[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


def toy_rows(count: int, *, start: int = 0) -> list[dict[str, Any]]:
    """Rows whose label hangs on one word; lengths differ, so that batches are padded."""
    rows = []
    for number in range(start, start + count):
        label = LABELS[number % 2]
        words = POSITIVE if label == "positive" else NEGATIVE
        filler = ["the film was", "I think it is", "真的"][number % 3]
        rows.append({"text": f"{filler} {words[number % 6]}" + " indeed" * (number % 7), "label": label})
    return rows


def run_engine(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command line as a worker does: a child process with one thread."""
    return subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1", **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def last_line(process: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    line: dict[str, Any] = json.loads(process.stdout.splitlines()[-1])
    return line


def safetensors_bytes(header: object, body: bytes = b"", *, claim: int | None = None) -> bytes:
    raw = json.dumps(header).encode()
    return struct.pack("<Q", len(raw) if claim is None else claim) + raw + body


def edit_json(path: Path, **changes: Any) -> None:
    """Change keys of a JSON file; None takes a key out."""
    value = json.loads(path.read_text(encoding="utf-8"))
    for name, change in changes.items():
        if change is None:
            value.pop(name, None)
        else:
            value[name] = change
    path.write_text(json.dumps(value), encoding="utf-8")
