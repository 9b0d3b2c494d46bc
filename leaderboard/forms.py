"""The shape of what people send to the pages of the leaderboard."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from leaderboard.models import Benchmark, BenchmarkQuerySet
from models_hub.forms import ManyFilesField, NewRepoForm
from portal.durations import Span
from portal.spans import rough, span_text


class BenchmarksField(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]  # generic in the stubs alone
    """Benchmarks by their titles in the reader's language, with the time that a run is likely to take."""

    spans: Mapping[int, Span] = {}

    def label_from_instance(self, obj: Benchmark) -> str:
        label = f"{obj.title} v{obj.version} · {obj.dataset.full_name}"
        return f"{label} · {around(self.spans[obj.pk].middle)}" if obj.pk in self.spans else label


class EvaluationForm(forms.Form):
    """Which benchmarks a model is to be measured on."""

    benchmark = BenchmarksField(
        label=_("Benchmarks"),
        queryset=Benchmark.objects.none(),
        widget=forms.CheckboxSelectMultiple,
        error_messages={
            "required": _("Choose at least one benchmark."),
            "invalid_choice": _("This benchmark does not exist, or it does not fit the model."),
            "invalid_pk_value": _("This benchmark does not exist, or it does not fit the model."),
        },
    )

    def __init__(
        self, *args: Any, benchmarks: BenchmarkQuerySet, spans: Mapping[int, Span] | None = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["benchmark"]
        assert isinstance(field, BenchmarksField)
        field.queryset, field.spans = benchmarks, spans or {}


def around(seconds: float) -> str:
    """Say what one run is likely to take."""
    return gettext("about %(span)s") % {"span": span_text(rough(seconds))}


class CatalogueForm(NewRepoForm):
    """Where a set of the catalogue goes, and where its rows come from: files, or a data set that is here."""

    # The stubs type `files` as the form's own property; Django takes a field of that name all the same.
    files = ManyFilesField(  # type: ignore[assignment]
        label=_("The published files"),
        required=False,
        help_text=_("As they were published: unpacked, or as the archive."),
    )
    dataset = forms.CharField(
        label=_("Or a data set of this portal that holds them"),
        max_length=200,
        required=False,
        widget=forms.TextInput(attrs={"placeholder": "owner/name", "autocapitalize": "none", "spellcheck": "false"}),
        help_text=_("A mirror of another hub will do."),
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        cleaned["files"] = [file for file in cleaned.get("files") or [] if file]
        if bool(cleaned["files"]) == bool(cleaned.get("dataset")):
            raise forms.ValidationError(_("Choose files, or name a data set: one of both."))
        return cleaned
