"""Own examples as people paste or send them, and the models they are to be tried on."""

from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from leaderboard.finding.example_tasks import TASKS
from leaderboard.finding.reading import LEAST, MAX_BYTES, MOST
from leaderboard.finding.trying import MAX_MODELS
from leaderboard.models import Benchmark

ROLES = {
    "input": _("Column of the text, the first text or the question"),
    "input2": _("Column of the second text"),
    "context": _("Column of the passage"),
    "target": _("Column of the label or the right answer"),
}
NAMES = {"autocapitalize": "none", "spellcheck": "false"}


class ExamplesForm(forms.Form):
    """What is tried, on what, and how the columns are called."""

    title = forms.CharField(label=_("Name"), max_length=120, required=False, help_text=_("For you alone."))
    task = forms.ChoiceField(
        label=_("Task"), choices=[(name, Benchmark.Task(name).label) for name in TASKS], initial="text-classification"
    )
    models = forms.CharField(
        label=_("Models"),
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": MAX_MODELS, "placeholder": "owner/name", **NAMES}),
    )
    text = forms.CharField(
        label=_("Your examples"),
        required=False,
        max_length=MAX_BYTES,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 10, "spellcheck": "false", "placeholder": "text,label\n…"}),
    )
    file = forms.FileField(label=_("Or a file"), required=False)
    label_map = forms.CharField(
        label=_("Other names of labels"),
        required=False,
        max_length=10_000,
        widget=forms.Textarea(attrs={"rows": 3, "placeholder": "LABEL_0 = negative", **NAMES}),
        help_text=_("Where models name them otherwise: the model’s label, =, your label. One a line."),
    )
    question = forms.CharField(required=False, max_length=1000, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["models"].help_text = gettext("One a line, at most %(max)d.") % {"max": MAX_MODELS}
        self.fields["text"].help_text = gettext(
            "%(least)d to %(most)d lines of CSV with a head, or of JSON. They are kept for you alone."
        ) % {"least": LEAST, "most": MOST}
        self.fields["file"].help_text = gettext("CSV, JSON or JSONL in UTF-8, at most %(size)d kB.") % {
            "size": MAX_BYTES // 1000
        }
        for role, label in ROLES.items():
            self.fields[f"column_{role}"] = forms.CharField(
                label=label, max_length=100, required=False, widget=forms.TextInput(attrs=NAMES)
            )

    @property
    def columns(self) -> list[forms.BoundField]:
        """The names of columns."""
        return [self[f"column_{role}"] for role in ROLES]

    @property
    def column_names(self) -> dict[str, str]:
        """Which columns were named, by role."""
        found = {role: self.cleaned_data[f"column_{role}"].strip() for role in ROLES}
        return {role: name for role, name in found.items() if name}

    def clean_models(self) -> list[str]:
        """Return names of models, each once."""
        names = [line.strip().strip("/") for line in self.cleaned_data["models"].splitlines() if line.strip()]
        names = list(dict.fromkeys(names))
        if len(names) > MAX_MODELS:
            raise forms.ValidationError(gettext("Name at most %(max)d models.") % {"max": MAX_MODELS})
        return names

    def clean_label_map(self) -> dict[str, str]:
        """Return the model's labels with those they stand for."""
        found = {}
        for number, line in enumerate(self.cleaned_data["label_map"].splitlines(), start=1):
            own, equals, label = (part.strip() for part in line.partition("="))
            if not line.strip():
                continue
            if not (own and equals and label):
                raise forms.ValidationError(
                    gettext("Line %(number)d: write the model’s label, =, and your label.") % {"number": number}
                )
            found[own] = label
        return found

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        file, text = cleaned.get("file"), cleaned.get("text", "")
        if file and text.strip():
            raise forms.ValidationError(gettext("Paste the examples or choose a file: one of both."))
        if file:
            if file.size > MAX_BYTES:
                self.add_error("file", gettext("It has more than %(size)d kB.") % {"size": MAX_BYTES // 1000})
                return cleaned
            try:
                cleaned["text"] = file.read(MAX_BYTES).decode("utf-8")
            except UnicodeDecodeError:
                self.add_error("file", gettext("It is not text in UTF-8."))
        return cleaned
