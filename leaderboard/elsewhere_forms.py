"""How people bring results of other boards here: by hand, as a file, or from the card."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from leaderboard.models import Suite
from leaderboard.models.imported import MAX_ADDRESS, MAX_TEXT

MAX_BOARDS = 200


class BesideForm(forms.Form):
    """The board of this portal beside which results are shown, if any."""

    suite = forms.ModelChoiceField(
        label=_("Beside the board"),
        queryset=Suite.objects.none(),
        required=False,
        empty_label=_("none: on the model’s page alone"),
        help_text=_("Readers of that board find them on a page of its own, never among its ranks."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["suite"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = Suite.objects.current().order_by("title", "id")


class ResultForm(BesideForm):
    """One result, by hand."""

    board = forms.CharField(label=_("Name of the other board"), max_length=MAX_TEXT)
    url = forms.URLField(label=_("Its address"), max_length=MAX_ADDRESS, assume_scheme="https")
    task = forms.CharField(
        label=_("What was measured"), max_length=MAX_TEXT, help_text=_("A data set or a column, such as TNEWS.")
    )
    metric = forms.CharField(label=_("Metric"), max_length=MAX_TEXT)
    value = forms.FloatField(label=_("Value"), widget=forms.NumberInput(attrs={"step": "any", "inputmode": "decimal"}))
    date = forms.DateField(label=_("Date"), required=False, widget=forms.DateInput(attrs={"type": "date"}))
    field_order = ("board", "url", "task", "metric", "value", "date", "suite")


class FileForm(BesideForm):
    """Many results, as a file."""

    file = forms.FileField(label=_("CSV or JSON"), widget=forms.FileInput(attrs={"accept": ".csv,.json"}))
    field_order = ("file", "suite")
