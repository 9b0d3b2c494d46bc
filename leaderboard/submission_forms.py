"""Several models, and a board or benchmarks that all of them are to be measured on."""

from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from leaderboard.bulk import MAX_PAIRS
from leaderboard.forms import BenchmarksField
from leaderboard.models import Benchmark, BenchmarkQuerySet, Suite, SuiteQuerySet


class BoardField(forms.ModelChoiceField):  # type: ignore[type-arg]  # generic in the stubs alone
    """A board by its name in the reader's language."""

    def label_from_instance(self, obj: Suite) -> str:
        return obj.name


class SubmissionForm(forms.Form):
    """What is asked for at once."""

    models = forms.CharField(
        label=_("Models"),
        max_length=20_000,
        widget=forms.Textarea(
            attrs={"rows": 5, "placeholder": "owner/name", "autocapitalize": "none", "spellcheck": "false"}
        ),
        help_text=_("One a line."),
    )
    board = BoardField(
        label=_("A whole board"),
        queryset=Suite.objects.none(),
        to_field_name="slug",
        required=False,
        empty_label=_("none"),
        blank=True,
    )
    benchmark = BenchmarksField(
        label=_("Benchmarks"),
        queryset=Benchmark.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )

    def __init__(self, *args: Any, boards: SuiteQuerySet, benchmarks: BenchmarkQuerySet, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, rows in (("board", boards), ("benchmark", benchmarks)):
            field = self.fields[name]
            assert isinstance(field, forms.ModelChoiceField)
            field.queryset = rows

    def clean_models(self) -> list[str]:
        """Return names, each once."""
        lines = (line.strip().strip("/") for line in self.cleaned_data["models"].splitlines())
        return list(dict.fromkeys(line for line in lines if line))

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if self.errors:
            return cleaned
        board: Suite | None = cleaned["board"]
        chosen = [entry.benchmark for entry in board.public_entries] if board else []
        cleaned["benchmarks"] = list({one.pk: one for one in [*chosen, *cleaned["benchmark"]]}.values())
        if not cleaned["benchmarks"]:
            raise forms.ValidationError(gettext("Choose a board, or at least one benchmark."))
        if len(cleaned["models"]) * len(cleaned["benchmarks"]) > MAX_PAIRS:
            raise forms.ValidationError(gettext("At most %(max)d pairs may be asked for at once.") % {"max": MAX_PAIRS})
        return cleaned
