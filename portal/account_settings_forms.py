"""What people send to the pages of their own account."""

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from portal.models import User
from portal.names import MAX_NAME

PLAIN = {"autocapitalize": "none", "autocomplete": "off", "spellcheck": "false"}


class PreferencesForm(forms.Form):
    """How the site speaks and looks."""

    language = forms.ChoiceField(label=_("Language"), choices=settings.LANGUAGES)
    theme = forms.ChoiceField(
        label=_("Colours"), required=False, choices=[("", _("as the device has them")), *User.Theme.choices]
    )
    is_bot = forms.BooleanField(
        label=_("This account belongs to a program"),
        required=False,
        help_text=_("What it writes notifies nobody, and it is told of nothing."),
    )


class RenameForm(forms.Form):
    """Another name of a person or an organization."""

    name = forms.CharField(
        label=_("New name"),
        max_length=MAX_NAME,
        help_text=_("Pages and repositories under the old name lead to the new one; nobody else can take the old one."),
        widget=forms.TextInput(attrs=PLAIN),
    )


class MergeForm(forms.Form):
    """The account that shall take this one in."""

    into = forms.CharField(
        label=_("Name of the other account"), max_length=MAX_NAME, widget=forms.TextInput(attrs=PLAIN)
    )


class ProposalForm(MergeForm):
    """Two accounts of others, and why they are one."""

    source = forms.CharField(label=_("Account that ends"), max_length=MAX_NAME, widget=forms.TextInput(attrs=PLAIN))
    into = forms.CharField(label=_("Account that stays"), max_length=MAX_NAME, widget=forms.TextInput(attrs=PLAIN))
    reason = forms.CharField(label=_("Why"), max_length=300)
    field_order = ("source", "into", "reason")


class DeletionForm(forms.Form):
    """The wish to have the account deleted, with its name typed."""

    typed = forms.CharField(label=_("Type your account name"), max_length=MAX_NAME, widget=forms.TextInput(attrs=PLAIN))
