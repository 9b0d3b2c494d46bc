"""What keeps a topic of the forum in order: closed, pinned, slowed, tagged, named. Each leaves a note in the topic.

What those do who keep order, and not the author, is written to the log of moderation as well.
"""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from forum import accepting, counting, discussing, opening, permissions, posting
from forum.models import Post, Topic
from models_hub.checking import is_text
from portal import moderating
from portal.errors import Conflict, InvalidInput, NotAllowed
from portal.models import Asker, User

MAX_REASON = 300
MAX_SLOW = 24 * 3600


def close(topic: Topic, *, by: Asker, reason: str = "") -> None:
    """Let nobody answer any more."""
    user, reason = permissions.require_decider(by, topic), checked_reason(reason)
    with transaction.atomic():
        discussing.change_status(topic, by=user, status=Topic.Status.CLOSED)
        _log(topic, user, "closed", reason)


def reopen(topic: Topic, *, by: Asker, reason: str = "") -> None:
    """Let people answer again. What others closed, its author does not open."""
    user, reason = permissions.require_decider(by, topic), checked_reason(reason)
    closed = topic.posts.filter(kind=Post.Kind.STATUS).order_by("-number").first()
    if closed and closed.author_id != user.pk and not permissions.can_moderate(user, topic):
        raise NotAllowed(_("It was closed by somebody who keeps order here: ask there."))
    with transaction.atomic():
        Topic.objects.filter(pk=topic.pk).update(closes_at=None)
        discussing.change_status(topic, by=user, status=Topic.Status.OPEN)
        _log(topic, user, "reopened", reason)
    topic.closes_at = None


def pin(topic: Topic, *, by: Asker, until: datetime, everywhere: bool = False, reason: str = "") -> None:
    """Let a topic stand on top of its category, or of the whole forum, until a time."""
    user = permissions.require_moderator(by, topic)
    if everywhere and not user.is_staff:
        raise NotAllowed(_("Only staff pin topics for the whole forum."))
    if until <= timezone.now():
        raise InvalidInput(_("Choose a time in the future."))
    facts = {"until": until.isoformat(), "everywhere": everywhere}
    _change(topic, user, "pinned", reason, facts, pinned_until=until, pinned_everywhere=everywhere)


def unpin(topic: Topic, *, by: Asker, reason: str = "") -> None:
    """Let a topic stand where its last post puts it."""
    user = permissions.require_moderator(by, topic)
    if topic.pinned_until is None:
        raise Conflict(_("This topic is not pinned."))
    _change(topic, user, "unpinned", reason, {}, pinned_until=None, pinned_everywhere=False)


def slow(topic: Topic, *, by: Asker, seconds: int, reason: str = "") -> None:
    """Let everybody wait between two posts; 0 ends that."""
    user = permissions.require_moderator(by, topic)
    if not 0 <= seconds <= MAX_SLOW:
        raise InvalidInput(_("People may be asked to wait for a day at most."))
    _change(topic, user, "slowed", reason, {"seconds": seconds}, slow_seconds=seconds)


def close_at(topic: Topic, *, by: Asker, moment: datetime | None, reason: str = "") -> None:
    """Let a topic end at a time; with None it does not."""
    user = permissions.require_moderator(by, topic)
    if moment is not None and moment <= timezone.now():
        raise InvalidInput(_("Choose a time in the future."))
    facts = {"until": moment.isoformat() if moment else None}
    _change(topic, user, "timed", reason, facts, closes_at=moment)


def rename(topic: Topic, *, by: Asker, title: str, reason: str = "") -> None:
    """Give a topic another title: its author may, those who keep order, and people of level 3."""
    user, reason, before = permissions.require_namer(by, topic), checked_reason(reason), topic.title
    with transaction.atomic():
        discussing.rename(topic, by=user, title=title)
        _log(topic, user, "renamed", reason, before={"title": before}, after={"title": topic.title})


def retag(topic: Topic, *, by: Asker, tags: list[str], reason: str = "") -> None:
    """Let a topic bear other tags: its author may decide, those who keep order, and people of level 3."""
    user, names = permissions.require_namer(by, topic), opening.checked_tags(tags)
    with transaction.atomic():
        now = Topic.objects.select_for_update().get(pk=topic.pk)
        before = sorted(now.tag_links.values_list("tag__name", flat=True))
        if before == sorted(names):
            return
        opening.set_tags(now, names)
        _note(topic, user, "retagged", reason, {"from": before, "to": sorted(names)})


def change_kind(topic: Topic, *, by: Asker, kind: str, reason: str = "") -> None:
    """Make a question of a discussion, or the other way round; an accepted answer is none any more."""
    user = permissions.require_namer(by, topic)
    if kind not in (Topic.Kind.QUESTION, Topic.Kind.DISCUSSION) or topic.kind == Topic.Kind.ARTICLE:
        raise InvalidInput(_("A topic is a discussion or a question."))
    if kind == topic.kind:
        return
    with transaction.atomic():
        if topic.accepted_id:
            accepting.unaccept(topic, by=user)
        _change(topic, user, "kind", reason, {"to": kind}, kind=kind)


def delete(topic: Topic, *, by: Asker, reason: str = "") -> None:
    """Take a whole topic away: its author may while nobody has answered, those who keep order always."""
    user, reason = permissions.require_decider(by, topic), checked_reason(reason)
    others = topic.posts.filter(kind=Post.Kind.COMMENT).exclude(author=user)
    if not permissions.can_moderate(user, topic) and others.exists():
        raise NotAllowed(_("Others have answered: ask those who keep order here to take the topic away."))
    with transaction.atomic():
        now = Topic.objects.select_for_update().get(pk=topic.pk)
        if now.deleted_at is not None:
            return
        if counting.is_listed(now):
            counting.list_topic(now, times=-1)
        topic.deleted_at = timezone.now()
        Topic.objects.filter(pk=topic.pk).update(deleted_at=topic.deleted_at)
        discussing.record("deleted", topic, by=user, title=topic.title)
        _log(topic, user, "deleted", reason)


def checked_reason(reason: str) -> str:
    """Return the reason that a note gives; raises InvalidInput."""
    reason = " ".join(reason.split())
    if len(reason) > MAX_REASON or not is_text(reason):
        raise InvalidInput(_("A reason has at most %(max)d characters.") % {"max": MAX_REASON})
    return reason


def note(topic: Topic, user: User, what: str, reason: str, facts: dict[str, Any]) -> Post:
    """Write what was done into the topic, in the caller's transaction."""
    data = {"what": what, **facts} | ({"reason": reason} if reason else {})
    made = posting.append(topic, by=user, kind=Post.Kind.NOTE, data=data)
    discussing.record(what, topic, by=user, **facts | posting.facts(made))
    return made


def _note(topic: Topic, user: User, what: str, reason: str, facts: dict[str, Any]) -> None:
    reason = checked_reason(reason)
    note(topic, user, what, reason, facts)
    _log(topic, user, what, reason, after=facts)


def _change(topic: Topic, user: User, what: str, reason: str, facts: dict[str, Any], **values: Any) -> None:
    with transaction.atomic():
        Topic.objects.select_for_update().get(pk=topic.pk)
        Topic.objects.filter(pk=topic.pk).update(**values)
        _note(topic, user, what, reason, facts)
    for name, value in values.items():
        setattr(topic, name, value)


def _log(
    topic: Topic,
    user: User,
    what: str,
    reason: str,
    *,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    if user.pk != topic.author_id:
        log(topic, user, what, reason, before=before, after=after)


def log(topic: Topic, user: User, what: str, reason: str, **facts: dict[str, Any] | None) -> None:
    """Add what was done to the log of moderation."""
    moderating.note(f"topic.{what}", by=user, target=f"topic:{topic.pk}", text=reason, person=topic.author_id, **facts)  # type: ignore[arg-type]
