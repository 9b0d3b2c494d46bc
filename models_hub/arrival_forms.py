"""The shape of what people send to have a repository copied here."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from models_hub.forms import NAME_ATTRIBUTES
from models_hub.models import Repo
from portal.names import MAX_NAME


class ArrivalForm(forms.Form):
    """Where what arrives is to go."""

    namespace = forms.ChoiceField(label=_("Owner"))
    name = forms.CharField(label=_("Name"), max_length=MAX_NAME, widget=forms.TextInput(attrs=NAME_ATTRIBUTES))
    private = forms.BooleanField(label=_("Private"), required=False)

    def __init__(self, *args: Any, namespaces: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.choose("namespace", namespaces)

    def choose(self, field: str, values: list[str]) -> None:
        """Offer these values."""
        chosen = self.fields[field]
        assert isinstance(chosen, forms.ChoiceField)
        chosen.choices = [(value, value) for value in values]


class ImportForm(ArrivalForm):
    """A repository of another hub."""

    hub = forms.ChoiceField(label=_("Hub"))
    kind = forms.ChoiceField(
        label=_("Kind"), choices=[(kind.value, kind.label) for kind in (Repo.Kind.MODEL, Repo.Kind.DATASET)]
    )
    source = forms.CharField(
        label=_("Repository there"),
        max_length=200,
        widget=forms.TextInput(attrs={**NAME_ATTRIBUTES, "placeholder": "owner/name"}),
    )
    revisions = forms.CharField(
        label=_("Branches and tags"), max_length=2000, required=False,
        help_text=_("Several are separated by spaces. Leave empty for all of them."),
        widget=forms.TextInput(attrs=NAME_ATTRIBUTES),
    )  # fmt: skip
    field_order = ("hub", "kind", "source", "revisions", "namespace", "name", "private")

    def __init__(self, *args: Any, hubs: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.choose("hub", hubs)
        self.fields["name"].required = False
        self.fields["name"].help_text = _("Leave empty to keep the name.")


class BundleForm(ArrivalForm):
    """A bundle from the reader's machine."""

    prefix = "bundle"
    file = forms.FileField(label=_("Bundle"))
    field_order = ("file", "namespace", "name", "private")
