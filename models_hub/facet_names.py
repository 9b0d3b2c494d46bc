"""The values of facets in the reader's words."""

from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from models_hub import licences
from models_hub.searching import facets

SPANS: dict[str, str | Promise] = {
    "day": gettext_lazy("today"),
    "week": gettext_lazy("in the last 7 days"),
    "month": gettext_lazy("in the last 30 days"),
    "year": gettext_lazy("in the last 365 days"),
}
ANSWERS: dict[str, str | Promise] = {
    "scored": gettext_lazy("has a verified score"),
    "has_card": gettext_lazy("has a card"),
}
CLASSES = {"size_class": facets.PARAMETER_CLASSES, "disk": facets.SIZE_CLASSES}


def label_of(name: str, value: str) -> str | Promise:
    """Return the words for a value of a facet; one that has no words of its own stays as it is."""
    if name == "license_class":
        return capfirst(str(licences.CLASSES.get(value, value)))
    if name == facets.UPDATED_NAME:
        return SPANS.get(value, value)
    if name in ANSWERS and value == facets.YES:
        return ANSWERS[name]
    if name in CLASSES and value in CLASSES[name]:
        return _class_label(list(CLASSES[name]), value)
    return _spaced(value) if name == "memory" and value in facets.MEMORY else value


def _class_label(values: list[str], value: str) -> str:
    place = values.index(value)
    if not place:
        return _("up to %(size)s") % {"size": _spaced(value)}
    before = _spaced(values[place - 1])
    if value == "more":
        return _("more than %(size)s") % {"size": before}
    return _("%(low)s to %(high)s") % {"low": before, "high": _spaced(value)}


def _spaced(size: str) -> str:
    return size.replace("MB", "\u00a0MB").replace("GB", "\u00a0GB")
