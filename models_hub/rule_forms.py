"""The shape of the rules that protect branches and tags; what they mean is checked by the verbs."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from models_hub.forms import NAME_ATTRIBUTES
from models_hub.models import RefRule
from models_hub.models.ref_rules import MAX_APPROVALS
from portal.models import User

MAX_LISTED = 5000


class RuleForm(forms.ModelForm):  # type: ignore[type-arg]  # generic for the checker only
    """One rule. `people` are typed as user names, apart by commas or blanks."""

    people = forms.CharField(
        label=_("Listed people"),
        required=False,
        max_length=MAX_LISTED,
        widget=forms.TextInput(attrs=NAME_ATTRIBUTES),
        help_text=_("User names with commas between them, for “the people listed below”."),
    )

    class Meta:
        model = RefRule
        fields = (
            "target", "pattern", "requires_pull_request", "approvals", "movers", "is_linear", "forbids_force",
            "forbids_deletion", "bypass",
        )  # fmt: skip
        labels = {
            "target": _("Protects"),
            "pattern": _("Name or pattern"),
            "requires_pull_request": _("Changes come by pull request only"),
            "approvals": _("Approvals needed before a merge"),
            "movers": _("Who may merge and commit"),
            "is_linear": _("One line of history: no merge commits"),
            "forbids_force": _("Commits are never dropped, tags never moved"),
            "forbids_deletion": _("Never deleted"),
            "bypass": _("Who may go round this rule"),
        }
        help_texts = {
            "pattern": _("Such as “main” or “release/*”; a star stands for anything but “/”."),
            "approvals": _(
                "From people who may write, not counting the author or anybody who has sent commits to the pull "
                "request. New commits make earlier approvals void."
            ),
        }
        widgets = {
            "pattern": forms.TextInput(attrs=NAME_ATTRIBUTES),
            "approvals": forms.NumberInput(attrs={"min": 0, "max": MAX_APPROVALS}),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.initial["people"] = ", ".join(self.instance.people.values_list("username", flat=True))

    def clean_people(self) -> list[User]:
        names = {name.lower() for name in str(self.cleaned_data["people"]).replace(",", " ").split()}
        found = {user.username.lower(): user for user in User.objects.filter(namespace__lower__in=names)}
        if unknown := sorted(names - found.keys()):
            raise forms.ValidationError(_("There is nobody called “%(name)s”."), params={"name": unknown[0][:100]})
        return list(found.values())
