"""The shape of what people send to the pages of the hub; what it means is checked by the verbs."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext_lazy as _

from models_hub.landing import MAX_TITLE
from models_hub.publishing import MAX_DESCRIPTION
from portal.models import Membership, Namespace, User
from portal.names import MAX_NAME
from portal.permissions import WRITERS

NAME_ATTRIBUTES = {"autocapitalize": "none", "autocomplete": "off", "spellcheck": "false"}
MAX_PATH = 4096
PROPOSAL = "pull_request"

Targets = Sequence[tuple[str, str]]


def writable_namespaces(user: User) -> list[str]:
    """Return the names under which a user may publish, the user's own first."""
    organizations = Membership.objects.filter(user_id=user.pk, role__in=WRITERS).values("organization_id")
    own = Namespace.objects.filter(user_id=user.pk).values_list("name", flat=True)
    shared = Namespace.objects.filter(organization_id__in=organizations).order_by("lower")
    return [*own, *shared.values_list("name", flat=True)]


class NewRepoForm(forms.Form):
    """A new model or data set."""

    namespace = forms.ChoiceField(label=_("Owner"))
    name = forms.CharField(
        label=_("Name"),
        max_length=MAX_NAME,
        widget=forms.TextInput(attrs=NAME_ATTRIBUTES),
        help_text=_("Letters, digits, “-”, “_” and “.”; it becomes part of the address."),
    )
    private = forms.TypedChoiceField(
        label=_("Who may see it"),
        coerce=lambda value: value == "private",
        initial="public",
        widget=forms.RadioSelect,
        choices=[
            ("public", _("Public – everybody may see and download it")),
            ("private", _("Private – only you, or the members of the organization")),
        ],
    )

    def __init__(self, *args: Any, namespaces: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        owner = self.fields["namespace"]
        assert isinstance(owner, forms.ChoiceField)
        owner.choices = [(name, name) for name in namespaces]


class CommitForm(forms.Form):
    """The message of a commit, below whatever it changes, and where it goes when there is a choice."""

    title = forms.CharField(label=_("Commit message"), max_length=MAX_TITLE)
    description = forms.CharField(
        label=_("Description"), max_length=MAX_DESCRIPTION, required=False, widget=forms.Textarea(attrs={"rows": 2})
    )
    target = forms.ChoiceField(label=_("Where it goes"), required=False, widget=forms.RadioSelect)

    def __init__(self, *args: Any, targets: Targets, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._targets = targets
        if targets:
            field = self.fields["target"]
            assert isinstance(field, forms.ChoiceField)
            field.choices, field.initial = targets, targets[0][0]
        else:
            del self.fields["target"]

    @property
    def proposes(self) -> bool:
        """Whether the change is to become a pull request; what was not chosen is the first place offered."""
        default = self._targets[0][0] if self._targets else ""
        return (self.cleaned_data.get("target") or default) == PROPOSAL

    def for_preview(self) -> None:
        """Ask for no message yet: whoever looks at a change may not know what to say of it."""
        self.fields["title"].required = False

    def see(self, oid: str, content: str | None = None) -> None:
        """Let the form, when it is shown once more, say that its reader has seen this; and show another content."""
        changed = {"seen": oid} if content is None else {"seen": oid, "content": content}
        self.data = {name: self.data[name] for name in self.data} | changed
        self.cleaned_data |= changed


class ManyFilesInput(forms.ClearableFileInput):
    allow_multiple_selected = True


class ManyFilesField(forms.FileField):
    """Several files of one input."""

    widget = ManyFilesInput

    def clean(self, data: Any, initial: Any = None) -> "list[UploadedFile[Any]]":
        files = data if isinstance(data, list | tuple) and data else [None]
        return [super(ManyFilesField, self).clean(file, initial) for file in files]


class UploadForm(CommitForm):
    """Files from the reader's machine. `paths` names them with their folders, when a script could tell."""

    # The stubs type `files` as the form's own property; Django takes a field of that name all the same.
    files = ManyFilesField(label=_("Files"), allow_empty_file=True)  # type: ignore[assignment]
    folder = forms.CharField(
        label=_("Into folder"),
        max_length=MAX_PATH,
        required=False,
        help_text=_("Leave empty for the top folder."),
        widget=forms.TextInput(attrs=NAME_ATTRIBUTES),
    )
    field_order = ("files", "folder", "title", "description", "target")


class TextFileForm(CommitForm):
    """A text file written in the browser. `seen` is the git id of the file as the writer saw it, "" for a new one."""

    path = forms.CharField(label=_("File name"), max_length=MAX_PATH, widget=forms.TextInput(attrs=NAME_ATTRIBUTES))
    content = forms.CharField(
        label=_("Content"),
        required=False,
        strip=False,
        widget=forms.Textarea(
            attrs={"rows": 24, "class": "editor", "spellcheck": "false", "wrap": "off", "data-editor": ""}
        ),
    )
    seen = forms.CharField(max_length=40, required=False, widget=forms.HiddenInput)
    field_order = ("path", "content", "title", "description", "target", "seen")


class RemovalForm(CommitForm):
    """A file or folder to be removed. `seen` is its git id as the reader saw it."""

    seen = forms.CharField(max_length=40, required=False, widget=forms.HiddenInput)


class MoveFileForm(RemovalForm):
    """A file or folder that is to stand in another place."""

    path = forms.CharField(
        label=_("New name"),
        max_length=MAX_PATH,
        widget=forms.TextInput(attrs=NAME_ATTRIBUTES),
        help_text=_("With its folders, such as docs/notes.md; folders that do not exist are made."),
    )
    field_order = ("path", "title", "description", "target", "seen")


class VisibilityForm(forms.Form):
    """Who may see a repository."""

    private = forms.TypedChoiceField(
        coerce=lambda value: value == "private", choices=[("public", "public"), ("private", "private")]
    )


class DeletionForm(forms.Form):
    """The name of a repository typed in full by whoever wants it gone."""

    confirmation = forms.CharField(
        label=_("Type the full name to confirm"), widget=forms.TextInput(attrs=NAME_ATTRIBUTES)
    )

    def __init__(self, *args: Any, full_name: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.full_name = full_name

    def clean_confirmation(self) -> str:
        typed = str(self.cleaned_data["confirmation"])
        if typed != self.full_name:
            raise forms.ValidationError(
                _("This is not the full name. Type “%(name)s” to delete it."), params={"name": self.full_name}
            )
        return typed
