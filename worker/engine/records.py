"""One line of a benchmark file, read column by column; every error names the line and the column. Imports no torch."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from worker.engine.contracts import EngineError
from worker.engine.decoding import parse_json

SHOWN_LABELS = 10


@dataclass(frozen=True, slots=True)
class Record:
    """A line's values by column, and which column the benchmark gives to each role."""

    values: Mapping[str, Any]
    number: int
    columns: Mapping[str, str]

    def has(self, role: str) -> bool:
        """Say whether the benchmark names a column for this role and the line has it."""
        return role in self.columns and self.columns[role] in self.values

    def get(self, role: str) -> Any:
        """Return the value as it stands in the file."""
        column = self.columns.get(role, role)
        if column not in self.values:
            raise bad(self.number, f'it has no field "{column}"')
        return self.values[column]

    def bad(self, role: str, what: str) -> EngineError:
        """Return the error that says what is wrong with a column of this line."""
        return bad(self.number, f'its field "{self.columns.get(role, role)}" {what}')

    def text(self, role: str) -> str:
        """Return a text that is not empty."""
        return self._text(self.get(role), role)

    def texts(self, role: str, *, least: int = 1, most: int = 10_000) -> list[str]:
        """Return a list of texts; in CSV it is written as JSON."""
        value = self._list(self.get(role), role)
        if not least <= len(value) <= most:
            raise self.bad(role, f"must be a list of {least} to {most} texts")
        return [self._text(item, role) for item in value]

    def whole_number(self, role: str, *, least: int, most: int) -> int:
        """Return a whole number within bounds."""
        value = self.get(role)
        if isinstance(value, str) and value.strip().removeprefix("-").isdecimal() and len(value) < 20:
            value = int(value)
        if type(value) is not int or not least <= value <= most:
            raise self.bad(role, f"must be a whole number from {least} to {most}")
        return value

    def real(self, role: str) -> float:
        """Return a finite number."""
        value = self.get(role)
        if isinstance(value, str):
            try:
                value = float(value)
            except ValueError:
                value = None
        if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < math.inf:
            raise self.bad(role, "must be a number")
        return float(value)

    def label(self, role: str, labels: list[str]) -> str:
        """Return one of the labels, which the file may hold by name or by position."""
        return self._label(self.get(role), role, labels)

    def one_label(self, role: str, value: Any, labels: list[str]) -> str:
        """Return the label that a part of this column's value is, by name or by position."""
        return self._label(value, role, labels)

    def parsed(self, role: str) -> Any:
        """Return the value, taken for JSON where it is text, as cells of CSV are."""
        value = self.get(role)
        if not isinstance(value, str):
            return value
        try:
            return parse_json(value)
        except (ValueError, RecursionError) as error:
            raise self.bad(role, "is not JSON") from error

    def labels(self, role: str, labels: list[str]) -> list[str]:
        """Return any number of the labels in their own order: a JSON list, or text with commas between them."""
        value = self.get(role)
        if isinstance(value, str) and not value.lstrip().startswith("["):
            value = [value] if value in labels else [part.strip() for part in value.split(",") if part.strip()]
        found = {self._label(item, role, labels) for item in self._list(value, role)}
        return [label for label in labels if label in found]

    def tags(self, role: str, labels: list[str]) -> list[str]:
        """Return a list of labels in the order of the line, each by name or by position."""
        return [self._label(item, role, labels) for item in self._list(self.get(role), role)]

    def _list(self, value: Any, role: str) -> list[Any]:
        if isinstance(value, str):
            try:
                value = parse_json(value)
            except (ValueError, RecursionError):
                value = None
        if not isinstance(value, list):
            raise self.bad(role, "must be a list")
        return value

    def _text(self, value: Any, role: str) -> str:
        if not isinstance(value, str) or not value.strip():
            raise self.bad(role, "must be text and not empty")
        if not is_encodable(value):
            raise self.bad(role, "holds half of a surrogate pair")
        return value

    def _label(self, value: Any, role: str, labels: list[str]) -> str:
        if isinstance(value, str) and value in labels:
            return value
        shown = value
        # Many public data sets store the position of the label; in CSV it arrives as digits.
        if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 5:
            value = int(value)
        if type(value) is int and 0 <= value < len(labels):
            return labels[value]
        known = ", ".join(labels[:SHOWN_LABELS])
        raise self.bad(role, f"is {str(shown)[:80]!r}, not one of the labels: {known}")


def is_encodable(text: str) -> bool:
    """Say whether the text can be written: JSON may spell a lone surrogate, which no file and no tokenizer takes."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def bad(number: int, what: str) -> EngineError:
    """Return the error for a line of a data file."""
    return EngineError("bad_data", f"line {number}: {what}")
