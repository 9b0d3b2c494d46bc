"""The form that asks for a queue of rows to label."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from models_hub.adapting import queues, registry, texts
from models_hub.adapting.columns import guess
from models_hub.adapting.queues import QueueWish
from models_hub.forms import NAME_ATTRIBUTES
from models_hub.models import AnnotationQueue

COLUMNS = {"input": "column", "input2": "column2", "target": "answer"}


class QueueForm(forms.Form):
    """Which rows, for which task, chosen by which model."""

    task = forms.ChoiceField(label=_("What is asked of each row"))
    path = forms.ChoiceField(label=_("File with the rows"))
    base = forms.CharField(
        label=_("Model that says where it is unsure"),
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs={**NAME_ATTRIBUTES, "placeholder": "owner/name", "data-complete": "model"}),
        help_text=_("Leave empty to be asked about texts that differ most from each other and from what is labelled."),
    )
    order = forms.ChoiceField(label=_("Unsure means"), required=False)
    count = forms.IntegerField(label=_("Rows to label"), initial=100, min_value=1, max_value=queues.MAX_COUNT)
    labels = forms.CharField(
        label=_("Labels"),
        required=False,
        widget=forms.TextInput(attrs=NAME_ATTRIBUTES),
        help_text=_("Separated by commas. Leave empty to take those of the model or of the labelled rows."),
    )
    column = forms.CharField(label=_("Column of the text"), required=False, max_length=200)
    column2 = forms.CharField(
        label=_("Column of the second text"), required=False, max_length=200, help_text=_("Only for pairs.")
    )
    answer = forms.CharField(
        label=_("Column of the answer"),
        required=False,
        max_length=200,
        help_text=_("Rows where it is empty are asked about."),
    )
    people = forms.CharField(
        label=_("People who help"),
        required=False,
        widget=forms.TextInput(attrs={**NAME_ATTRIBUTES}),
        help_text=_("Names of accounts, separated by commas. Each row is given to one at a time."),
    )
    twice = forms.IntegerField(
        label=_("Rows that two people label, in per cent"),
        initial=0,
        min_value=0,
        max_value=100,
        help_text=_("They show how far people agree."),
    )

    def __init__(self, *args: Any, paths: Sequence[str], columns: Sequence[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._choose("task", [(name, texts.task_label(name)) for name in queues.HEADS])
        self._choose("path", [(path, path) for path in paths])
        orders = [choice for choice in AnnotationQueue.Order.choices if choice[0] != AnnotationQueue.Order.SPREAD]
        self._choose("order", orders)
        for name in COLUMNS.values():
            # The list is in the page: columns of the file that is guessed first.
            self.fields[name].widget.attrs |= {**NAME_ATTRIBUTES, "list": "columns"} if columns else NAME_ATTRIBUTES
        self._guess_columns(columns)
        self.fields["column"].help_text = _("Leave empty for the usual name: text, sentence1 or tokens.")

    def _guess_columns(self, names: Sequence[str]) -> None:
        """Fill in what has another name than the one that is taken where a field is left empty."""
        asked = str(self.initial.get("task"))
        task = registry.find_task(asked if asked in queues.HEADS else next(iter(queues.HEADS)))
        for role, name in guess(task, names).items():
            if role in COLUMNS and name != task.columns[role]:
                self.fields[COLUMNS[role]].initial = name

    def _choose(self, name: str, choices: list[tuple[str, Any]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = choices

    def wish(self, data: str) -> QueueWish:
        """Return what is asked for."""
        values = self.cleaned_data
        fields = {role: values[name].strip() for role, name in COLUMNS.items() if values[name].strip()}
        if values["task"] == "token-classification":
            fields.pop("input2", None)
        return QueueWish(
            task=values["task"],
            data=data,
            path=values["path"],
            base=values["base"].strip(),
            order=values["order"] if values["base"].strip() else "",
            fields=fields,
            labels=split(values["labels"]),
            count=values["count"],
            twice=values["twice"] / 100,
            people=split(values["people"]),
        )


def split(value: str) -> list[str]:
    """Return what stands between commas."""
    return [part.strip() for part in value.replace("，", ",").split(",") if part.strip()]
