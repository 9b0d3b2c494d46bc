"""Badges of a model’s score and rank as SVG, for READMEs: what stands now, the same for everybody who asks."""

from dataclasses import dataclass

import numpy as np
from django.utils.html import escape
from django.utils.translation import gettext as _

from leaderboard.metric_names import metric_text
from leaderboard.models import Benchmark, BoardRow, Evaluation, Suite
from leaderboard.ranking import places_of
from models_hub.models import Repo

MAX_LABEL = 40
GOOD, OLD = "#0f766e", "#6b7280"
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'PingFang SC', 'Microsoft YaHei', 'Noto Sans SC', sans-serif"
HEIGHT, PAD, SIZE = 20, 7, 11


@dataclass(frozen=True)
class Badge:
    """What a badge says; a grey one is of weights that the model does not have any more."""

    label: str
    text: str
    is_outdated: bool


def of_score(model: Repo, benchmark: Benchmark) -> Badge | None:
    """Return the newest score of the present weights, else the newest at all; None where there is none to show."""
    rows = Evaluation.objects.public().finished().filter(model=model, benchmark=benchmark).with_head_weights()
    newest = list(rows.order_by("-id").defer("details", "report", "provenance")[:20])
    row = next((row for row in newest if not row.is_outdated), next(iter(newest), None))
    if row is None or row.value is None:
        return None
    metric = benchmark.primary_metric
    text = metric_text(row.value, metric)
    if row.low is not None and row.high is not None:
        text += f" ({metric_text(row.low, metric)}–{metric_text(row.high, metric)})"
    return Badge(benchmark.title, text, row.is_outdated)


def of_rank(model: Repo, suite: Suite) -> Badge | None:
    """Return the rank among all models of a board, with the places between which it may truly stand."""
    places = places_of(suite)
    at = np.flatnonzero(places.models == model.pk)
    if not len(at):
        return None
    between = places.rank_intervals(at[:1])
    rank, best, worst = int(places.ranks[at[0]]), int(between.best[0]), int(between.worst[0])
    text = _("%(rank)d of %(count)d") % {"rank": rank, "count": len(places)}
    if best != worst:
        text += f" ({best}–{worst})"
    row = BoardRow.objects.public().filter(pk=int(places.rows[at[0]])).only("is_outdated").first()
    return Badge(suite.name, text, row is None or row.is_outdated)


def picture(badge: Badge) -> str:
    """Return the drawing; it holds nothing but shapes and escaped text."""
    label = badge.label if len(badge.label) <= MAX_LABEL else f"{badge.label[: MAX_LABEL - 1]}…"
    old = _("outdated")
    text = f"{badge.text} · {old}" if badge.is_outdated else badge.text
    left, right = _width(label) + 2 * PAD, _width(text) + 2 * PAD
    whole = left + right
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{whole}" height="{HEIGHT}" role="img" '
        f'aria-label="{escape(label)}: {escape(text)}" font-family="{escape(FONT)}" font-size="{SIZE}">'
        f"<title>{escape(label)}: {escape(text)}</title>"
        f'<clipPath id="r"><rect width="{whole}" height="{HEIGHT}" rx="4"/></clipPath><g clip-path="url(#r)">'
        f'<rect width="{left}" height="{HEIGHT}" fill="#374151"/>'
        f'<rect x="{left}" width="{right}" height="{HEIGHT}" fill="{OLD if badge.is_outdated else GOOD}"/></g>'
        f'<g fill="#fff"><text x="{PAD}" y="14" textLength="{left - 2 * PAD}">{escape(label)}</text>'
        f'<text x="{left + PAD}" y="14" textLength="{right - 2 * PAD}">{escape(text)}</text></g></svg>'
    )


def _width(text: str) -> int:
    """Return about how wide a text is; the drawing then makes it so wide in every font."""
    wide = sum(1 for sign in text if ord(sign) > 0x2E7F)
    narrow = sum(1 for sign in text if sign in "il.,:;|!'()· ")
    return round(SIZE * wide + 3.9 * narrow + 6.4 * (len(text) - wide - narrow))
