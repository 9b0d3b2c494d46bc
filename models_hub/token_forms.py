"""The shape of a fine-grained token: what it is given of what its owner may see and change."""

from datetime import timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from models_hub.models import Repo
from portal.models import AccessToken, Grant, Membership, Namespace, User
from portal.reach import ACCOUNT_PERMISSIONS, Level

LINES = forms.Textarea(attrs={"rows": 3, "spellcheck": "false", "autocapitalize": "none"})
MAX_LINES = 50
LEVELS = [("", _("nothing")), (Level.READ, _("read")), (Level.WRITE, _("write")), (Level.MANAGE, _("manage"))]
LIFETIMES = [("7", _("7 days")), ("30", _("30 days")), ("90", _("90 days")), ("365", _("1 year")), ("", _("no end"))]


class FineGrainedForm(forms.Form):
    """A new fine-grained token: a level for each owner, repositories by name, parts of the account."""

    name = forms.CharField(label=_("Name"), max_length=80, help_text=_("Where you will use it."))
    lifetime = forms.ChoiceField(label=_("Ends after"), choices=LIFETIMES, initial="90", required=False)
    readable = forms.CharField(
        label=_("Repositories to read"),
        required=False,
        widget=LINES,
        help_text=_("One a line, such as alice/bert or datasets/alice/cars. Public ones can always be read."),
    )
    writable = forms.CharField(
        label=_("Repositories to read and write"), required=False, widget=LINES, help_text=_("One a line.")
    )
    permissions = forms.MultipleChoiceField(
        label=_("Beside repositories, it may"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        choices=list(ACCOUNT_PERMISSIONS.items()),
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user
        self.owners = {f"owner_{owner.pk}": owner for owner in _owners(user)}
        for field, owner in self.owners.items():
            label = gettext("All repositories of %(name)s") % {"name": owner.name}
            self.fields[field] = forms.ChoiceField(label=label, choices=LEVELS, required=False)
        self.order_fields(["name", "lifetime", *self.owners, "readable", "writable", "permissions"])

    def clean_readable(self) -> list[Grant]:
        return self._grants("readable", Level.READ)

    def clean_writable(self) -> list[Grant]:
        return self._grants("writable", Level.MANAGE)

    def _grants(self, field: str, level: Level) -> list[Grant]:
        """Return a grant for each line; a repository that the person may not see is said to be missing."""
        lines = list(dict.fromkeys(line.strip().strip("/") for line in self.cleaned_data[field].splitlines()))
        named = [line for line in lines if line]
        if len(named) > MAX_LINES:
            raise forms.ValidationError(gettext("Name at most %(max)d repositories.") % {"max": MAX_LINES})
        return [self._grant(line, level) for line in named]

    def _grant(self, line: str, level: Level) -> Grant:
        first, _slash, rest = line.partition("/")
        kind = {f"{kind}s": kind for kind in Repo.Kind.values}.get(first)
        namespace, _slash, name = (rest if kind else line).partition("/")
        found = Repo.objects.visible_to(self.user).named(kind or Repo.Kind.MODEL, namespace, name)
        repo = found.select_related("namespace").first()
        if repo is None:
            raise forms.ValidationError(gettext("There is no repository “%(name)s”.") % {"name": line[:200]})
        return Grant(repo.namespace, level, repo.path.strip("/"), repo_id=repo.pk)

    def issue(self) -> tuple[AccessToken, str]:
        """Create the token that the checked form describes."""
        values = self.cleaned_data
        owners = [
            Grant(owner, Level(int(values[field])), f"{owner.name}/*")
            for field, owner in self.owners.items()
            if values[field]
        ]
        days = int(values["lifetime"] or 0)
        return AccessToken.issue_fine_grained(
            user=self.user,
            name=values["name"],
            grants=[*owners, *values["readable"], *values["writable"]],
            permissions=values["permissions"],
            expires_at=timezone.now() + timedelta(days=days) if days else None,
        )


def _owners(user: User) -> list[Namespace]:
    """Return the person's own namespace, then those of the person's organizations."""
    memberships = Membership.objects.filter(user=user).values("organization_id")
    own = Namespace.objects.filter(user=user)
    return [*own, *Namespace.objects.filter(organization_id__in=memberships).order_by("lower")]
