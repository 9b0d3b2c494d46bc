"""The shape of what people send to the pages of moderation; what it means is checked by the verbs."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from portal.mod_actions import HOURS, Action
from portal.models import Appeal, Case, Reason, WatchedWord

DURATIONS = [
    (24, _("24 hours")),
    (72, _("3 days")),
    (168, _("7 days")),
    (720, _("30 days")),
]
assert tuple(hours for hours, _label in DURATIONS) == HOURS
LONG = {"rows": 5, "maxlength": 4000}

# What fits which kind of thing; the others are offered for all.
OF_REPOS = {Reason.MALWARE, Reason.UNSAFE_FILE, Reason.DOES_NOT_LOAD, Reason.LICENCE}
OF_SCORES = {Reason.FALSE_SCORE}


def reasons_for(kind: str) -> list[tuple[str, Any]]:
    """Return the reasons that make sense for a kind of thing."""
    left_out: set[Reason] = set()
    if kind != "repo":
        left_out |= OF_REPOS
    if kind not in {"repo", "evaluation", "benchmark"}:
        left_out |= OF_SCORES
    if kind == "evaluation":
        left_out |= {Reason.SECRET, Reason.HARASSMENT, Reason.COPYRIGHT}
    return [(one.value, one.label) for one in Reason if one not in left_out]


class ReportForm(forms.Form):
    """Why, and in one's own words."""

    reason = forms.ChoiceField(label=_("What is wrong?"), widget=forms.RadioSelect)
    text = forms.CharField(
        label=_("What should a moderator know?"),
        required=False,
        max_length=4000,
        widget=forms.Textarea(attrs=LONG),
        help_text=_("Only moderators read this. Name the file, the line or the other post where that helps."),
    )

    def __init__(self, *args: Any, kind: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].choices = reasons_for(kind)  # type: ignore[attr-defined]


class ClaimForm(forms.Form):
    """What all claims say."""

    reason = Reason.OTHER
    text = forms.CharField(label=_("What is wrong, and where?"), max_length=4000, widget=forms.Textarea(attrs=LONG))

    def facts(self) -> dict[str, Any]:
        """Return the fields of this kind of claim."""
        return {name: value for name, value in self.cleaned_data.items() if name != "text"}


class LicenceClaimForm(ClaimForm):
    """The licence of this thing is not what its sources allow."""

    reason = Reason.LICENCE
    source = forms.URLField(
        label=_("Address of the work it is made from"), assume_scheme="https", max_length=500, required=False
    )
    licence = forms.CharField(label=_("Licence of that work"), max_length=100)


class CopyrightClaimForm(ClaimForm):
    """The fields that the law asks of a claim of copyright."""

    reason = Reason.COPYRIGHT
    work = forms.CharField(label=_("The work that is yours"), max_length=1000, widget=forms.Textarea(attrs={"rows": 2}))
    source = forms.URLField(
        label=_("Where the original can be seen"), assume_scheme="https", max_length=500, required=False
    )
    contact = forms.CharField(label=_("Your postal address, telephone number or mail address"), max_length=300)
    good_faith = forms.BooleanField(
        label=_("I believe in good faith that this use is not authorized by the owner, its agent, or the law.")
    )
    accurate = forms.BooleanField(
        label=_(
            "What I say here is accurate, and I am the owner or may act for the owner. "
            "I know that a false claim is punishable."
        )
    )
    signature = forms.CharField(label=_("Your full name, as a signature"), max_length=150)


class PrivacyClaimForm(ClaimForm):
    """Data about people are in it."""

    reason = Reason.PRIVACY
    where = forms.CharField(label=_("Files and lines"), max_length=1000, widget=forms.Textarea(attrs={"rows": 2}))
    whose = forms.ChoiceField(
        label=_("Whose data?"),
        choices=[("mine", _("mine")), ("ward", _("of somebody I act for")), ("others", _("of others"))],
    )


class SafetyClaimForm(ClaimForm):
    """It endangers people."""

    reason = Reason.SAFETY
    danger = forms.ChoiceField(
        label=_("What kind of danger?"),
        choices=[
            ("children", _("abuse of children")),
            ("doxxing", _("somebody’s address or identity is exposed")),
            ("violence", _("violence or self-harm")),
            ("weapons", _("weapons or attacks")),
            ("other", _("something else")),
        ],
    )


CLAIMS: dict[str, type[ClaimForm]] = {
    Case.Kind.LICENCE: LicenceClaimForm,
    Case.Kind.COPYRIGHT: CopyrightClaimForm,
    Case.Kind.PRIVACY: PrivacyClaimForm,
    Case.Kind.SAFETY: SafetyClaimForm,
}


class DecisionForm(forms.Form):
    """What to do about a case."""

    action = forms.ChoiceField(label=_("Action"), widget=forms.RadioSelect)
    reason = forms.ChoiceField(label=_("Reason"), choices=Reason.choices)
    hours = forms.TypedChoiceField(label=_("For how long"), choices=DURATIONS, coerce=int, required=False)
    text = forms.CharField(
        label=_("To the person concerned"),
        required=False,
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Part of the notice, beside the rule and the way to appeal."),
    )
    internal = forms.CharField(
        label=_("Internal note"), required=False, max_length=4000, widget=forms.Textarea(attrs={"rows": 2})
    )
    version = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, actions: list[Action], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.actions = actions
        self.fields["action"].choices = [(one.name, one.label) for one in actions]  # type: ignore[attr-defined]


class AppealForm(forms.Form):
    """Why a decision is wrong."""

    text = forms.CharField(label=_("Why is the decision wrong?"), max_length=4000, widget=forms.Textarea(attrs=LONG))


class CounterNoticeForm(AppealForm):
    """What the law asks of a counter-notice to a claim of copyright."""

    contact = forms.CharField(label=_("Your postal address, telephone number or mail address"), max_length=300)
    mistake = forms.BooleanField(
        label=_("I swear, knowing that a false statement is punishable, that this was disabled by mistake.")
    )
    court = forms.BooleanField(label=_("I accept the court of my place and the delivery of a suit by the claimant."))
    signature = forms.CharField(label=_("Your full name, as a signature"), max_length=150)

    def facts(self) -> dict[str, Any]:
        return {name: value for name, value in self.cleaned_data.items() if name != "text"}


class AnswerForm(forms.Form):
    """The answer to an appeal."""

    status = forms.ChoiceField(
        label=_("What becomes of the decision?"),
        choices=[one for one in Appeal.Status.choices if one[0] != Appeal.Status.OPEN],
        widget=forms.RadioSelect,
    )
    instead = forms.ChoiceField(label=_("What stands in its place, if it is changed"), required=False)
    hours = forms.TypedChoiceField(label=_("For how long"), choices=DURATIONS, coerce=int, required=False)
    answer = forms.CharField(label=_("Answer"), max_length=4000, widget=forms.Textarea(attrs={"rows": 4}))

    def __init__(self, *args: Any, milder: list[Action], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["instead"].choices = [("", "–"), *((one.name, one.label) for one in milder)]  # type: ignore[attr-defined]


class WatchedWordForm(forms.Form):
    """A word and what it does."""

    word = forms.CharField(label=_("Word or phrase"), max_length=100)
    action = forms.ChoiceField(label=_("What happens"), choices=WatchedWord.Action.choices)
    value = forms.CharField(
        label=_("Other word, address or tag"),
        required=False,
        max_length=300,
        help_text=_("For “replace”, “link” and “tag”."),
    )


class RulesForm(forms.Form):
    """What staff sets for the whole portal."""

    hours = forms.TypedChoiceField(
        label=_("Attack mode"),
        choices=[(0, _("off")), (6, _("for 6 hours")), (24, _("for 24 hours")), (168, _("for 7 days"))],
        coerce=int,
        help_text=_("Posts of people of trust level 0 and 1 wait for a look, and nobody can sign up."),
    )
    closed_mail_hosts = forms.CharField(
        label=_("Mail hosts from which nobody may sign up"),
        required=False,
        max_length=50_000,
        widget=forms.Textarea(attrs={"rows": 6, "spellcheck": "false"}),
        help_text=_("One a line. A host closes those below it too."),
    )
