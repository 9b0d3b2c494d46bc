"""The shape of what people send about collections; what it means is checked by the verbs."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from models_hub.models.collections import MAX_DESCRIPTION, MAX_NOTE, MAX_TITLE


class CollectionForm(forms.Form):
    """What a collection is called and who may see it."""

    title = forms.CharField(label=_("Title"), max_length=MAX_TITLE)
    description = forms.CharField(label=_("Description"), max_length=MAX_DESCRIPTION, required=False)
    private = forms.BooleanField(
        label=_("Private"), required=False, help_text=_("Only its owner, or the members of the organization, see it.")
    )


class NewCollectionForm(CollectionForm):
    """A new collection, of the person or of one of the person's organizations."""

    namespace = forms.ChoiceField(label=_("Owner"))
    field_order = ("namespace", "title", "description", "private")

    def __init__(self, *args: Any, namespaces: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        owner = self.fields["namespace"]
        assert isinstance(owner, forms.ChoiceField)
        owner.choices = [(name, name) for name in namespaces]


class NoteForm(forms.Form):
    """What is remarked on one item."""

    note = forms.CharField(label=_("Note"), max_length=MAX_NOTE, required=False)


class ItemForm(NoteForm):
    """Something that is put into a collection, by its address or name."""

    name = forms.CharField(
        label=_("Repository"),
        max_length=300,
        widget=forms.TextInput(attrs={"placeholder": "alice/bert", "autocapitalize": "none", "spellcheck": "false"}),
        help_text=_("A model alice/bert, a data set datasets/alice/cars, or another collection’s address."),
    )
    field_order = ("name", "note")

    def clean_name(self) -> tuple[str, str]:
        """Return the kind and the name of what is meant."""
        name = str(self.cleaned_data["name"]).strip().strip("/")
        for prefix, kind in (("models/", "model"), ("datasets/", "dataset"), ("spaces/", "space")):
            if name.startswith(prefix):
                return kind, name.removeprefix(prefix)
        if "collections/" in name:
            return "collection", name.rpartition("collections/")[2]
        return "model", name
