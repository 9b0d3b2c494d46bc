"""The shape of what people send to the pages of the commons; what it means is checked by the verbs."""

from django import forms
from django.conf import settings
from django.core.validators import URLValidator
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from portal.models import AccessToken, Avatar, Membership, Namespace, User
from portal.models.accounts import MAX_ABOUT
from portal.models.avatars import MAX_BYTES as AVATAR_BYTES
from portal.models.ssh_keys import MAX_NAME as MAX_KEY_NAME
from portal.names import MAX_NAME
from portal.public_keys import MAX_TEXT

ABOUT = forms.Textarea(attrs={"rows": 6})
ABOUT_HELP = _("Markdown; at most 4,000 characters.")
MAX_LINKS = 5


class LinksField(forms.CharField):
    """Addresses of other pages, one a line."""

    def __init__(self) -> None:
        attrs = {"rows": 3, "spellcheck": "false", "autocapitalize": "none"}
        super().__init__(
            label=_("Links"),
            required=False,
            max_length=1500,
            widget=forms.Textarea(attrs=attrs),
            help_text=_("One a line, at most five: your home page, your lab, your profile elsewhere."),
        )

    def prepare_value(self, value: object) -> object:
        return "\n".join(value) if isinstance(value, list) else value

    def clean(self, value: object) -> list[str]:
        """Return the addresses as a list; only those of the web."""
        lines = [line.strip() for line in str(super().clean(value)).splitlines() if line.strip()]
        if len(lines) > MAX_LINKS:
            raise forms.ValidationError(gettext("Enter at most %(max)d links.") % {"max": MAX_LINKS})
        only_web = URLValidator(schemes=["https", "http"])
        check = forms.URLField(max_length=300, assume_scheme="https", validators=[only_web])
        return [str(check.clean(line)) for line in lines]


class PrivacyForm(forms.Form):
    """What others see on a person’s page."""

    year = forms.BooleanField(
        label=_("The year of contributions"),
        required=False,
        help_text=_("How much you did on which day, counted from what each reader may see anyway."),
    )
    activity = forms.BooleanField(
        label=_("What I did lately"),
        required=False,
        help_text=_("On your page, in the feeds of those who follow you, and for feed readers."),
    )
    follows = forms.BooleanField(
        label=_("Whom I follow"), required=False, help_text=_("On your page, and among the followers of others.")
    )
    likes = forms.BooleanField(label=_("What I like"), required=False, help_text=_("As a list; likes still count."))


class AvatarForm(forms.Form):
    """A picture, or the wish to have none."""

    picture = forms.FileField(required=False)
    remove = forms.BooleanField(required=False)

    def clean(self) -> dict[str, object]:
        """One of the two is needed."""
        if not self.cleaned_data.get("remove") and not self.cleaned_data.get("picture"):
            raise forms.ValidationError(gettext("Choose a picture first."))
        return self.cleaned_data

    def apply_to(self, namespace: Namespace) -> None:
        """Change the picture; raises InvalidInput."""
        if self.cleaned_data["remove"]:
            Avatar.drop(namespace)
        else:
            Avatar.choose(namespace, self.cleaned_data["picture"].read(AVATAR_BYTES + 1))


class ProfileForm(forms.Form):
    """How a person is presented, and in which language the site speaks to them."""

    name = forms.CharField(
        label=_("Display name"), max_length=150, required=False, help_text=_("Shown beside your account name.")
    )
    about = forms.CharField(
        label=_("About you"), max_length=MAX_ABOUT, required=False, widget=ABOUT, help_text=ABOUT_HELP
    )
    links = LinksField()
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


class SshKeyForm(forms.Form):
    """A public key for git over SSH."""

    text = forms.CharField(
        label=_("Public key"),
        max_length=MAX_TEXT,
        widget=forms.Textarea(attrs={"rows": 4, "spellcheck": "false", "autocapitalize": "none"}),
        help_text=_("The line in the file that ends in .pub, such as ~/.ssh/id_ed25519.pub."),
    )
    name = forms.CharField(
        label=_("Name"), max_length=MAX_KEY_NAME, required=False, help_text=_("Without one, the comment of the key.")
    )
    read_only = forms.BooleanField(label=_("It may only fetch, never push"), required=False)


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
        help_text=_("Part of the address of everything it publishes."),
        widget=forms.TextInput(attrs={"autocapitalize": "none", "autocomplete": "off", "spellcheck": "false"}),
    )
    title = forms.CharField(label=_("Display name"), max_length=120, required=False)


class OrganizationProfileForm(forms.Form):
    """How an organization is presented."""

    title = forms.CharField(label=_("Display name"), max_length=120, required=False)
    about = forms.CharField(label=_("About"), max_length=MAX_ABOUT, required=False, widget=ABOUT, help_text=ABOUT_HELP)
    links = LinksField()


class RoleForm(forms.Form):
    """What a member may do."""

    role = forms.ChoiceField(label=_("Role"), choices=Membership.Role.choices, initial=Membership.Role.READ)


class InvitationForm(RoleForm):
    """Somebody who is to join an organization: an account name, or an address of mail."""

    whom = forms.CharField(
        label=_("Account name or email"),
        max_length=254,
        widget=forms.TextInput(attrs={"autocapitalize": "none", "autocomplete": "off", "spellcheck": "false"}),
    )
    field_order = ("whom", "role")

    def clean_whom(self) -> User | str:
        """Return the person of that name, whatever the case, or the address; whose address it is stays unsaid."""
        whom = str(self.cleaned_data["whom"]).strip()
        if "@" in whom:
            return str(forms.EmailField().clean(whom))
        user = User.objects.named(whom).filter(is_active=True).first()
        if user is None:
            raise forms.ValidationError(gettext("Nobody here has this account name."))
        return user


class OrganizationRulesForm(forms.Form):
    """What an organization asks of its members, and who sees them."""

    requires_mfa = forms.BooleanField(
        label=_("Members need two-factor authentication"),
        required=False,
        help_text=_("Members without it may read, but not publish, change or manage, until they have set it up."),
    )
    members_public = forms.BooleanField(
        label=_("Everybody may see who the members are"), required=False, help_text=_("Members always see each other.")
    )


class DomainForm(forms.Form):
    """A domain that an organization wants to prove."""

    name = forms.CharField(
        label=_("Domain"),
        max_length=253,
        widget=forms.TextInput(attrs={"autocapitalize": "none", "spellcheck": "false", "placeholder": "example.org"}),
    )


class HandoverForm(forms.Form):
    """The member who takes over an organization."""

    username = forms.CharField(max_length=MAX_NAME)
