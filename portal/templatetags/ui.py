"""Small pieces of presentation that every template may use without loading them."""

from collections.abc import Iterable
from datetime import timedelta

from django import template
from django.http import QueryDict
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext, pgettext

from portal.mod_actions import ACTIONS, LOGGED
from portal.spans import span_text

register = template.Library()

STEPS = ((1_000_000_000_000, "T"), (1_000_000_000, "B"), (1_000_000, "M"), (1_000, "K"))


class AlikeNode(template.Node):
    """A part of a page that is rendered once for each language."""

    def __init__(self, nodelist: template.NodeList) -> None:
        self.nodelist = nodelist
        self._kept: dict[tuple[str | None, object], SafeString] = {}

    def render(self, context: template.Context) -> SafeString:
        key = get_language(), context.get("site_name")
        if key not in self._kept:
            self._kept[key] = self.nodelist.render(context)
        return self._kept[key]


@register.tag
def alike(parser: template.base.Parser, _token: template.base.Token) -> AlikeNode:
    """What all readers of all pages see alike: it reads nothing but `site_name`."""
    nodelist = parser.parse(("endalike",))
    parser.delete_first_token()
    return AlikeNode(nodelist)


@register.simple_tag
def icon(name: str, label: str = "") -> SafeString:
    """An icon of the bootstrap-icons font; give `label` when no text stands beside it."""
    if label:
        return format_html('<i class="bi bi-{}" role="img" aria-label="{}"></i>', name, label)
    return format_html('<i class="bi bi-{}" aria-hidden="true"></i>', name)


@register.filter
def compact(value: int | None) -> str:
    """1234 -> 1.2K, 3400000 -> 3.4M; "" for None."""
    if value is None:
        return ""
    for size, letter in STEPS:
        if value >= size:
            return f"{value / size:.1f}".removesuffix(".0") + letter
    return str(value)


@register.filter
def bytesize(value: int | None) -> str:
    """Decimal units as disks and hubs count them: 1500000 -> 1.5 MB."""
    if value is None:
        return ""
    number, unit = float(value), "B"
    for unit in ("B", "KB", "MB", "GB", "TB"):
        if number < 1000 or unit == "TB":
            break
        number /= 1000
    return f"{int(number)} B" if unit == "B" else f"{number:.1f} {unit}"


@register.filter
def percent(value: float | None, digits: int = 1) -> str:
    """0.8312 -> 83.1; "" for None."""
    return "" if value is None else f"{100 * value:.{digits}f}"


@register.filter
def duration(span: timedelta | None) -> str:
    """90 seconds -> 1 min 30 s; "" for None."""
    return "" if span is None else span_text(span)


@register.filter
def translated(text: str) -> str:
    """A text that is stored in English, in the reader's language; each of its lines is a text of its own."""
    return "\n".join(gettext(line) for line in text.splitlines() if line)


@register.filter
def action_label(name: str) -> str:
    """An action of moderation in the reader's language."""
    return str(ACTIONS[name].label) if name in ACTIONS else gettext(name)


@register.filter
def log_label(name: str) -> str:
    """What a line of the log of moderation says was done, in the reader's language."""
    action, _dot, what = name.partition(".")
    known = action in ACTIONS
    stored = LOGGED.get(what if known else name, "" if known else name)
    parts = [str(ACTIONS[action].label)] if known else []
    return " · ".join([*parts, gettext(stored)] if stored else parts)


@register.filter
def kind_of_job(name: str) -> str:
    """The kind of a job in the reader's language; English readers get words for the underscores of its name."""
    return gettext(name).replace("_", " ")


@register.filter
def listed(items: Iterable[object]) -> str:
    """Words one after the other, as the reader's language separates them: “a, b” or “a、b”."""
    return pgettext("between two items of a list", ", ").join(str(item) for item in items)


@register.filter
def short_oid(oid: str) -> str:
    return oid[:7]


@register.simple_tag(takes_context=True)
def query_with(context: template.Context, **changes: object) -> str:
    """The page's query string with some values replaced; None takes one away."""
    params: QueryDict = context["request"].GET.copy()
    for name, value in changes.items():
        if value is None or value == "":
            params.pop(name, None)
        else:
            params[name] = str(value)
    query: str = params.urlencode()
    return "?" + query


BROWSERS = (("Edg", "Edge"), ("OPR", "Opera"), ("Firefox", "Firefox"), ("Chrome", "Chrome"), ("Safari", "Safari"))
SYSTEMS = (
    ("Android", "Android"), ("iPhone", "iOS"), ("iPad", "iPadOS"), ("Windows", "Windows"), ("Mac OS", "macOS"),
    ("Linux", "Linux"),
)  # fmt: skip


@register.filter
def browser(agent: str) -> str:
    """What a browser says of itself, as its user knows it: "Firefox, Linux"."""
    named = [next((shown for key, shown in table if key in agent), "") for table in (BROWSERS, SYSTEMS)]
    return ", ".join(name for name in named if name) or gettext("Another program")
