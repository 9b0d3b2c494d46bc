"""The shape of what people send to the pages of the leaderboard."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, time
from typing import Any

from django import forms
from django.core.validators import validate_slug
from django.forms import BoundField
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from leaderboard.models import Benchmark, BenchmarkQuerySet, Reviewed, Suite
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


class EndForm(forms.Form):
    """The last day of a board; none for a board that stays open."""

    last_day = forms.DateField(
        label=_("Last day"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text=_(
            "Until the end of this day (UTC) scores may be asked for. Leave it empty for a board that stays open."
        ),
    )

    @property
    def ends_at(self) -> datetime | None:
        day = self.cleaned_data["last_day"]
        return day and datetime.combine(day, time.max.replace(microsecond=0), UTC)


class SuiteForm(EndForm):
    """A board that somebody proposes: its words, its last day, and the weight of each benchmark that is part of it."""

    slug = forms.CharField(
        label=_("Address"),
        max_length=60,
        validators=[validate_slug],
        help_text=_("/leaderboard/…: letters, digits, “-” and “_”."),
        widget=forms.TextInput(attrs={"autocapitalize": "none", "spellcheck": "false"}),
    )
    title = forms.CharField(label=_("Title"), max_length=120)
    title_zh = forms.CharField(label=_("Title in Chinese"), max_length=120, required=False)
    description = forms.CharField(
        label=_("What it is about"), max_length=5000, required=False, widget=forms.Textarea(attrs={"rows": 3})
    )
    description_zh = forms.CharField(
        label=_("The same in Chinese"), max_length=5000, required=False, widget=forms.Textarea(attrs={"rows": 3})
    )
    field_order = ("title", "title_zh", "slug", "description", "description_zh", "last_day")

    def __init__(self, *args: Any, benchmarks: Iterable[Benchmark], of: Suite | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial.update(_words_of(of) if of else {})
        self.benchmarks = {f"weight-{benchmark.pk}": benchmark for benchmark in benchmarks}
        known = {entry.benchmark_id: entry.weight for entry in of.entries.all()} if of else {}
        for name, benchmark in self.benchmarks.items():
            self.fields[name] = forms.FloatField(
                label=benchmark.title,
                required=False,
                min_value=0.01,
                max_value=1000,
                initial=known.get(benchmark.pk),
                widget=forms.NumberInput(attrs={"class": "form-control", "step": "any", "inputmode": "decimal"}),
            )

    @property
    def words(self) -> list[BoundField]:
        """All but the weights."""
        return [field for field in self if field.name not in self.benchmarks]

    @property
    def weights(self) -> list[tuple[Benchmark, BoundField]]:
        return [(benchmark, self[name]) for name, benchmark in self.benchmarks.items()]

    @property
    def values(self) -> dict[str, Any]:
        """What the verb takes."""
        cleaned = self.cleaned_data
        words = {name: cleaned[name] for name in ("slug", "title", "title_zh", "description", "description_zh")}
        chosen = [(one, cleaned[name]) for name, one in self.benchmarks.items() if cleaned[name]]
        return {**words, "benchmarks": chosen, "ends_at": self.ends_at}

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if not any(cleaned.get(name) for name in self.benchmarks) and not any(
            n in self.errors for n in self.benchmarks
        ):
            raise forms.ValidationError(_("Give at least one benchmark a weight."))
        return cleaned


def _words_of(suite: Suite) -> dict[str, Any]:
    return {name: getattr(suite, name) for name in ("slug", "title", "title_zh", "description", "description_zh")}


class DecisionForm(forms.Form):
    """Yes or no to a proposal, and for a no the reason."""

    answer = forms.ChoiceField(choices=[("approve", ""), ("refuse", "")])
    reason = forms.CharField(label=_("Why not"), max_length=Reviewed.MAX_REASON, required=False)
