"""Fields that the forms of runs are made of, and what is read of those that belong together."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms

from models_hub.adapting import texts
from models_hub.adapting.registry import Option
from models_hub.forms import NAME_ATTRIBUTES

REPO_NAME = {**NAME_ATTRIBUTES, "placeholder": "owner/name"}
MAX_NAMED = 300  # owner/name@revision


def option_field(option: Option, text: texts.Text) -> forms.Field:
    """Return the field of an option; one without a default may stay empty."""
    shared: dict[str, Any] = {"label": text.label, "help_text": text.help, "initial": option.default}
    if option.type == "bool":
        return forms.BooleanField(required=False, **shared)
    if option.type == "choice":
        return forms.ChoiceField(choices=_choices(option.choices), **shared)
    bounds: dict[str, Any] = {
        "min_value": option.least,
        "max_value": option.most,
        "required": option.default is not None,
    }
    if option.type == "int":
        return forms.IntegerField(**shared, **bounds)
    return forms.FloatField(widget=forms.NumberInput(attrs={"step": "any"}), **shared, **bounds)


def repo_field(text: texts.Text, kind: str = "model") -> forms.Field:
    """Return the field of a repository that may be named."""
    widget = forms.TextInput(attrs={**REPO_NAME, "data-complete": kind})
    shared: dict[str, Any] = {"label": text.label, "help_text": text.help}
    return forms.CharField(max_length=MAX_NAMED, required=False, widget=widget, **shared)


def below(values: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    """Return what was filled in of the fields whose names begin so."""
    found = {key.removeprefix(prefix): value for key, value in values.items() if key.startswith(prefix)}
    return {key: value for key, value in found.items() if value not in (None, "")}


def as_text(named: Mapping[str, Any]) -> str:
    """Return owner/name@revision of a repository that a wish names, as people write it."""
    return "@".join(part for part in (named.get("model") or named.get("dataset", ""), named.get("revision")) if part)


def named_in(text: str, kind: str = "model") -> dict[str, str]:
    """Return what such a text names, empty where it is."""
    name, _at, revision = text.strip().partition("@")
    return {kind: name.strip(), **({"revision": revision.strip()} if revision.strip() else {})} if name.strip() else {}


def _choices(values: Sequence[str]) -> list[tuple[str, str]]:
    return [(value, texts.choice_label(value)) for value in values]
