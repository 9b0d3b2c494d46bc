"""The editor of a search space: for each option whether it is searched, and between which ends."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from django import forms
from django.forms import BoundField
from django.utils.translation import gettext_lazy as _

from models_hub.adapting import registry, studies, texts
from models_hub.adapting.registry import Option
from models_hub.adapting.wishes import METHOD, Wish


class SpanRow(NamedTuple):
    """One option in the editor."""

    label: str
    searched: BoundField
    fields: list[BoundField]


class StudyForm(forms.Form):
    """What is searched and how."""

    trials = forms.IntegerField(label=_("Trials"), initial=20, min_value=2, max_value=studies.MAX_TRIALS)
    parallel = forms.IntegerField(label=_("At the same time"), initial=2, min_value=1, max_value=studies.MAX_PARALLEL)
    sampler = forms.ChoiceField(
        label=_("How it chooses"),
        choices=[("tpe", _("from what it found (TPE)")), ("random", _("at random"))],
    )
    pruner = forms.ChoiceField(
        label=_("End hopeless trials early"),
        choices=[("median", _("when worse than half of the others by then")), ("none", _("never"))],
    )
    seed = forms.IntegerField(label=_("Seed"), initial=0, min_value=0, max_value=2**32 - 1)

    def __init__(self, *args: Any, wish: Wish, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._options = _searchable(wish)
        usual = studies.usual_space(wish)
        for name, option in self._options.items():
            span = usual.get(name, {})
            label = str(texts.option_text(name).label)
            self.fields[f"search_{name}"] = forms.BooleanField(label=label, required=False, initial=name in usual)
            if option.type in ("float", "int") and span.get("type") != "choice":
                number = forms.IntegerField if option.type == "int" else forms.FloatField
                widget = forms.NumberInput(attrs={"step": "any"})
                for end in ("low", "high"):
                    initial = span.get(end, option.least if end == "low" else option.most)
                    self.fields[f"{end}_{name}"] = number(
                        label=_("from") if end == "low" else _("to"), required=False, initial=initial, widget=widget
                    )
                self.fields[f"log_{name}"] = forms.BooleanField(
                    label=_("logarithmic"), required=False, initial=bool(span.get("log", option.log))
                )
            else:
                choices = span.get("choices") or option.choices or (["true", "false"] if option.type == "bool" else [])
                self.fields[f"choices_{name}"] = forms.CharField(
                    label=_("one of"), required=False, max_length=500, initial=", ".join(map(str, choices))
                )

    @property
    def usual_rows(self) -> list[SpanRow]:
        """What is usually searched, and what was chosen or is to be mended."""
        return [row for row in self.rows() if self._is_shown(row)]

    @property
    def other_rows(self) -> list[SpanRow]:
        """All that is seldom worth a search, which the page folds away."""
        return [row for row in self.rows() if not self._is_shown(row)]

    def _is_shown(self, row: SpanRow) -> bool:
        is_chosen = bool(row.searched.value()) or bool(self.fields[row.searched.name].initial)
        return is_chosen or any(field.errors for field in (row.searched, *row.fields))

    def rows(self) -> list[SpanRow]:
        """Return the whole editor."""
        found = []
        for name in self._options:
            fields = [
                self[f"{part}_{name}"] for part in ("low", "high", "log", "choices") if f"{part}_{name}" in self.fields
            ]
            searched = self[f"search_{name}"]
            found.append(SpanRow(str(searched.label), searched, fields))
        return found

    @property
    def plan_fields(self) -> list[BoundField]:
        return [self[name] for name in studies.Plan.__dataclass_fields__]

    def space(self) -> dict[str, Any]:
        """Return the space as `studies.read_space` takes it."""
        values = self.cleaned_data
        return {
            name: self._span(name, option, values) for name, option in self._options.items() if values[f"search_{name}"]
        }

    def plan(self) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in studies.Plan.__dataclass_fields__}

    def _span(self, name: str, option: Option, values: Mapping[str, Any]) -> dict[str, Any]:
        if f"choices_{name}" in self.fields:
            words = [word.strip() for word in values[f"choices_{name}"].split(",") if word.strip()]
            return {"type": "choice", "choices": [_parsed(word, option) for word in words]}
        return {
            "type": option.type, "low": values[f"low_{name}"], "high": values[f"high_{name}"],
            "log": values[f"log_{name}"],
        }  # fmt: skip


def _searchable(wish: Wish) -> dict[str, Option]:
    method = registry.find_method(wish.recipe.get(METHOD, "full"))
    fitting = {
        name: option
        for name, option in registry.options().items()
        if (not option.tasks or wish.task in option.tasks) and option.group != "machine" and name != "keep"
    }
    return {**method.options, **fitting}


def _parsed(word: str, option: Option) -> Any:
    """Return a typed value; what is not of the option's type stays text, which the option then refuses by name."""
    if option.type == "bool":
        return {"true": True, "false": False}.get(word.lower(), word)
    try:
        return int(word) if option.type == "int" else float(word) if option.type == "float" else word
    except ValueError:
        return word
