"""The shape of what people send to the pages of the leaderboard."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from leaderboard.models import Benchmark, BenchmarkQuerySet


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
