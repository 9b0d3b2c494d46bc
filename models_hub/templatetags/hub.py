"""Words and symbols of the hub for templates."""

from collections.abc import Mapping
from functools import cache
from typing import Any
from urllib.parse import quote

from babel import Locale, UnknownLocaleError
from django import template
from django.utils.translation import get_language, to_locale

from models_hub import facet_names, licences, relation_names, task_names
from models_hub.tables import charts

register = template.Library()
register.filter("task_label", task_names.task_label)
register.filter("task_icon", task_names.task_icon)
register.filter("relation_label", relation_names.relation_label)
register.filter("relation_count", relation_names.relation_count)
register.filter("licence_class", lambda kind: licences.CLASSES.get(kind, kind))
register.filter("figure", charts.figure)

FILE_ICONS = {
    "md": "file-earmark-richtext",
    "json": "filetype-json",
    "jsonl": "file-earmark-spreadsheet",
    "csv": "filetype-csv",
    "tsv": "filetype-csv",
    "py": "filetype-py",
    "yaml": "filetype-yml",
    "yml": "filetype-yml",
    "txt": "file-earmark-text",
    "safetensors": "file-earmark-lock2",
    "bin": "file-earmark-binary",
    "onnx": "file-earmark-binary",
    "gguf": "file-earmark-binary",
    **dict.fromkeys(("png", "jpg", "jpeg", "gif", "webp", "svg"), "file-earmark-image"),
}


@register.filter
def language_name(code: str) -> str:
    """zh -> Chinese, or 中文 to a Chinese reader; a code that nobody knows stays as it is."""
    return _language_names(get_language() or "en").get(code.replace("-", "_"), code)


@cache
def _language_names(reader: str) -> dict[str, str]:
    """Return the names of languages alone, for all else that is known of a place takes megabytes."""
    try:
        return {code: str(name) for code, name in Locale.parse(to_locale(reader)).languages.items()}
    except (UnknownLocaleError, ValueError):
        return {}


@register.filter
def file_icon(name: str) -> str:
    return FILE_ICONS.get(name.rsplit(".", 1)[-1].lower(), "file-earmark")


@register.filter
def quoted(text: str) -> str:
    """A revision or path as part of an address: slashes stay."""
    return quote(text, safe="/")


@register.filter
def filter_label(value: str, name: str) -> str:
    """A value of the list's filter `name` in the reader's words."""
    if name == "task":
        return task_names.task_label(value)
    if name == "language":
        return language_name(value)
    return str(facet_names.label_of(name, value))


@register.filter
def of_key(values: Mapping[Any, Any], key: Any) -> Any:
    """What a mapping has under a key, None when nothing."""
    return values.get(key) if values else None


@register.simple_tag(takes_context=True)
def filtered_by(context: template.Context, name: str, value: str | None) -> str:
    """The page's query string with one filter set, or taken away by None; always the first page."""
    params = context["request"].GET.copy()
    params.pop("cursor", None)
    params.pop(name, None)
    if value is not None:
        params[name] = value
    return f"?{params.urlencode()}"
