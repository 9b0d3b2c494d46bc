"""The shape of what people send to the pages of versions; what it means is checked by the verbs."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from models_hub.forms import NAME_ATTRIBUTES, CommitForm
from models_hub.landing import MAX_TITLE
from models_hub.models import DEFAULT_BRANCH
from models_hub.referencing import MAX_MESSAGE, MAX_NAME

REVISION_ATTRIBUTES = {**NAME_ATTRIBUTES, "list": "known-revisions"}


class NewBranchForm(forms.Form):
    """A branch and where it begins."""

    name = forms.CharField(label=_("Name"), max_length=MAX_NAME, widget=forms.TextInput(attrs=NAME_ATTRIBUTES))
    start = forms.CharField(
        label=_("Begins at"),
        max_length=255,
        initial=DEFAULT_BRANCH,
        widget=forms.TextInput(attrs=REVISION_ATTRIBUTES),
        help_text=_("A branch, a tag or a commit."),
    )


class ReferenceDeletionForm(forms.Form):
    """A branch or tag to be deleted; where something would be lost, its name is typed."""

    confirmation = forms.CharField(
        label=_("Type the name to confirm"), required=False, widget=forms.TextInput(attrs=NAME_ATTRIBUTES)
    )

    def __init__(self, *args: Any, name: str, must_type: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._name = name
        if not must_type:
            del self.fields["confirmation"]

    def clean_confirmation(self) -> str:
        typed = str(self.cleaned_data["confirmation"])
        if typed != self._name:
            raise forms.ValidationError(
                _("This is not the name. Type “%(name)s” to delete it."), params={"name": self._name}
            )
        return typed


class RestorationForm(CommitForm):
    """An earlier version to be made the newest. `seen` is the head of the branch that its reader looked at."""

    seen = forms.CharField(max_length=40, required=False, widget=forms.HiddenInput)


class ReleaseForm(forms.Form):
    """What a release says."""

    title = forms.CharField(
        label=_("Title"), max_length=MAX_TITLE, required=False, help_text=_("Leave empty to show the version alone.")
    )
    notes = forms.CharField(
        label=_("Notes"),
        max_length=MAX_MESSAGE,
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 12, "class": "font-monospace editor"}),
        help_text=_("Markdown. Say what is new, what is better and by how much, and what users must change."),
    )


class NewReleaseForm(ReleaseForm):
    """A version to be named: a new tag, or one that is there already."""

    tag = forms.CharField(
        label=_("Version"),
        max_length=MAX_NAME,
        widget=forms.TextInput(attrs=NAME_ATTRIBUTES),
        help_text=_("Best a semantic version such as v1.2.0. A tag that exists already gets these notes."),
    )
    revision = forms.CharField(
        label=_("Made of"),
        max_length=255,
        initial=DEFAULT_BRANCH,
        widget=forms.TextInput(attrs=REVISION_ATTRIBUTES),
        help_text=_("A branch, a tag or a commit."),
    )
    field_order = ("tag", "revision", "title", "notes")
