"""What a letter says: in its reader's language, as text and as simple HTML, with links that stop such mail."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from forum.models import Post
from portal import inbox, unsubscribing
from portal.inbox import Line
from portal.models import Letter, Notice, User
from portal.notification_kinds import KINDS

MAX_LINES = 50
MAX_EXCERPT = 600


@dataclass(frozen=True)
class Told:
    """A line with its address and the beginning of what was said."""

    line: Line
    address: str
    excerpt: str = ""


def build(letter: Letter, address: str) -> EmailMultiAlternatives | None:
    """Return the mail of a letter, None when nothing of it is left to tell: read, muted, hidden or deleted."""
    user = letter.user
    with translation.override(user.language or settings.LANGUAGE_CODE):
        rows = list(letter.rows.unread().order_by("id")[: MAX_LINES + 1])
        lines = inbox.shown(rows[:MAX_LINES], user)
        if not lines:
            return None
        return _mail(letter, address, _told(lines, user), has_more=len(rows) > MAX_LINES)


def _mail(letter: Letter, address: str, told: Sequence[Told], *, has_more: bool) -> EmailMultiAlternatives:
    user, kinds = letter.user, sorted({one.line.row.kind for one in told})
    stoppable = [kind for kind in kinds if not KINDS[kind].forced]
    what = [unsubscribing.DIGEST] if letter.is_digest else stoppable
    site = settings.PUBLIC_URL
    stop = site + unsubscribing.link(user, what) if what else ""
    letter.subject = _subject(letter, told)
    context = {
        "user": user, "told": told, "has_more": has_more, "site": site, "site_name": str(settings.SITE_NAME),
        "is_digest": letter.is_digest, "stop": stop, "subject": letter.subject,
        "stop_all": site + unsubscribing.link(user, [unsubscribing.ALL]),
        "labels": [KINDS[kind].label for kind in stoppable], "language": translation.get_language(),
    }  # fmt: skip
    mail = EmailMultiAlternatives(
        letter.subject, render_to_string("portal/notifications/mail.txt", context), to=[address],
        headers=_headers(letter, stop),
    )  # fmt: skip
    mail.attach_alternative(render_to_string("portal/notifications/mail.html", context), "text/html")
    return mail


def _headers(letter: Letter, stop: str) -> dict[str, str]:
    """Return the headers; the id is the same at every attempt, so that a doubled letter is known for one."""
    host = settings.DEFAULT_FROM_EMAIL.rpartition("@")[2].strip("<> ") or "localhost"
    headers = {
        "Message-ID": f"<letter-{letter.pk}-{int(letter.created_at.timestamp())}@{host}>",
        "Auto-Submitted": "auto-generated",
    }
    if stop:
        headers |= {"List-Unsubscribe": f"<{stop}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
    return headers


def _subject(letter: Letter, told: Sequence[Told]) -> str:
    if letter.is_digest:
        text = ngettext("%(n)d notification that you have not read", "%(n)d notifications that you have not read",
                        len(told)) % {"n": len(told)}  # fmt: skip
    else:
        first = told[0].line
        text = f"{first.text}: {first.title}" if first.title else first.text
        if len(told) > 1:
            text = _("%(first)s and %(n)d more") % {"first": Truncator(text).chars(120), "n": len(told) - 1}
    # A title may hold what would begin another header.
    return Truncator(" ".join(f"[{settings.SITE_NAME}] {text}".split())).chars(250)


def _told(lines: Sequence[Line], user: User) -> list[Told]:
    said = _excerpts([line.subject.pk for line in lines if line.subject and line.subject.kind == "post"], user)
    decided = _decided([int(line.row.data["notice"]) for line in lines if line.row.data.get("notice")])
    return [
        Told(
            line,
            settings.PUBLIC_URL + line.path,
            decided.get((line.row.kind, line.row.data.get("notice")))
            or said.get(line.subject.key if line.subject else "", ""),
        )
        for line in lines
    ]


def _decided(notices: Sequence[int]) -> dict[tuple[str, int], str]:
    """Return what moderators wrote to the reader, by kind and notice: why they acted, what they answer an appeal."""
    rows = Notice.objects.filter(pk__in=notices).values_list("pk", "decision__text", "appeal__answer")
    found = {("moderation", pk): text for pk, text, _answer in rows}
    found |= {("appeal", pk): answer or "" for pk, _text, answer in rows}
    return {key: Truncator(text.strip()).chars(MAX_EXCERPT) for key, text in found.items()}


def _excerpts(posts: Sequence[int], _user: User) -> dict[str, str]:
    """Return how posts begin, which the lines have shown to be there for the reader."""
    rows = Post.objects.filter(pk__in=posts).values_list("pk", "text")
    return {f"post:{pk}": Truncator(text.strip()).chars(MAX_EXCERPT) for pk, text in rows}
