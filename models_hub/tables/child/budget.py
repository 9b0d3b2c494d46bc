"""How much a reading may take in, and what it has to say about it."""

import time
from dataclasses import dataclass, field
from typing import Any

MAX_NOTES = 20


class Unreadable(Exception):
    """A file cannot be read as a table at all. `code` names the text that a reader of the page sees."""

    def __init__(self, code: str, **data: Any) -> None:
        super().__init__(code)
        self.code = code
        self.data = data


@dataclass
class Budget:
    """Ends a reading in good time: what was read until then is shown, and the page says that it is not all."""

    max_bytes: int
    max_rows: int
    max_values: int
    cpu_seconds: float
    bytes: int = 0
    rows: int = 0
    values: int = 0
    is_spent: bool = False

    def take(self, size: int) -> bool:
        """Count bytes that were read; False when they are more than may be read."""
        if self.bytes + size > self.max_bytes:
            self.is_spent = True
            return False
        self.bytes += size
        return True

    def take_row(self, values: int) -> bool:
        """Count a row; False when there is no room for it."""
        if (
            self.rows >= self.max_rows
            or self.values + values > self.max_values
            or (self.rows % 256 == 0 and time.process_time() > self.cpu_seconds)
        ):
            self.is_spent = True
            return False
        self.rows += 1
        self.values += values
        return True


@dataclass
class Notes:
    """What is wrong with the files, with the place of each; of many alike the first are kept and all are counted."""

    kept: list[dict[str, Any]] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)

    def add(self, code: str, *, file: str, line: int | None = None, **data: Any) -> None:
        self.counts[code] = self.counts.get(code, 0) + 1
        if self.counts[code] <= MAX_NOTES // 4 and len(self.kept) < MAX_NOTES:
            self.kept.append({"code": code, "file": file, "line": line, "data": data})
