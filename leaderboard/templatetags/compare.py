"""Differences and what they are worth in templates."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from django import template
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from leaderboard.comparing import verdicts
from leaderboard.comparing.choosing import Chosen

if TYPE_CHECKING:  # every process loads the tags of all pages, and most of them need no arrays
    from leaderboard.comparing.differences import Task

register = template.Library()

VERDICTS: dict[str, str | Promise] = {
    verdicts.AHEAD: _("ahead beyond chance"),
    verdicts.BEHIND: _("behind beyond chance"),
    verdicts.EVEN: _("cannot be told apart"),
    verdicts.APART: _("intervals lie apart"),
    verdicts.OVERLAP: _("intervals overlap"),
}
TESTS: dict[str, str | Promise] = {
    "mcnemar_exact": _("exact test of McNemar"),
    "paired_normal": _("normal test of paired differences"),
    "paired_permutation": _("permutation test of paired differences"),
    "paired_bootstrap": _("bootstrap of paired differences"),
}


@register.filter
def verdict_words(verdict: str) -> str:
    return str(VERDICTS[verdict])


@register.filter
def test_words(test: str) -> str:
    return str(TESTS.get(test, test))


@register.filter
def p_text(p: float | None) -> str:
    """A p-value with the digits that matter."""
    if p is None:
        return "–"
    return "< 0.001" if p < 0.001 else f"{p:.3f}" if p < 0.1 else f"{p:.2f}"


@register.filter
def name_at(chosen: Sequence[Chosen], place: int) -> str:
    return chosen[place].name


@register.filter
def alone(tasks: "Iterable[Task]") -> "list[Task]":
    """The benchmarks that one model alone was measured on."""
    return [task for task in tasks if not task.is_shared]
