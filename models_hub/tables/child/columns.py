"""What is counted of one column while the rows go by."""

import json
import math
import re
import sys
from array import array
from collections import Counter
from typing import Any

from models_hub.tables.child.cells import kind_of

MAX_LABELS = 200
MAX_LABEL_LENGTH = 80
BINS = 12
_HASH = (1 << 64) - 1
_WHOLE = re.compile(r"[+-]?(0|[1-9]\d{0,17})")
_NUMBER = re.compile(r"[+-]?(\d{1,30}(\.\d{0,30})?|\.\d{1,30})([eE][+-]?\d{1,3})?")
# How other programs write a number that is missing. They are texts wherever a column has other texts.
_ABSENT = frozenset(("NA", "N/A", "NaN", "nan", "null", "NULL", "None", "#N/A"))


class Column:
    """Counts the values of one column exactly; `are_texts` says that the file has no types, as CSV has none."""

    def __init__(self, name: str, *, are_texts: bool) -> None:
        self.name = name
        self.are_texts = are_texts
        self.kinds: Counter[str] = Counter()
        self.numbers = array("d")
        self.sizes = array("L")  # characters of texts, items of lists
        self.hashes = array("Q")
        self.values: Counter[Any] | None = Counter()
        self.items: Counter[str] | None = Counter()
        self.absent = 0
        self.images = 0
        self.may_be_number = are_texts
        self.is_whole = True

    def add(self, value: Any) -> None:
        """Count one value, as it was read and before it was cut."""
        kind = "" if self.are_texts and value == "" else kind_of(value)
        if not kind:
            return
        self.kinds[kind] += 1
        self.hashes.append(_hash(kind, value))
        if kind == "text":
            self.sizes.append(len(value))
            if self.may_be_number:
                self._try_number(value)
        elif kind in ("whole", "number"):
            self.numbers.append(_float(value))
        elif kind == "list":
            self.sizes.append(len(value))
            self._count_items(value)
        self._count(kind, value)

    def _try_number(self, text: str) -> None:
        text = text.strip()
        if _WHOLE.fullmatch(text) or (_NUMBER.fullmatch(text) and not _is_code(text)):
            self.is_whole = self.is_whole and _WHOLE.fullmatch(text) is not None
            self.numbers.append(_float(float(text)))
        elif text in _ABSENT:
            self.absent += 1
        else:
            self.may_be_number = False
            self.numbers = array("d")

    def _count(self, kind: str, value: Any) -> None:
        if self.values is None or kind in ("list", "object", "number"):
            return
        if kind == "text" and len(value) > MAX_LABEL_LENGTH:
            self.values = None
            return
        self.values[str(value).lower() if kind == "truth" else str(value)] += 1
        if len(self.values) > MAX_LABELS:
            self.values = None

    def _count_items(self, value: list[Any]) -> None:
        if self.items is None:
            return
        if not all(isinstance(item, str | int) and len(str(item)) <= MAX_LABEL_LENGTH for item in value):
            self.items = None
            return
        self.items.update(map(str, value))
        if len(self.items) > MAX_LABELS:
            self.items = None

    def facts(self, rows: int) -> dict[str, Any]:
        """Return what a page shows of the column; `rows` is how many there are."""
        present = sum(self.kinds.values())
        is_number = self._is_number()
        if is_number:
            present -= self.absent
        type_name = self._type(is_number)
        found: dict[str, Any] = {
            "name": self.name,
            "type": type_name,
            "missing": rows - present,
            "distinct": len(set(self.hashes)) - self._distinct_absent(is_number),
            "numbers": summary(self.numbers, is_whole=type_name == "whole") if is_number else None,
            "sizes": summary(self.sizes, is_whole=True) if self.sizes and not is_number else None,
            "labels": None,
            "several": False,
        }
        labels = self._labels(present, is_number)
        if labels is not None:
            found["labels"], found["several"] = labels.most_common(), type_name == "list"
        return found

    def note_image(self) -> None:
        """Count a value that holds an image."""
        self.images += 1

    def are_times(self) -> None:
        """Call the column what it is in its file: JSON has no times, so that they are texts by now."""
        self.kinds = Counter({"time": sum(self.kinds.values())})
        self.sizes = array("L")

    def _is_number(self) -> bool:
        if self.are_texts:
            return self.may_be_number and len(self.numbers) > 0
        return len(self.numbers) > 0 and set(self.kinds) <= {"whole", "number"}

    def _distinct_absent(self, is_number: bool) -> int:
        return len(set(self.hashes) & {_hash("text", word) for word in _ABSENT}) if is_number and self.absent else 0

    def _type(self, is_number: bool) -> str:
        if is_number:
            whole = self.is_whole if self.are_texts else set(self.kinds) == {"whole"}
            return "whole" if whole else "number"
        if self.images and self.images == sum(self.kinds.values()):
            return "image"
        kinds = [kind for kind in self.kinds if kind]
        if set(kinds) == {"whole", "number"}:
            return "number"
        return kinds[0] if len(kinds) == 1 else "mixed" if kinds else "empty"

    def _labels(self, present: int, is_number: bool) -> Counter[str] | None:
        """Return how often each value occurs, None for a column whose values are no classes: each is about its own."""
        values = self.items if set(self.kinds) == {"list"} else self.values
        if not values or set(self.kinds) & {"number", "object"}:
            return None
        if is_number and (not self.is_whole or len(values) > 30):
            return None
        total = sum(values.values())
        if self.are_texts and is_number:
            values = Counter({value: count for value, count in values.items() if value not in _ABSENT})
        return values if len(values) <= 2 or 2 * len(values) <= total else None


def _is_code(text: str) -> bool:
    """A number that begins with a nought, as postcodes do, is a name."""
    digits = text.lstrip("+-")
    return len(digits) > 1 and digits[0] == "0" and digits[1].isdigit()


def _float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:  # a whole number of hundreds of digits
        return sys.float_info.max if value > 0 else -sys.float_info.max


def _hash(kind: str, value: Any) -> int:
    if kind in ("list", "object"):
        value = json.dumps(value, sort_keys=True, default=str)
    return hash((kind in ("list", "object", "text"), value)) & _HASH


def summary(values: "array[Any]", *, is_whole: bool) -> dict[str, Any]:
    """Return least, greatest, mean, median, standard deviation (of a sample) and a histogram of numbers."""
    ordered = sorted(values)
    count, middle = len(ordered), len(ordered) // 2
    mean = _sum(ordered) / count
    median = ordered[middle] if count % 2 else ordered[middle - 1] / 2 + ordered[middle] / 2
    spread = math.sqrt(_sum([(value - mean) ** 2 for value in ordered]) / (count - 1)) if count > 1 else None
    return {
        "count": count,
        "min": int(ordered[0]) if is_whole else ordered[0],
        "max": int(ordered[-1]) if is_whole else ordered[-1],
        "mean": _finite(mean),
        "median": median,
        "std": _finite(spread),
        "histogram": _histogram(ordered, is_whole=is_whole),
    }


def _sum(values: list[float]) -> float:
    try:
        return math.fsum(values)
    except OverflowError:
        return math.inf


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _histogram(ordered: list[float], *, is_whole: bool) -> dict[str, Any] | None:
    """Return edges and counts of equal bins; of whole numbers no bin parts two neighbours unevenly."""
    low, high = ordered[0], ordered[-1]
    if not math.isfinite(high - low):
        return None
    if low == high:
        return {"edges": [low, high], "counts": [len(ordered)]}
    if is_whole:
        step = float(max(1, math.ceil((high - low + 1) / BINS)))
        bins = int((high - low) // step) + 1
    else:
        bins, step = BINS, (high - low) / BINS
    counts = [0] * bins
    for value in ordered:
        counts[min(int((value - low) / step), bins - 1) if step else 0] += 1
    edges = [low + step * index for index in range(bins)]
    return {"edges": [*edges, low + step * bins if is_whole else high], "counts": counts}
