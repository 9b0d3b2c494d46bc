"""Cells of boards. In Python, for a page has a thousand of them, and an included template costs ten times as much."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from django import template
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from leaderboard.metric_names import metric_text
from leaderboard.models import Contamination
from leaderboard.models.board_rows import MIXED
from portal.templatetags.ui import bytesize, compact, icon, percent

if TYPE_CHECKING:  # every process loads the tags of all pages, and most of them need no arrays
    from leaderboard.board_columns import Column
    from leaderboard.board_views import View
    from leaderboard.ranking import Row

register = template.Library()
NOTHING = SafeString('<span class="text-secondary">–</span>')


@register.simple_tag(takes_context=True)
def view_query(context: template.Context, **changes: str) -> SafeString:
    """The query string of the page's view, or of one that differs from it; `without` names a filter to take away."""
    view: View = context["view"]
    if name := changes.pop("without", ""):
        view = view.without(name)
    return SafeString(escape(view.query(**changes)))


@register.simple_tag
def board_cell(row: "Row", column: "Column") -> SafeString:
    """One result of one model, with marks where it is of older weights or its model may know the rows."""
    cell = row.cells[column.place]
    if cell is None:
        return format_html(
            '<td class="text-end" data-label="{}"><span class="text-secondary">–</span></td>', column.title
        )
    one, metric = cell.evaluation, column.entry.benchmark.primary_metric if column.entry else ""
    path = one.get_absolute_url()
    return format_html(
        '<td class="text-end board-cell" style="--share:{}" data-label="{}">'
        '<a class="text-reset" href="{}" title="{}…{}">{}</a>{}{}</td>',
        f"{min(max(cell.normalised / 100, 0), 1):.2f}",
        column.title,
        path,
        metric_text(one.low, metric),
        metric_text(one.high, metric),
        metric_text(one.value, metric),
        _outdated() if cell.is_outdated else "",
        _contaminated(one.contamination, path),
    )


@register.simple_tag
def board_fact(row: "Row", name: str) -> str | SafeString:
    """What a column beside the benchmarks says of a model."""
    text = FACTS[name](row)
    return text or NOTHING


FACTS: dict[str, "Callable[[Row], str | SafeString]"] = {
    "borda": lambda row: format_html(
        '<span title="{}">{}</span>', _("rank %(rank)d by Borda") % {"rank": row.borda_rank}, f"{row.borda:g}"
    ),
    "p_best": lambda row: "" if row.p_best is None else f"{percent(row.p_best, 0)} %",
    "parameters": lambda row: compact(row.model.parameters),
    "disk": lambda row: bytesize(row.model.size),
    "memory": lambda row: bytesize(row.facts.memory_bytes),
    "latency": lambda row: "" if row.latency is None else f"{row.latency:.3g} ms",
    "drop": lambda row: "" if row.relative_drop is None else f"{percent(row.relative_drop)} %",
    "ece": lambda row: "" if row.facts.ece is None else f"{row.facts.ece:.3f}",
    "precision": lambda row: _("mixed") if row.facts.precision == MIXED else row.facts.precision,
    "license": lambda row: row.model.license,
    "architecture": lambda row: row.model.architecture,
    "finished": lambda row: f"{row.facts.finished_at:%Y-%m-%d}" if row.facts.finished_at else "",
}


def _outdated() -> SafeString:
    text = _("Of older weights: the model has changed since")
    return format_html(' <span class="text-yellow" title="{}">{}</span>', text, icon("clock-history", text))


def _contaminated(level: str, path: str) -> SafeString | str:
    if level == Contamination.MEASURED:
        colour, text = "text-orange", _("Test rows were found again in training data")
    elif level in {Contamination.DECLARED, Contamination.INHERITED}:
        colour, text = "text-secondary", _("Declared: a card names this data set as training data")
    else:
        return ""
    mark = icon("intersect", text)
    return format_html(' <a class="{}" href="{}#contamination" title="{}">{}</a>', colour, path, text, mark)
