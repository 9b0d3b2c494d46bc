"""Rows of public data sets that lie beside the checkout."""

import json
from itertools import islice
from pathlib import Path
from typing import Any

from tests.servers import absent

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "data"


def rows_of(name: str, most: int | None = None) -> list[dict[str, Any]]:
    """Return rows of the test file of a set, such as `open/wnut17`."""
    path = FOLDER / name / "test.jsonl"
    if not path.exists():
        absent("needs the shared data")
    with path.open(encoding="utf-8") as file:
        return [json.loads(line) for line in islice(file, most)]
