"""What the page of a result shows of changed texts and of parts of the benchmark."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from leaderboard.models import Evaluation
from leaderboard.perturbations import PERTURBATIONS, Perturbation

TITLES: dict[str, str | Promise] = {"length": _("Length in characters"), "script": _("Script")}
SCRIPTS: dict[str, str | Promise] = {
    "latin": _("Latin letters"),
    "han": _("Chinese characters"),
    "other": _("other or mixed"),
}
MAX_PARTS = 20  # of one kind; the API has all


@dataclass(frozen=True)
class Line:
    """One perturbation and what became of the score."""

    perturbation: Perturbation
    row: dict[str, Any]

    @property
    def change(self) -> float:
        """The score with changed texts less the one without: below zero where something is lost."""
        return -float(self.row["drop"]["value"])

    @property
    def low(self) -> float:
        return -float(self.row["drop"]["high"])

    @property
    def high(self) -> float:
        return -float(self.row["drop"]["low"])

    @property
    def flipped(self) -> int | None:
        """How many answers changed with the text."""
        rate = self.row["flip_rate"]
        return None if rate is None else round(rate["value"] * self.row["changed"])


@dataclass(frozen=True)
class Shown:
    """The lines in two groups, and one scale for their bars."""

    found: dict[str, Any]
    groups: list[tuple[bool, list[Line]]]
    start: float
    end: float
    cost: dict[str, Any]


def robustness_of(evaluation: Evaluation) -> Shown | None:
    """Return what changed texts did, None where none were asked."""
    found = evaluation.details.get("robustness") or {}
    rows = [row for row in found.get("perturbations", ()) if row["name"] in PERTURBATIONS]
    if not rows:
        return None
    lines = [Line(PERTURBATIONS[row["name"]], row) for row in rows]
    groups = [(kind, [line for line in lines if line.perturbation.is_invariance == kind]) for kind in (False, True)]
    cost = evaluation.report.get("robustness") or {}
    return Shown(
        found=found,
        groups=[group for group in groups if group[1]],
        start=min(0.0, *(line.low for line in lines)),
        end=max(0.0, *(line.high for line in lines)),
        cost=cost if isinstance(cost, dict) else {},
    )


def slices_of(evaluation: Evaluation) -> list[tuple[str | Promise, Sequence[dict[str, Any]]]]:
    """Return the parts of the benchmark by what they have in common."""
    kinds: dict[str, list[dict[str, Any]]] = {}
    for row in evaluation.details.get("slices") or ():
        name = SCRIPTS.get(row["name"], row["name"]) if row["by"] == "script" else row["name"]
        kinds.setdefault(row["by"], []).append({**row, "name": name})
    return [(TITLES.get(by, by), rows[:MAX_PARTS]) for by, rows in kinds.items()]
