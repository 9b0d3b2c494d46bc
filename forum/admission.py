"""What may be posted: asked for every text of topics and discussions before it is rendered.

Refused is what its author can mend, with what to mend; held is what somebody must look at first; all else goes in.
"""

import re
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext

from forum.models import Category, Post, Topic
from models_hub import permissions
from models_hub.models import Repo
from portal import deciding, moderating, restraining, trust, watched_words
from portal.errors import InvalidInput, NotAllowed, TooOften
from portal.models import Decision, ModerationRules, Reason, SeenHost, SeenText, User
from portal.watched_words import Action, Hit

TOPICS_A_DAY, REPLIES_A_DAY = 3, 10  # of new people on their first day
DUPLICATE_MINUTES = 5
HOST_DAYS = 3
HOST_TIMES = 3  # from the third link of one new person to one host within some days on, a post waits
HOST_PEOPLE = 3  # and from the third new person who links to it
FIRST_SECONDS = 3.0  # nobody writes a first post faster
FIRST_POSTS = 3
SILENCE_HOURS = 24
FIRST_DAY = timedelta(days=1)

WATCHED = gettext_noop("A watched word is in it.")
LINKED = gettext_noop("New people link to the same host again and again.")
ATTACKED = gettext_noop("The portal is under attack: posts of new people wait for a look.")
REVIEWED = gettext_noop("Articles wait until a reviewer has read them.")
HURRIED = gettext_noop("It was written faster than anybody types.")

_LINK = re.compile(r"https?://[^\s)>\]]+", re.IGNORECASE)
_IMAGE = re.compile(r"!\[[^\]]*\]\(|<img\b", re.IGNORECASE)
_MENTION = re.compile(r"(?<![\w/@.-])@[A-Za-z0-9_][\w.-]*")
_CODE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)


@dataclass(frozen=True)
class Limits:
    """What a person may write now; None for without limit. Shown before typing."""

    links: int | None = None
    images: int | None = None
    mentions: int | None = None
    topics_left: int | None = None
    replies_left: int | None = None
    waits: bool = False  # whatever the person posts now waits for a look
    silenced: str = ""

    @property
    def is_new(self) -> bool:
        return self.links is not None

    def sentences(self) -> list[str]:
        """Return the limits in words, none for somebody without."""
        if self.silenced:
            return [self.silenced]
        said = []
        if self.links is not None and self.images is not None and self.mentions is not None:
            said.append(
                _(
                    "While you are new, a post may have %(links)d links and %(images)d picture, "
                    "and call %(mentions)d people."
                )
                % {"links": self.links, "images": self.images, "mentions": self.mentions}
            )
        if self.topics_left is not None and self.replies_left is not None:
            said.append(
                _("Today you may begin %(topics)d more topics and answer %(replies)d more times.")
                % {"topics": self.topics_left, "replies": self.replies_left}
            )
        if self.waits:
            said.append(_("What you post now waits until a moderator has looked at it."))
        return said


@dataclass(frozen=True)
class Admission:
    """A text that may be posted, as it is to be kept; `held` when somebody must look at it first, and `why`."""

    held: bool
    text: str
    why: str = ""  # English, translated where it is shown
    tags: tuple[str, ...] = ()


def limits_of(user: User) -> Limits:
    """Return what the person may write now, in a few queries, one for people of some trust."""
    silence = restraining.silence_of(user)
    if silence is not None:
        return Limits(silenced=_silence_text(user))
    level = trust.level(user)
    waits = level <= 1 and ModerationRules.current().under_attack
    if level > 0 or not settings.NEWCOMER_LIMITS:
        return Limits(waits=waits)
    topics, replies = _of_first_day(user)
    return Limits(links=2, images=1, mentions=2, topics_left=topics, replies_left=replies, waits=waits)


def admit(
    *,
    by: User,
    text: str,
    title: str = "",
    place: Topic | Category | Repo,
    seconds: float | None = None,
    edited: Post | None = None,
) -> Admission:
    """Return how a text may be posted; raises NotAllowed, TooOften or InvalidInput with what to mend."""
    restraining.require_voice(by)
    keeps_order = by.is_staff or _is_at_home(by, place)
    limits = Limits() if keeps_order else limits_of(by)
    if limits.is_new:
        _require_within(limits, text, title, place, edited)
    hits = watched_words.current().find(f"{title}\n{text}")
    _require_no_blocked(hits, f"{title}\n{text}")
    if not keeps_order and edited is None:
        _require_new_text(by, text)
    in_text = _in_text(hits, len(title) + 1)
    why = "" if keeps_order else _why_held(by, text, hits, limits, seconds, edited)
    if not why and not keeps_order and isinstance(place, Category) and place.reviews_articles:
        why = REVIEWED
    if not keeps_order and any(hit.word.action == Action.SILENCE for hit in hits):
        _silence(by)
    return Admission(
        held=bool(why),
        text=watched_words.rewritten(text, in_text),
        why=why,
        tags=tuple(dict.fromkeys(hit.word.value.lower() for hit in hits if hit.word.action == Action.TAG)),
    )


def _is_at_home(user: User, place: Topic | Category | Repo) -> bool:
    """Whoever writes for a repository answers there as freely as staff: it is their house."""
    repo = place if isinstance(place, Repo) else place.repo if isinstance(place, Topic) else None
    return repo is not None and permissions.can_write(user, repo)


def _silence_text(user: User) -> str:
    try:
        restraining.require_voice(user)
    except NotAllowed as error:
        return error.message
    return ""


def _of_first_day(user: User) -> tuple[int | None, int | None]:
    """Return how many topics and answers are left to somebody who came today, None for who came earlier."""
    if timezone.now() - user.date_joined > FIRST_DAY:
        return None, None
    posts = Post.objects.filter(author=user, kind=Post.Kind.COMMENT)
    topics = posts.filter(number=1).count()
    return max(TOPICS_A_DAY - topics, 0), max(REPLIES_A_DAY - posts.filter(number__gt=1).count(), 0)


def _require_within(limits: Limits, text: str, title: str, place: Topic | Category | Repo, edited: Post | None) -> None:
    """Hold a new person to the limits that the page names."""
    plain = _CODE.sub("", text)
    links, images = len(_LINK.findall(plain)), len(_IMAGE.findall(plain))
    mentions = len(set(_MENTION.findall(plain)))
    if limits.links is not None and links > limits.links + min(images, limits.images or 0):
        raise InvalidInput(
            ngettext(
                "While you are new, a post may have %(max)d link.",
                "While you are new, a post may have %(max)d links.",
                limits.links,
            )
            % {"max": limits.links}
        )
    if limits.images is not None and images > limits.images:
        raise InvalidInput(
            ngettext(
                "While you are new, a post may show %(max)d picture.",
                "While you are new, a post may show %(max)d pictures.",
                limits.images,
            )
            % {"max": limits.images}
        )
    if limits.mentions is not None and mentions > limits.mentions:
        raise InvalidInput(
            ngettext(
                "While you are new, a post may call %(max)d person.",
                "While you are new, a post may call %(max)d people.",
                limits.mentions,
            )
            % {"max": limits.mentions}
        )
    if edited is not None:
        return
    begins = not isinstance(place, Topic)
    if begins and limits.topics_left == 0:
        raise TooOften(_("On your first day you may begin %(max)d topics.") % {"max": TOPICS_A_DAY})
    if not begins and limits.replies_left == 0:
        raise TooOften(_("On your first day you may answer %(max)d times.") % {"max": REPLIES_A_DAY})


def _require_no_blocked(hits: list[Hit], whole: str) -> None:
    found = [whole[hit.start : hit.end] for hit in hits if hit.word.action == Action.BLOCK]
    if found:
        raise InvalidInput(_("This cannot be posted here: “%(word)s”.") % {"word": found[0][:100]})


def _require_new_text(by: User, text: str) -> None:
    """Refuse a text that was posted within minutes, by whomever and wherever; note it otherwise."""
    digest = moderating.hash_of(text)
    if not digest or not settings.NEWCOMER_LIMITS:
        return
    since = timezone.now() - timedelta(minutes=DUPLICATE_MINUTES)
    if SeenText.objects.filter(text_hash=digest, at__gt=since).exists():
        raise TooOften(_("The same text was posted a moment ago. Say something of your own, or wait a few minutes."))
    SeenText.objects.create(text_hash=digest, author=by)


def _in_text(hits: list[Hit], offset: int) -> list[Hit]:
    return [Hit(hit.word, hit.start - offset, hit.end - offset) for hit in hits if hit.start >= offset]


def _why_held(by: User, text: str, hits: list[Hit], limits: Limits, seconds: float | None, edited: Post | None) -> str:
    """Return why somebody must look at it first, "" when nobody must."""
    if any(hit.word.action in {Action.HOLD, Action.SILENCE} for hit in hits):
        return WATCHED
    if limits.waits:
        return ATTACKED
    if not settings.NEWCOMER_LIMITS or trust.level(by) > 1:
        return ""
    if _links_too_often(by, text):
        return LINKED
    hurried = edited is None and seconds is not None and seconds < FIRST_SECONDS
    if limits.is_new and hurried and Post.objects.filter(author=by).count() < FIRST_POSTS:
        return HURRIED
    return ""


def _links_too_often(by: User, text: str) -> bool:
    """Count the hosts that a new person links to; own addresses of the portal do not count."""
    today = timezone.now().date()
    since = today - timedelta(days=HOST_DAYS)
    own = settings.PUBLIC_URL.partition("://")[2].partition(":")[0]
    often = False
    for host in sorted(moderating.hosts_in(text) - {own, "localhost", "127.0.0.1"})[:20]:
        rows = SeenHost.objects.filter(host=host, day__gte=since)
        mine = sum(rows.filter(author=by).values_list("count", flat=True))
        others = rows.exclude(author=by).values("author").distinct().count()
        often |= mine + 1 >= HOST_TIMES or others + 1 >= HOST_PEOPLE
        _count_host(by, host)
    return often


def _count_host(by: User, host: str) -> None:
    row = SeenHost.objects.filter(host=host, author=by, day=timezone.now().date())
    if row.update(count=F("count") + 1):
        return
    try:
        with transaction.atomic():
            SeenHost.objects.create(host=host, author=by, day=timezone.now().date(), count=1)
    except IntegrityError:  # by another request at this moment
        row.update(count=F("count") + 1)


def _silence(by: User) -> None:
    """Silence somebody for a word that asks for it: a decision of the machine, with notice and appeal."""
    decision = Decision(
        about=f"user:{by.pk}", action="silence", reason=Reason.SPAM, by_machine=True, person=by,
        until=timezone.now() + timedelta(hours=SILENCE_HOURS),
    )  # fmt: skip
    with transaction.atomic():
        deciding.carry_out(decision, by=None)


def forget_old() -> int:
    """Drop what was seen too long ago to matter; returns how many rows there were."""
    texts = SeenText.objects.filter(at__lt=timezone.now() - FIRST_DAY).delete()[0]
    return texts + SeenHost.objects.filter(day__lt=timezone.now().date() - timedelta(days=2 * HOST_DAYS)).delete()[0]
