"""What the page of somebody's own examples shows: places, reasons in words, and where models disagree."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from leaderboard.finding import outcome
from leaderboard.finding.example_tasks import TASKS, Form
from leaderboard.finding.outcome import Outcome, Place
from leaderboard.metric_names import PLAIN, metric_text, signed_metric
from leaderboard.models import Contender, ExampleSet
from models_hub.models import Repo
from portal import waiting

SHOWN = 50
MAX_TEXT = 300


@dataclass(frozen=True)
class Said:
    """What one model said to an example; `is_right` is None where that is not a matter of yes or no."""

    model: str
    text: str
    is_right: bool | None


@dataclass(frozen=True)
class Line:
    """One example with what each model said to it."""

    number: int
    text: str
    right: str
    said: Sequence[Said]


def shown(examples: ExampleSet, *, only_disagreed: bool) -> dict[str, Any]:
    """Return the context of the page; the number of queries does not grow with models or examples."""
    rows = examples.contenders.select_related("model__namespace", "job")
    # What the owner may no longer see is not named, whatever was tried while it could be seen.
    contenders = list(rows.filter(model__in=Repo.objects.visible_to(examples.owner)))
    found = outcome.of(examples, contenders)
    pending = [one for one in contenders if one.finished_at is None]
    explained = waiting.explanations(one.job for one in pending)
    lines = _lines(examples, found.places)
    disagreed = [line for line in lines if _disagree(line)]
    return {
        "examples": examples,
        "task": examples.get_task_display(),
        "metric": examples.primary,
        "outcome": found,
        "chosen": found.chosen.contender if found.chosen else None,
        "reasons": _reasons(found, examples) if found.chosen else [],
        "places": [(place, _told(place, examples.primary)) for place in found.places],
        "pending": list(zip(pending, explained, strict=True)),
        "is_over": all(one.is_over for one in contenders),
        "lines": (disagreed if only_disagreed else lines)[:SHOWN],
        "line_count": len(disagreed if only_disagreed else lines),
        "disagreed": len(disagreed),
        "only_disagreed": only_disagreed,
    }


def _reasons(found: Outcome, examples: ExampleSet) -> list[str]:
    chosen = found.chosen
    assert chosen is not None
    others = sum(place.is_tied for place in found.places) - 1
    behind = len(found.places) - others - 1
    reasons = []
    if others:
        text = ngettext(
            "Tied with %(n)d other: these examples cannot tell them apart, and this is the smaller one.",
            "Tied with %(n)d others: these examples cannot tell them apart, and this is the smallest of them.",
            others,
        )
        reasons.append(text % {"n": others})
    elif behind:
        text = ngettext(
            "Ahead of %(n)d other, by more than chance.", "Ahead of %(n)d others, by more than chance.", behind
        )
        reasons.append(text % {"n": behind})
    else:
        reasons.append(_("The only one that has a score yet."))
    text = ngettext("Tried on %(n)d example of your own.", "Tried on %(n)d examples of your own.", examples.count)
    reasons.append(text % {"n": examples.count})
    if found.floor is not None:
        always = _("Always giving the most frequent answer would reach %(value)s.")
        reasons.append(always % {"value": metric_text(found.floor, examples.primary)})
    return reasons


def _told(place: Place, metric: str) -> str:
    """Say how far a model is behind the first, and whether that may be chance."""
    lead = place.lead
    if lead is None:
        return ""
    numbers = {"value": metric_text(lead.difference, metric), "p": _p(place.p)}
    numbers |= {name: signed_metric(value, metric) for name, value in (("low", lead.low), ("high", lead.high))}
    if metric in PLAIN:
        tied, behind = (
            _("Not told apart from the first, which leads by %(value)s (%(low)s to %(high)s, p %(p)s)."),
            _("Behind the first by %(value)s (%(low)s to %(high)s, p %(p)s)."),
        )
    else:
        tied, behind = (
            _("Not told apart from the first, which leads by %(value)s points (%(low)s to %(high)s, p %(p)s)."),
            _("Behind the first by %(value)s points (%(low)s to %(high)s, p %(p)s)."),
        )
    return (tied if place.is_tied else behind) % numbers


def _p(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"= {value:.2g}"


def _lines(examples: ExampleSet, places: Sequence[Place]) -> list[Line]:
    answered = [place.contender for place in places if len(place.contender.answers) == examples.count]
    if not answered:
        return []
    columns = TASKS[examples.task].columns
    is_yes_or_no = TASKS[examples.task].target.form in (Form.LABEL, Form.ANSWERS)
    found = []
    for number, row in enumerate(examples.examples):
        texts = [_text(row[column.role]) for column in columns[:-1]]
        said = [
            Said(one.model.name, one.answers[number], _is_right(one, number) if is_yes_or_no else None)
            for one in answered
        ]
        found.append(Line(number + 1, " · ".join(texts)[:MAX_TEXT], _text(row[columns[-1].role])[:MAX_TEXT], said))
    return found


def _is_right(one: Contender, number: int) -> bool | None:
    return one.items[number] == 1 if number < len(one.items) else None


def _text(value: object) -> str:
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)


def _disagree(line: Line) -> bool:
    return len({one.text for one in line.said}) > 1
