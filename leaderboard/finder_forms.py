"""What people ask of the finder, as a form of one page or the parameters of an address."""

from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from leaderboard.finding.asked import DEVICES, Asked
from leaderboard.models import Benchmark
from models_hub import language_codes, licences

MAX_MB = 10_000_000
MAX_MS = 10_000_000


class FinderForm(forms.Form):
    """A task, and what the model may take; nothing but the task must be filled in."""

    task = forms.ChoiceField(label=_("Task"), choices=[("", _("Choose a task")), *Benchmark.Task.choices])
    language = forms.CharField(
        label=_("Languages"),
        max_length=200,
        required=False,
        help_text=_("Of the texts it is measured on: en, zh. Several with commas."),
        widget=forms.TextInput(attrs={"autocapitalize": "none", "spellcheck": "false", "list": "finder-languages"}),
    )
    on = forms.ChoiceField(label=_("Measured on"), required=False)
    memory = forms.FloatField(label=_("Memory, MB"), required=False, min_value=0.001, max_value=MAX_MB)
    disk = forms.FloatField(label=_("Size on disk, MB"), required=False, min_value=0.001, max_value=MAX_MB)
    latency = forms.FloatField(label=_("Time for an answer, ms"), required=False, min_value=0.001, max_value=MAX_MS)
    machine = forms.CharField(label=_("On this machine"), max_length=200, required=False)
    device = forms.ChoiceField(label=_("Device"), required=False)
    licence = forms.MultipleChoiceField(
        label=_("Licence"), required=False, choices=list(licences.CLASSES.items()), widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, *args: Any, places: list[tuple[str, str]] | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _choose(self.fields["device"], [("", gettext("any")), *((key, one.label) for key, one in DEVICES.items())])
        _choose(self.fields["on"], [("", gettext("all its benchmarks")), *(places or [])])
        for name in ("memory", "disk", "latency"):
            self.fields[name].widget.attrs |= {"step": "any", "inputmode": "decimal"}

    def clean_language(self) -> tuple[str, ...]:
        """Return codes of languages; names in English or Chinese will do."""
        given = [text.strip() for text in self.cleaned_data["language"].replace("，", ",").split(",") if text.strip()]
        codes = [language_codes.code_of(text) for text in given]
        for text, code in zip(given, codes, strict=True):
            if code is None:
                raise forms.ValidationError(
                    gettext("“%(text)s” is not a language that is known here.") % {"text": text}
                )
        return tuple(dict.fromkeys(code for code in codes if code))

    @property
    def asked(self) -> Asked:
        """The question; the form must be valid."""
        values = self.cleaned_data
        return Asked(
            task=values["task"],
            languages=values["language"],
            on=values["on"],
            memory_mb=values["memory"],
            latency_ms=values["latency"],
            machine=values["machine"],
            disk_mb=values["disk"],
            licences=tuple(sorted(values["licence"])),
            device=values["device"],
        )


def _choose(field: forms.Field, choices: list[tuple[str, Any]]) -> None:
    assert isinstance(field, forms.ChoiceField)
    field.choices = choices
