"""The shape of what people send to the pages of the commons; what it means is checked by the verbs."""

from django import forms
from django.conf import settings
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from portal.models import AccessToken, Membership, User
from portal.names import MAX_NAME

ABOUT = forms.Textarea(attrs={"rows": 4})


class ProfileForm(forms.Form):
    """How a person is presented, and in which language the site speaks to them."""

    name = forms.CharField(
        label=_("Display name"), max_length=150, required=False, help_text=_("Shown beside your account name.")
    )
    about = forms.CharField(
        label=_("About you"), max_length=500, required=False, widget=ABOUT, help_text=_("At most 500 characters.")
    )
    language = forms.ChoiceField(
        label=_("Language"), choices=settings.LANGUAGES, help_text=_("Kept in this browser for a year.")
    )


class TokenForm(forms.Form):
    """A new access token."""

    name = forms.CharField(
        label=_("Name"), max_length=80, help_text=_("Where you will use it, such as “laptop” or “CI”.")
    )
    role = forms.ChoiceField(
        label=_("Role"),
        initial=AccessToken.Role.READ,
        widget=forms.RadioSelect,
        choices=[
            (AccessToken.Role.READ, _("read – download what you can see, private repositories included")),
            (AccessToken.Role.WRITE, _("write – also publish, change and evaluate on your behalf")),
        ],
    )


class OAuthAppForm(forms.Form):
    """A program that people shall be able to sign in to with their account here."""

    name = forms.CharField(label=_("Name"), max_length=80, help_text=_("People see it when they are asked."))
    homepage = forms.URLField(label=_("Home page"), max_length=300, required=False, assume_scheme="https")
    redirect_uris = forms.CharField(
        label=_("Redirect addresses"),
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false", "autocapitalize": "none"}),
        help_text=_("One a line. Sign-ins lead to exactly these addresses and nowhere else."),
    )
    public = forms.BooleanField(
        label=_("Without a secret"),
        required=False,
        help_text=_("For programs on people’s own machines or in their browsers; they prove themselves by PKCE."),
    )

    def clean_redirect_uris(self) -> list[str]:
        """Return the addresses as a list."""
        return [line.strip() for line in str(self.cleaned_data["redirect_uris"]).splitlines() if line.strip()]


class OrganizationForm(forms.Form):
    """A new organization."""

    name = forms.CharField(
        label=_("Name"),
        max_length=MAX_NAME,
        help_text=_("Part of the address of everything it publishes; it cannot be changed later."),
        widget=forms.TextInput(attrs={"autocapitalize": "none", "autocomplete": "off", "spellcheck": "false"}),
    )
    title = forms.CharField(label=_("Display name"), max_length=120, required=False)


class OrganizationProfileForm(forms.Form):
    """How an organization is presented."""

    title = forms.CharField(label=_("Display name"), max_length=120, required=False)
    about = forms.CharField(
        label=_("About"), max_length=500, required=False, widget=ABOUT, help_text=_("At most 500 characters.")
    )


class RoleForm(forms.Form):
    """What a member may do."""

    role = forms.ChoiceField(label=_("Role"), choices=Membership.Role.choices, initial=Membership.Role.READ)


class MemberForm(RoleForm):
    """Somebody who is to join an organization."""

    username = forms.CharField(
        label=_("Account name"),
        max_length=MAX_NAME,
        widget=forms.TextInput(attrs={"autocapitalize": "none", "autocomplete": "off", "spellcheck": "false"}),
    )
    field_order = ("username", "role")

    def clean_username(self) -> User:
        """Return the person of that name, whatever the case."""
        user = User.objects.filter(username__iexact=self.cleaned_data["username"], is_active=True).first()
        if user is None:
            raise forms.ValidationError(gettext("Nobody here has this account name."))
        return user
