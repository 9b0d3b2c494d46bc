"""A table in the words and pictures of a page: heads of columns, cells cut and marked. Escapes all that it shows."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from models_hub.tables import charts
from models_hub.tables.charts import Bar, figure

CUT = 240  # characters of a cell that are seen at once
WIDE_CUT = 130  # where characters are as wide as Chinese ones
MAX_OPENED = 4000  # that can be opened in place; more is on the page of the row
MAX_PAGE = 500_000  # characters that can be opened on one page
PROSE = 40  # mean length from which a column of texts gets a wide place
LEAD = 60  # characters before a found word
# What has no look gets one: the pictures that Unicode has for control characters.
_CONTROLS = {code: 0x2400 + code for code in range(32) if chr(code) not in "\n\t"} | {127: 0x2421}
ClassNames = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True)
class Share:
    """How often a label occurs: its stored value, its name, its count and its part of the whole."""

    value: str
    name: str
    count: int
    percent: float


@dataclass(frozen=True)
class Head:
    """What stands over a column, and what its statistics are."""

    name: str
    type: str
    measure: str  # what the picture shows, where that is not the values themselves
    missing: int
    missing_percent: float
    distinct: int
    bars: list[Bar]
    caption: tuple[str, str]
    numbers: list[tuple[str, str]] = field(default_factory=list)
    sizes: list[tuple[str, str]] = field(default_factory=list)
    shares: list[Share] = field(default_factory=list)
    is_numeric: bool = False
    several: bool = False
    is_prose: bool = False


def heads(columns: Sequence[Mapping[str, Any]], rows: int, class_names: ClassNames) -> list[Head]:
    """Return the heads of all columns of a table of so many rows."""
    return [_head(column, rows, class_names.get(str(column["name"]), {})) for column in columns]


def type_label(name: str) -> str:
    """Return what a kind of values is called."""
    return {
        "text": _("text"),
        "whole": _("whole number"),
        "number": _("number"),
        "truth": _("true or false"),
        "list": _("list"),
        "object": _("object"),
        "time": _("time"),
        "image": _("image"),
        "mixed": _("mixed"),
        "class": _("class"),
    }.get(name, _("empty"))


def _head(column: Mapping[str, Any], rows: int, names: Mapping[str, str]) -> Head:
    shares = _shares(column, rows, names)
    numbers, sizes = column["numbers"], column["sizes"]
    bars, caption = _picture(shares, numbers, sizes)
    return Head(
        name=str(column["name"]),
        type=type_label("class" if names and column["type"] == "whole" else str(column["type"])),
        measure="" if shares or numbers or not sizes else _("items") if column["type"] == "list" else _("length"),
        missing=int(column["missing"]),
        missing_percent=100 * int(column["missing"]) / rows if rows else 0.0,
        distinct=int(column["distinct"]),
        bars=bars,
        caption=caption,
        numbers=_figures(numbers) if numbers and not names else [],
        sizes=_figures(sizes) if sizes else [],
        shares=shares,
        is_numeric=bool(numbers) and not names,
        several=bool(column["several"]),
        is_prose=column["type"] == "text" and bool(sizes) and sizes["mean"] >= PROSE,
    )


def _shares(column: Mapping[str, Any], rows: int, names: Mapping[str, str]) -> list[Share]:
    labels = column["labels"] or []
    if names and labels:
        known = {value for value, _count in labels}
        labels = [*labels, *((value, 0) for value in names if value not in known)]
    return [
        Share(str(value), names.get(str(value), str(value)), int(count), 100 * int(count) / rows if rows else 0.0)
        for value, count in labels
    ]


def _picture(
    shares: Sequence[Share], numbers: Mapping[str, Any] | None, sizes: Mapping[str, Any] | None
) -> tuple[list[Bar], tuple[str, str]]:
    """Return the bars over a column and what stands under them, left and right."""
    if shares:
        shown = shares[: charts.MAX_BARS]
        titles = [f"{share.name}: {share.count:,} ({share.percent:.1f} %)" for share in shown]
        number = len(shares)
        count = ngettext("%(count)s value", "%(count)s values", number) % {"count": figure(number)}
        return charts.bars([share.count for share in shown], titles), (count, "")
    found = numbers or sizes
    if not found:
        return [], ("", "")
    return charts.histogram(found), (figure(found["min"]), figure(found["max"]))


def _figures(summary: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [
        (_("least"), figure(summary["min"])),
        (_("mean"), figure(summary["mean"])),
        (_("median"), figure(summary["median"])),
        (_("greatest"), figure(summary["max"])),
        (_("standard deviation"), figure(summary["std"])),
    ]


class Cells:
    """Makes the cells of one page; `images` is the address that shows an image when its number is added."""

    def __init__(
        self, columns: Sequence[Mapping[str, Any]], class_names: ClassNames, *, needles: Sequence[str], images: str
    ) -> None:
        self._columns = columns
        self._class_names = class_names
        self._images = images
        self._marks = re.compile("|".join(map(re.escape, needles)), re.IGNORECASE) if needles else None
        self._left = MAX_PAGE

    def row(self, number: int, values: Sequence[Any], *, in_full: bool = False) -> list[SafeString]:
        """Return the cells of one row, a column each."""
        cells = [*values, *[None] * (len(self._columns) - len(values))]
        return [
            self._cell(number, str(column["name"]), value, in_full=in_full)
            for column, value in zip(self._columns, cells, strict=False)
        ]

    def _cell(self, number: int, column: str, value: Any, *, in_full: bool) -> SafeString:
        names = self._class_names.get(column, {})
        if value is None or value == "":
            return format_html('<span class="data-none" title="{}">–</span>', _("missing"))
        if names and not isinstance(value, list | dict):
            return self._class(value, names)
        image = _image_in(value)
        if image is not None:
            return self._image(number, image)
        if isinstance(value, str):
            return self._text(value, in_full=in_full)
        if isinstance(value, list | dict):
            return self._json(_named(value, names), in_full=in_full)
        return self._marked(json.dumps(value))

    def _class(self, value: Any, names: Mapping[str, str]) -> SafeString:
        name = names.get(str(value))
        if name is None:
            return self._marked(str(value))
        return format_html('{} <span class="text-secondary">{}</span>', name, value)

    def _image(self, number: int, image: int) -> SafeString:
        look = '<img class="data-image" src="{}{}.{}" alt="{}" loading="lazy">'
        words = _("Image of row %(number)s") % {"number": number + 1}
        return format_html(look, self._images, number, image, words)

    def _json(self, value: Any, *, in_full: bool) -> SafeString:
        if in_full:
            return format_html(
                '<pre class="data-json">{}</pre>', self._marked(json.dumps(value, ensure_ascii=False, indent=1))
            )
        return self._cut(json.dumps(value, ensure_ascii=False), "data-code")

    def _text(self, text: str, *, in_full: bool) -> SafeString:
        return self._marked(text) if in_full else self._cut(text, "")

    def _cut(self, text: str, look: str) -> SafeString:
        cut = CUT if text[:CUT].isascii() else WIDE_CUT
        if len(text) <= cut:
            return format_html('<span class="{}">{}</span>', look, self._marked(text)) if look else self._marked(text)
        short = self._marked(self._beginning(text, cut))
        opened = text[:MAX_OPENED]
        if len(opened) > self._left:
            return format_html('<span class="{}">{}</span>', look, short)
        self._left -= len(opened)
        more = "…" if len(text) > MAX_OPENED else ""
        return format_html(
            '<details class="data-more {}"><summary><span class="data-short">{}</span></summary>{}{}</details>',
            look, short, self._marked(opened), more,
        )  # fmt: skip

    def _beginning(self, text: str, cut: int) -> str:
        """Return what is seen of a long text: its beginning, or the place of the first found word."""
        found = self._marks.search(text) if self._marks else None
        if found is None or found.end() <= cut:
            return text[:cut] + "…"
        start = max(found.start() - LEAD, 0)
        return "…" + text[start : start + cut] + "…"

    def _marked(self, text: str) -> SafeString:
        """Return escaped text with the words that were looked for marked."""
        if self._marks is None:
            return mark_safe(escape(_visible(text)))  # noqa: S308 - escaped
        parts: list[str] = []
        position = 0
        for found in self._marks.finditer(text):
            parts.append(escape(_visible(text[position : found.start()])))
            parts.append(f"<mark>{escape(_visible(found[0]))}</mark>")
            position = found.end()
        return mark_safe("".join(parts) + escape(_visible(text[position:])))  # noqa: S308 - each part is escaped


def _visible(text: str) -> str:
    return text if text.isprintable() else text.translate(_CONTROLS)


def _image_in(value: Any) -> int | None:
    """Return the number of the image that a value is: bytes, or the form that data sets have for images."""
    if isinstance(value, dict):
        inner = value.get("bytes") if isinstance(value.get("bytes"), dict) else value
        image = inner.get("$image") if isinstance(inner, dict) else None
        return image if isinstance(image, int) else None
    return None


def _named(value: Any, names: Mapping[str, str]) -> Any:
    """Return a list of class labels with their names for their numbers."""
    if not names or not isinstance(value, list):
        return value
    return [names.get(str(item), item) if isinstance(item, int | str) else item for item in value]
