"""The shape of what people send to the pages of the leaderboard."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from leaderboard.models import Benchmark, BenchmarkQuerySet
from models_hub.forms import ManyFilesField, NewRepoForm


class BenchmarkField(forms.ModelChoiceField):  # type: ignore[type-arg]  # generic in the stubs alone
    """Benchmarks by their titles in the reader's language."""

    def label_from_instance(self, obj: Benchmark) -> str:
        return f"{obj.title} v{obj.version} · {obj.dataset.full_name}"


class EvaluationForm(forms.Form):
    """Which benchmark a model is to be measured on."""

    benchmark = BenchmarkField(
        label=_("Benchmark"),
        queryset=Benchmark.objects.none(),
        empty_label=None,
        error_messages={"invalid_choice": _("This benchmark does not exist, or it does not fit the model.")},
    )

    def __init__(self, *args: Any, benchmarks: BenchmarkQuerySet, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["benchmark"]
        assert isinstance(field, BenchmarkField)
        field.queryset = benchmarks


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
