"""The shape of a trusted publisher; what it means is checked by the verb."""

from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from models_hub.forms import NAME_ATTRIBUTES
from portal.models import TrustedPublisher
from portal.oauth.publishers import MAX_VALUE

Provider = TrustedPublisher.Provider
# A field of the form -> the claim that it asks for, by provider.
CLAIMS = {
    Provider.GITHUB: {"home": "repository", "workflow": "workflow", "environment": "environment", "ref": "ref"},
    Provider.GITLAB: {"home": "project_path", "environment": "environment", "ref": "ref"},
    Provider.OTHER: {"home": "sub"},
}


class PublisherForm(forms.Form):
    """One publisher. What a provider does not know must be left empty."""

    provider = forms.ChoiceField(label=_("Where the program runs"), choices=Provider.choices)
    home = forms.CharField(
        label=_("Repository or project there"),
        max_length=MAX_VALUE,
        widget=forms.TextInput(attrs=NAME_ATTRIBUTES),
        help_text=_("Such as owner/name. Of another issuer the subject, in which a star stands for anything."),
    )
    workflow = forms.CharField(
        label=_("Workflow"),
        required=False,
        max_length=MAX_VALUE,
        widget=forms.TextInput(attrs=NAME_ATTRIBUTES),
        help_text=_("GitHub alone: the name of its file in .github/workflows, such as publish.yml."),
    )
    environment = forms.CharField(
        label=_("Environment"),
        required=False,
        max_length=MAX_VALUE,
        widget=forms.TextInput(attrs=NAME_ATTRIBUTES),
        help_text=_("In which its jobs run, if they run in one. An environment with required reviewers protects best."),
    )
    ref = forms.CharField(
        label=_("Branch or tag"),
        required=False,
        max_length=MAX_VALUE,
        widget=forms.TextInput(attrs=NAME_ATTRIBUTES),
        help_text=_("Such as main, or refs/tags/v*. Empty lets every branch publish."),
    )
    more = forms.CharField(
        label=_("Further claims"),
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={**NAME_ATTRIBUTES, "rows": 2}),
        help_text=_("One a line, such as repository_id=123456."),
    )
    level = forms.TypedChoiceField(
        label=_("It may"),
        coerce=int,
        choices=TrustedPublisher.Levels.choices,
        initial=TrustedPublisher.Levels.WRITE.value,
    )
    issuer = forms.CharField(
        label=_("Issuer"),
        required=False,
        max_length=MAX_VALUE,
        widget=forms.TextInput(attrs=NAME_ATTRIBUTES),
        help_text=_("Empty for github.com and gitlab.com; the address of a server of your own."),
    )
    audience = forms.CharField(
        label=_("Audience"),
        required=False,
        max_length=MAX_VALUE,
        widget=forms.TextInput(attrs=NAME_ATTRIBUTES),
        help_text=_("Empty for the address of this portal, for which clients ask."),
    )

    def clean_more(self) -> dict[str, str]:
        lines = [line.strip() for line in str(self.cleaned_data["more"]).splitlines() if line.strip()]
        found = {name.strip(): value.strip() for name, sign, value in (line.partition("=") for line in lines) if sign}
        if len(found) != len(lines):
            raise forms.ValidationError(gettext("Write each claim as name=value, on a line of its own."))
        return found

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        names = CLAIMS.get(values.get("provider", ""), {})
        for field in ("workflow", "environment", "ref"):
            if values.get(field) and field not in names:
                self.add_error(field, gettext("This issuer says nothing of that: name the claim below."))
        return values

    def wish(self, *, site: str) -> dict[str, Any]:
        """Return what the verb is asked for; `site` is the address of this portal."""
        values = self.cleaned_data
        names = CLAIMS[values["provider"]]
        named = {claim: values[field] for field, claim in names.items() if values[field]}
        return {
            "provider": values["provider"],
            "claims": {**values["more"], **named},
            "issuer": values["issuer"],
            "audience": values["audience"] or site,
            "level": values["level"],
        }

    def place(self, key: str) -> str | None:
        """Return the field that a refusal of the verb belongs to, by the claim that it names."""
        names = {claim: field for field, claim in CLAIMS[self.cleaned_data["provider"]].items()}
        names["ref_path"] = "ref"
        return names.get(key, key if key in self.fields else "more" if key else None)
