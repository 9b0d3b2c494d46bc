"""What a reader wants to see of a board, as its address says it: filters, order, columns, and where the page begins."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import urlencode

from django.db.models import F, FloatField, Q
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast
from django.utils.datastructures import MultiValueDict
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _

from leaderboard.models import LEVEL_BITS, BoardRowQuerySet, Contamination
from models_hub.searching.facets import LICENCE_CLASSES, PARAMETER_CLASSES
from portal.errors import InvalidInput

SIZES = {name: end for name, end in PARAMETER_CLASSES.items() if name != "more"}
UNITS = {"k": 10**3, "m": 10**6, "g": 10**9, "b": 10**9, "t": 10**12}
LARGEST = 2**62
MAX_TEXT = 120
MAX_COLUMNS = 60

# What a board may leave out: models of which one of these is known for one of its benchmarks.
LEFT_OUT: dict[str, frozenset[str]] = {
    "": frozenset(),
    "not-measured": frozenset({Contamination.MEASURED}),
    "not-declared": frozenset({Contamination.MEASURED, Contamination.DECLARED, Contamination.INHERITED}),
    "not-found": frozenset(set(Contamination) - {Contamination.NOT_FOUND}),
}
# By what rows can be ordered beside their benchmarks (“b12”), and whether small numbers come first.
ORDERS = {
    "score": False, "borda": False, "name": True, "parameters": True, "disk": True, "memory": True, "latency": True,
    "drop": True, "ece": True, "finished": False,
}  # fmt: skip


Params = MultiValueDict[str, str]  # what a query string holds


@dataclass(frozen=True)
class View:
    """One way to look at a board. The models that it leaves are ranked as if the others were not there."""

    size: str = ""  # at most so many parameters: a class of SIZES
    min_parameters: int | None = None
    max_parameters: int | None = None
    max_disk: int | None = None  # bytes
    max_memory: int | None = None  # bytes, the highest peak while it was measured
    max_latency: float | None = None  # milliseconds for one example on `machine`
    machine: str = ""
    license: str = ""  # a class, such as “permissive”, or an exact one
    language: str = ""
    precision: str = ""
    architecture: str = ""
    since: date | None = None  # the newest result is of that day or later
    verified: bool = False  # each result was found again by another run
    contamination: str = ""  # a key of LEFT_OUT
    q: str = ""  # words of names: what is found keeps its rank
    sort: str = "score"  # of ORDERS or a benchmark, with “-” the other way round
    columns: tuple[str, ...] = ()  # of `board_columns`; those that are usual without any
    after: str = ""  # the last row of the page before
    version: str = ""  # of the board; the newest without a number

    @classmethod
    def of(cls, params: Params, *, strict: bool = False) -> "View":
        """Read a query string; what makes no sense is left out, or refused where that is asked for."""
        found: dict[str, Any] = {}
        for name, read in _READERS.items():
            text = str(params.get(name, "")).strip()[:MAX_TEXT]
            value = read(text) if text else None
            if text and value is None and strict:
                raise InvalidInput(_("“%(value)s” is no filter.") % {"value": text[:60]}, data={"key": name})
            if value is not None:
                found[name] = value
        columns = [str(name)[:MAX_TEXT] for name in params.getlist("columns")[:MAX_COLUMNS]]
        return cls(**found, columns=tuple(dict.fromkeys(name for name in columns if name)))

    def query(self, **changes: Any) -> str:
        """Write the query string of this view, or of one that differs from it; without a page unless one is given."""
        everything: dict[str, Any] = {"after": "", **changes}
        return urlencode(replace(self, **everything).pairs())

    def pairs(self, *without: str) -> list[tuple[str, str]]:
        """Return names and values as a query string or the hidden fields of a form have them."""
        written: list[tuple[str, str]] = []
        for field in fields(self):
            value = getattr(self, field.name)
            if value != field.default and field.name not in without:
                values = value if isinstance(value, tuple) else (value,)
                written += [(field.name, _written(one)) for one in values]
        return written

    def without(self, name: str) -> "View":
        """The same without one of its filters."""
        default = next(field.default for field in fields(self) if field.name == name)
        changes: dict[str, Any] = {name: default, "after": ""}
        return replace(self, **changes)

    @property
    def filters(self) -> list[str]:
        """The names of what leaves models out, in the order of the fields."""
        return [name for name in FILTERS if getattr(self, name) not in ("", None, False)]

    @property
    def bare(self) -> str:
        """The query string without filters and words."""
        return urlencode(self.pairs(*FILTERS, "q", "after"))

    @property
    def without_columns(self) -> str:
        """The query string with the usual columns."""
        return self.query(columns=())

    @property
    def beside_filters(self) -> list[tuple[str, str]]:
        """What a form of the filters takes along."""
        return self.pairs(*(name for name in FILTERS if name != "size"), "machine", "after")

    @property
    def beside_words(self) -> list[tuple[str, str]]:
        """What a search takes along."""
        return self.pairs("q", "after")

    @property
    def beside_columns(self) -> list[tuple[str, str]]:
        """What a choice of columns takes along."""
        return self.pairs("columns", "after")

    @property
    def order(self) -> str:
        """By what rows are ordered."""
        return self.sort.removeprefix("-")

    @property
    def is_reversed(self) -> bool:
        return self.sort.startswith("-")

    def narrow(self, rows: BoardRowQuerySet, machine: str) -> BoardRowQuerySet:
        """Leave out what the filters leave out; `machine` is that of the board where the view names none."""
        for name in self.filters:
            value = getattr(self, name)
            if name == "contamination":
                mask = sum(LEVEL_BITS[level] for level in LEFT_OUT[value])
                rows = rows.annotate(known=F("levels").bitand(mask)).filter(known=0)
            elif name == "max_latency":
                rows = rows.annotate(limited=latency_on(self.machine or machine)).filter(limited__lte=value)
            else:
                rows = rows.filter(_condition(name, value))
        return rows


FILTERS = (
    "size", "min_parameters", "max_parameters", "max_disk", "max_memory", "max_latency", "license", "language",
    "precision", "architecture", "since", "verified", "contamination",
)  # fmt: skip


def latency_on(machine: str) -> Cast:
    """The latency that a row has on a machine, null where it was not measured there."""
    return Cast(KeyTextTransform(machine, "latencies"), FloatField())


def _condition(name: str, value: Any) -> Q:
    if name == "size":
        return Q(model__parameters__lte=SIZES[value])
    if name == "license":
        return Q(model__license_class=value) if value in LICENCE_CLASSES else Q(model__license=value)
    if name == "language":
        return Q(model__languages__icontains=f'"{value}"')
    if name == "precision":
        return Q(model__precisions__icontains=f'"{value}"')
    if name == "since":
        return Q(finished_at__gte=datetime(value.year, value.month, value.day, tzinfo=UTC))
    return Q(**{_LOOKUPS[name]: value})


_LOOKUPS = {
    "min_parameters": "model__parameters__gte",
    "max_parameters": "model__parameters__lte",
    "max_disk": "model__size__lte",
    "max_memory": "memory_bytes__lte",
    "architecture": "model__architecture",
    "verified": "is_verified",
}


def _count(text: str) -> int | None:
    """Read “25M”, “50 MB” or “1000000”."""
    digits = text.lower().replace(" ", "").replace(",", ".")
    if digits.endswith("b") and digits[-2:-1] in UNITS:
        digits = digits[:-1]
    unit = UNITS.get(digits[-1:], 1)
    number = _number(digits[:-1] if digits[-1:] in UNITS else digits)
    return None if number is None or number * unit > LARGEST else int(number * unit)


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if 0 <= number <= LARGEST else None


def _day(text: str) -> date | None:
    try:
        found: date | None = parse_date(text)
    except ValueError:
        return None
    return found


def _plain(text: str) -> str | None:
    return None if "\x00" in text else text


def _order(text: str) -> str | None:
    name = text.removeprefix("-")
    return text if name in ORDERS or (name.startswith("b") and name[1:].isdecimal()) else None


def _one_of(values: Mapping[str, Any]) -> Any:
    return lambda text: text if text in values else None


_READERS: dict[str, Any] = {
    "size": _one_of(SIZES),
    "min_parameters": _count,
    "max_parameters": _count,
    "max_disk": _count,
    "max_memory": _count,
    "max_latency": _number,
    "machine": _plain,
    "license": _plain,
    "language": _plain,
    "precision": _plain,
    "architecture": _plain,
    "since": _day,
    "verified": lambda text: True if text in {"1", "true", "yes", "on"} else None,
    "contamination": _one_of(LEFT_OUT),
    "q": _plain,
    "sort": _order,
    "after": _plain,
    "version": lambda text: text if text.isdecimal() and len(text) < 9 else None,
}


def _written(value: Any) -> str:
    if value is True:
        return "1"
    return f"{value:g}" if isinstance(value, float) else str(value)
