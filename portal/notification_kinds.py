"""What people can be told: how each kind is said, and how they hear of it unless they choose otherwise.

The usual channels are meant not to flood: mail at once goes to what names the person or waits for an answer.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

PAGE, MAIL, DIGEST, NOTHING = "page", "mail", "digest", "nothing"
CHANNELS: dict[str, Promise] = {
    PAGE: gettext_lazy("on the page"),
    MAIL: gettext_lazy("on the page and by mail"),
    DIGEST: gettext_lazy("on the page and in the digest"),
    NOTHING: gettext_lazy("not at all"),
}


class Row(Protocol):
    """What a sentence is made of: the facts of a row of the inbox."""

    @property
    def times(self) -> int: ...

    @property
    def data(self) -> dict[str, Any]: ...


Say = Callable[[Row, str], str]


@dataclass(frozen=True)
class Kind:
    """`say` makes the sentence from the row and who did it. What is `forced` cannot be switched off or muted.

    What `stays` is shown even when its reader may see no longer what it is about; all that is forced stays.
    """

    label: Promise
    section: Promise
    icon: str
    usual: str
    say: Say
    forced: bool = False
    stays: bool = False


def who(names: Sequence[str], count: int) -> str:
    """Name whoever did something, the latest first: “alice”, “alice and bob”, “alice and 3 others”."""
    if not names:
        return _("somebody")
    if count <= 1:
        return names[0]
    if count == 2 and len(names) > 1:
        return _("%(first)s and %(second)s") % {"first": names[0], "second": names[1]}
    others = ngettext("%(n)d other", "%(n)d others", count - 1) % {"n": count - 1}
    return _("%(first)s and %(others)s") % {"first": names[0], "others": others}


def _by(text: Promise) -> Say:
    """A sentence that says who did it."""
    return lambda _row, names: str(text) % {"who": names}


def _fact(text: Promise) -> Say:
    """A sentence in which nobody acts."""
    return lambda _row, _names: str(text)


def _news(row: Row, _names: str) -> str:
    return ngettext("%(n)d news of what you watch", "%(n)d news of what you watch", row.times) % {"n": row.times}


def _version(row: Row, _names: str) -> str:
    if row.times > 1:
        return ngettext("%(n)d new version", "%(n)d new versions", row.times) % {"n": row.times}
    return _("A new version came out")


def _evaluated(row: Row, _names: str) -> str:
    if row.times > 1:
        return ngettext("%(n)d evaluation is finished", "%(n)d evaluations are finished", row.times) % {"n": row.times}
    return _("Your evaluation is finished")


def _unevaluated(row: Row, _names: str) -> str:
    if row.times > 1:
        return ngettext("%(n)d evaluation failed", "%(n)d evaluations failed", row.times) % {"n": row.times}
    return _("Your evaluation failed")


def _ended(row: Row, _names: str) -> str:
    return _("Your job failed") if row.data.get("failed") else _("Your job is done")


def _reproduced(row: Row, names: str) -> str:
    if row.data.get("same"):
        return _("%(who)s reproduced this result") % {"who": names}
    return _("%(who)s ran this evaluation again and found another result") % {"who": names}


def _trust(row: Row, _names: str) -> str:
    after = int(row.data.get("after", 0))
    if after >= int(row.data.get("before", 0)):
        return _("You reached trust level %(level)d") % {"level": after}
    return _("Your trust level is now %(level)d") % {"level": after}


def _badge(row: Row, _names: str) -> str:
    if tier := str(row.data.get("tier_name") or ""):
        return _("You earned a badge (%(tier)s)") % {"tier": _(tier)}
    return _("You earned a badge")


def _moderation(row: Row, _names: str) -> str:
    if said := str(row.data.get("said") or ""):
        return _(said)  # stored in English
    if row.data.get("machine"):
        return _("The portal acted by itself on something of yours, until a moderator has looked")
    return _("The moderators decided about something of yours")


APPEALS: dict[str, Promise] = {
    "upheld": gettext_lazy("Your appeal was answered: the decision stays"),
    "changed": gettext_lazy("Your appeal was answered: a milder decision stands in its place"),
    "overturned": gettext_lazy("Your appeal was right: the decision is undone"),
}


def _appealed(row: Row, _names: str) -> str:
    return str(APPEALS.get(str(row.data.get("status")), _("Your appeal was answered")))


def _reported(row: Row, _names: str) -> str:
    if row.data.get("appealed"):
        return _("An appeal was right: what you reported is as it was before")
    if row.data.get("verdict") == "agreed":
        return _("Moderators agreed with your report and acted")
    if row.data.get("verdict") == "disagreed":
        return _("Moderators looked at your report and found nothing wrong")
    return _("Moderators closed what you reported")


def _reviewed(row: Row, names: str) -> str:
    if row.data.get("verdict") == "approved":
        return _("%(who)s approved your pull request") % {"who": names}
    return _("%(who)s reviewed your pull request") % {"who": names}


CHALLENGES: dict[str, Promise] = {
    "opened": gettext_lazy("A challenge of yours is open"),
    "ends_soon": gettext_lazy("A challenge of yours ends within a day"),
    "extended": gettext_lazy("A challenge of yours ends later than planned"),
    "revealed": gettext_lazy("The outcome of a challenge is revealed"),
    "ranked_anew": gettext_lazy("The teams of a challenge were ranked anew"),
    "confirmed": gettext_lazy("The outcome of a challenge is final"),
    "disqualified": gettext_lazy("Your team was disqualified from a challenge"),
    "reinstated": gettext_lazy("Your team is part of a challenge again"),
    "objected": gettext_lazy("Somebody objects to the outcome of your challenge"),
    "answered": gettext_lazy("Your objection was answered"),
    "approved": gettext_lazy("Your challenge was approved"),
    "refused": gettext_lazy("Your challenge was refused; its page says why"),
    "invited": gettext_lazy("A team invites you to a challenge"),
}


def _challenge(row: Row, _names: str) -> str:
    return str(CHALLENGES.get(str(row.data.get("what")), _("News of a challenge")))


TALK = gettext_lazy("Conversations")
OWN = gettext_lazy("What is yours")
WATCHED = gettext_lazy("What you watch")
YOU = gettext_lazy("You")
HOUSE = gettext_lazy("From the portal")

KINDS: dict[str, Kind] = {
    "mention": Kind(
        gettext_lazy("somebody mentions you"), TALK, "at", MAIL, _by(gettext_lazy("%(who)s mentioned you"))
    ),
    "reply": Kind(gettext_lazy("somebody answers you"), TALK, "reply", MAIL, _by(gettext_lazy("%(who)s answered you"))),
    "quote": Kind(gettext_lazy("somebody quotes you"), TALK, "quote", PAGE, _by(gettext_lazy("%(who)s quoted you"))),
    "accepted": Kind(
        gettext_lazy("your answer is accepted"),
        TALK,
        "check2-circle",
        MAIL,
        _by(gettext_lazy("%(who)s accepted your answer")),
    ),
    "reaction": Kind(
        gettext_lazy("reactions to what you wrote"),
        TALK,
        "hand-thumbs-up",
        PAGE,
        _by(gettext_lazy("%(who)s reacted to your post")),
    ),
    "reminder": Kind(
        gettext_lazy("reminders of bookmarks"),
        TALK,
        "bookmark",
        PAGE,
        _fact(gettext_lazy("You wanted to be reminded of this")),
    ),
    "discussion": Kind(
        gettext_lazy("new discussions about your repositories"),
        OWN,
        "chat",
        MAIL,
        _by(gettext_lazy("%(who)s began a discussion about your repository")),
    ),
    "pull_request": Kind(
        gettext_lazy("pull requests to your repositories"),
        OWN,
        "sign-merge-left",
        MAIL,
        _by(gettext_lazy("%(who)s opened a pull request")),
    ),
    "merged": Kind(
        gettext_lazy("your pull request is merged"),
        OWN,
        "sign-merge-left",
        MAIL,
        _by(gettext_lazy("%(who)s merged your pull request")),
    ),
    "reviewed": Kind(gettext_lazy("reviews of your pull requests"), OWN, "clipboard-check", MAIL, _reviewed),
    "evaluated": Kind(gettext_lazy("your evaluation is finished"), OWN, "bar-chart-line", PAGE, _evaluated),
    "unevaluated": Kind(gettext_lazy("your evaluation failed"), OWN, "exclamation-triangle", PAGE, _unevaluated),
    "reproduced": Kind(gettext_lazy("somebody reproduces a result of yours"), OWN, "arrow-repeat", PAGE, _reproduced),
    "challenge": Kind(gettext_lazy("challenges that you take part in or organize"), OWN, "trophy", MAIL, _challenge),
    "job": Kind(gettext_lazy("your job ends"), OWN, "cpu", PAGE, _ended),
    "watching": Kind(
        gettext_lazy("posts in topics and categories that you watch"),
        WATCHED,
        "eye",
        DIGEST,
        _by(gettext_lazy("%(who)s wrote in a topic that you watch")),
    ),
    "topic": Kind(
        gettext_lazy("new topics where you watch"),
        WATCHED,
        "chat-square-text",
        DIGEST,
        _by(gettext_lazy("%(who)s began a topic")),
    ),
    "version": Kind(gettext_lazy("new versions of models that you watch"), WATCHED, "tag", DIGEST, _version),
    "news": Kind(gettext_lazy("other news of repositories that you watch"), WATCHED, "eye", DIGEST, _news),
    "invitation": Kind(
        gettext_lazy("invitations to organizations"),
        YOU,
        "people",
        MAIL,
        _by(gettext_lazy("%(who)s invited you to an organization")),
    ),
    "labelling": Kind(
        gettext_lazy("somebody asks you to label rows"),
        YOU,
        "ui-checks",
        MAIL,
        _by(gettext_lazy("%(who)s asks you to label rows")),
    ),
    "follow": Kind(
        gettext_lazy("new followers"), YOU, "person-plus", PAGE, _by(gettext_lazy("%(who)s began to follow you"))
    ),
    "badge": Kind(gettext_lazy("badges"), YOU, "award", PAGE, _badge),
    "trust": Kind(gettext_lazy("your trust level"), YOU, "shield-check", PAGE, _trust),
    "moderation": Kind(
        gettext_lazy("decisions of the moderators"), HOUSE, "shield-exclamation", MAIL, _moderation, forced=True
    ),
    "report": Kind(gettext_lazy("what became of your reports"), HOUSE, "flag", PAGE, _reported, stays=True),
    "appeal": Kind(gettext_lazy("answers to your appeals"), HOUSE, "envelope-paper", MAIL, _appealed, forced=True),
    "mail_refused": Kind(
        gettext_lazy("mail does not reach you"),
        HOUSE,
        "envelope-x",
        PAGE,
        _fact(gettext_lazy("Mail to your address was refused, so no more is sent")),
        forced=True,
    ),
}


def pushed(chosen: list[str] | None) -> set[str]:
    """Return the kinds that devices are called for, usually those that are mailed at once."""
    if chosen is not None:
        return {kind for kind in chosen if kind in KINDS and not KINDS[kind].forced}
    return {name for name, kind in KINDS.items() if kind.usual == MAIL and not kind.forced}


def channel_of(kind: str, chosen: dict[str, str]) -> str:
    """Return how somebody with these choices hears of a kind."""
    if KINDS[kind].forced:
        return KINDS[kind].usual
    channel = chosen.get(kind, "")
    return channel if channel in CHANNELS else KINDS[kind].usual
