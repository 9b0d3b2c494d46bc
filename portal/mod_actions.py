"""What moderators can do: the ladder for posts and people, and the one for repositories."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from portal.models import Report, User

AGREED, DISAGREED, IGNORED = Report.Verdict.AGREED, Report.Verdict.DISAGREED, Report.Verdict.IGNORED
HOURS = (24, 72, 168, 720)


@dataclass(frozen=True)
class Action:
    """One thing to do about a case; `done` is what its notice and the log call it."""

    name: str
    label: Promise
    done: Promise
    hint: Promise
    verdict: str = AGREED
    acts: bool = True  # changes the thing itself
    tells: bool = True  # its author gets a notice
    needs_text: bool = False
    timed: bool = False
    of_author: bool = False  # is about who wrote it
    level: int | None = None
    rank: int = 0  # who may: 0 stewards too, 1 staff, 2 admins
    needs_second: bool = False
    reversible: bool = True
    color: str = ""

    def may(self, user: User) -> bool:
        return self.rank == 0 or (user.is_superuser if self.rank == 2 else user.is_staff)


_ALL = (
    Action(
        "dismiss",
        _("Nothing wrong"),
        _("found nothing wrong"),
        _("Reporters were mistaken; what was hidden by the portal is shown again."),
        DISAGREED,
        acts=False,
        tells=False,
    ),
    Action(
        "ignore",
        _("Close without a verdict"),
        _("closed without a verdict"),
        _("Neither right nor wrong: nobody’s record of reports changes."),
        IGNORED,
        acts=False,
        tells=False,
    ),
    Action(
        "nudge",
        _("Nudge the author"),
        _("was given a friendly word"),
        _("A private word to the author, no penalty."),
        acts=False,
        needs_text=True,
    ),
    Action(
        "warn",
        _("Official warning"),
        _("was given an official warning"),
        _("Stands on the author’s record."),
        acts=False,
        needs_text=True,
        rank=1,
        color="orange",
    ),
    Action(
        "edit_note",
        _("Add a moderator’s note"),
        _("was given a note by a moderator"),
        _("Readers see the note under the post."),
        needs_text=True,
    ),
    Action(
        "hide",
        _("Hide"),
        _("was hidden"),
        _("Only its author and moderators see it. The author may mend it."),
        color="orange",
    ),
    Action(
        "remove",
        _("Remove"),
        _("was removed"),
        _("Out of sight for good, unless an appeal brings it back."),
        color="red",
    ),
    Action(
        "approve",
        _("Let it in"),
        _("was let in"),
        _("Everybody sees it now."),
        DISAGREED,
        tells=False,
        reversible=False,
        color="green",
    ),
    Action("refuse", _("Do not let it in"), _("was not let in"), _("Its author is told why."), color="red"),
    Action(
        "silence",
        _("Silence the author"),
        _("may read but not write"),
        _("The person cannot post or react for a time. Models and data sets stay as they are."),
        timed=True,
        of_author=True,
        rank=1,
        color="orange",
    ),
    Action(
        "suspend",
        _("Suspend the author"),
        _("may not sign in"),
        _("The person cannot sign in for a time. Models and data sets stay as they are."),
        timed=True,
        of_author=True,
        rank=1,
        color="red",
    ),
    Action(
        "label",
        _("L0 Label"),
        _("bears a warning"),
        _("A banner with your text on its page."),
        needs_text=True,
        level=0,
        rank=1,
    ),
    Action(
        "unrank",
        _("L1 Take off lists"),
        _("was taken off lists, search and boards"),
        _("Who has the address still sees it."),
        level=1,
        rank=1,
        color="orange",
    ),
    Action(
        "gate",
        _("L2 Gate"),
        _("can be downloaded only by who is signed in and agrees"),
        _("Also off lists and boards."),
        level=2,
        rank=1,
        color="orange",
    ),
    Action(
        "disable",
        _("L3 Disable"),
        _("was disabled"),
        _("No downloads; the page says why and since when."),
        level=3,
        rank=1,
        color="red",
    ),
    Action(
        "quarantine",
        _("L4 Quarantine"),
        _("was put in quarantine"),
        _("Only admins can read its files. Takes a second person."),
        level=4,
        rank=1,
        needs_second=True,
        color="red",
    ),
    Action(
        "purge",
        _("L5 Purge"),
        _("was deleted for good"),
        _("Its files are deleted and may not come back. Takes two admins and cannot be undone."),
        level=5,
        rank=2,
        needs_second=True,
        reversible=False,
        color="red",
    ),
    Action(
        "unscore",
        _("Take off boards"),
        _("was taken off boards"),
        _("The evaluation stays readable and no longer ranks."),
        rank=1,
        color="orange",
    ),
)
ACTIONS = {one.name: one for one in _ALL}

# What the log calls what is no action: stored under the key, shown in the reader's language.
LOGGED = {
    "proposed": gettext_noop("proposed"),
    "withdrawn": gettext_noop("proposal taken back"),
    "undone": gettext_noop("undone"),
    "appeal.opened": gettext_noop("Appeal"),
    "appeal.upheld": gettext_noop("Appeal: the decision stays"),
    "appeal.changed": gettext_noop("Appeal: a milder decision"),
    "appeal.overturned": gettext_noop("Appeal: the decision is undone"),
    "word.added": gettext_noop("Word watched"),
    "word.removed": gettext_noop("Word no longer watched"),
    "rules.changed": gettext_noop("Defence changed"),
    "challenge.disqualify": gettext_noop("Team disqualified from a challenge"),
    "challenge.reinstate": gettext_noop("Team let into a challenge again"),
    "challenge.confirm": gettext_noop("Outcome of a challenge confirmed"),
}
# Names of fields and states that rows keep in English.
STORED = (
    gettext_noop("post"),
    gettext_noop("topic"),
    gettext_noop("repo"),
    gettext_noop("user"),
    gettext_noop("organization"),
    gettext_noop("evaluation"),
    gettext_noop("benchmark"),
    gettext_noop("hidden"),
    gettext_noop("held"),
    gettext_noop("off boards"),
    gettext_noop("source"),
    gettext_noop("licence"),
    gettext_noop("work"),
    gettext_noop("contact"),
    gettext_noop("good_faith"),
    gettext_noop("accurate"),
    gettext_noop("signature"),
    gettext_noop("where"),
    gettext_noop("whose"),
    gettext_noop("danger"),
    gettext_noop("mistake"),
    gettext_noop("court"),
)
