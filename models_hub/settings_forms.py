"""The shape of what people send about a repository as a whole: its name, its gate, and who asks to be let in."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from models_hub.forms import NAME_ATTRIBUTES
from models_hub.gating import MAX_ANSWER, MAX_REASON, Field
from models_hub.models import AccessRequest, Repo
from portal.names import MAX_NAME


class MoveForm(forms.Form):
    """Another name or another owner for a repository."""

    namespace = forms.ChoiceField(label=_("Owner"))
    name = forms.CharField(label=_("Name"), max_length=MAX_NAME, widget=forms.TextInput(attrs=NAME_ATTRIBUTES))

    def __init__(self, *args: Any, namespaces: Sequence[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        owner = self.fields["namespace"]
        assert isinstance(owner, forms.ChoiceField)
        owner.choices = [(name, name) for name in namespaces]


class GateForm(forms.Form):
    """Who may download: everybody, whoever asks, or whom a writer accepts."""

    gated = forms.ChoiceField(choices=Repo.Gate.choices, required=False)


class GrantForm(forms.Form):
    """Somebody who is let in without asking."""

    username = forms.CharField(label=_("User name"), max_length=150, widget=forms.TextInput(attrs=NAME_ATTRIBUTES))


class DecisionForm(forms.Form):
    """What becomes of a request for access. `request` is its row."""

    request = forms.IntegerField(min_value=1, max_value=2**62)
    status = forms.ChoiceField(choices=AccessRequest.Status.choices)
    reason = forms.CharField(max_length=MAX_REASON, required=False)


class AccessForm(forms.Form):
    """The questions that a card asks of who wants access, in its words."""

    def __init__(self, *args: Any, asked: Sequence[Field], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.asked = asked
        for index, field in enumerate(asked):
            self.fields[f"answer{index}"] = _question(field)

    @property
    def answers(self) -> dict[str, Any]:
        """The answers by the names of the questions."""
        return {field.name: self.cleaned_data[f"answer{index}"] for index, field in enumerate(self.asked)}


def _question(field: Field) -> forms.Field:
    if field.kind == "checkbox":
        return forms.BooleanField(label=field.name)
    if field.kind == "select":
        return forms.ChoiceField(label=field.name, choices=[("", "—"), *((text, text) for text in field.options)])
    kinds = {"date_picker": {"type": "date"}, "country": {"autocomplete": "country-name"}}
    widget = forms.TextInput(attrs=kinds.get(field.kind, {}))
    return forms.CharField(label=field.name, max_length=MAX_ANSWER, widget=widget)
