"""Licences that cards name: what they are called, and in which class they fall."""

import tomllib
from pathlib import Path
from typing import Any, NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

UNKNOWN, OTHER = "unknown", "other"
CLASSES: dict[str, str | Promise] = {
    "permissive": _("permissive"),
    "copyleft": _("copyleft"),
    "restricted": _("restricted use"),
    OTHER: _("other terms"),
    UNKNOWN: _("no licence declared"),
}


class Licence(NamedTuple):
    """A licence by the name that its authors gave it."""

    name: str
    kind: str


def _read() -> dict[str, Licence]:
    table: dict[str, dict[str, Any]] = tomllib.loads((Path(__file__).parent / "licences.toml").read_text("utf-8"))
    return {code: Licence(name, kind) for kind, rows in table.items() for code, name in rows.items()}


LICENCES = _read()


def class_of(code: str) -> str:
    """Return the class of a licence by its identifier; one that is not in the table may be anything."""
    code = code.strip().lower()
    if not code or code == UNKNOWN:
        return UNKNOWN
    return LICENCES[code].kind if code in LICENCES else OTHER
