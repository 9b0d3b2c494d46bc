"""Cells of CSV files that people open in spreadsheets."""

import json
from typing import Any

# A spreadsheet would take text that begins so for a formula, and people and models may write anything.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def cell(value: Any) -> Any:
    """Return a value as CSV holds it: "" for nothing, 1 for true, JSON for what has parts, and text that stays text."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, dict | list):
        value = json.dumps(value, ensure_ascii=False)
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
