"""Topics of the forum begun, and answered."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from forum import counting, discussing, permissions, polling, posting
from forum.admission import admit
from forum.learning import articles
from forum.models import Category, Post, Steward, Tag, Topic, TopicTag
from forum.polling import NewPoll
from models_hub import proposing
from portal import subjects, trust
from portal.errors import Conflict, InvalidInput, NotAllowed, NotFound, TooOften
from portal.models import Asker, User

MAX_TAGS = 5
_TAG = re.compile(r"\w[\w.+-]{0,39}")


@dataclass(frozen=True)
class NewTopic:
    """What somebody wants to begin; `about` is a key of what it is about, `seconds` how long the writing took."""

    title: str
    text: str
    kind: str = ""
    tags: Iterable[str] = ()
    about: str = ""
    poll: NewPoll | None = None
    seconds: float | None = field(default=None, compare=False)


def find(pk: int, reader: Asker) -> Topic:
    """Return a topic of the forum with its category; raises NotFound."""
    seen = Topic.objects.visible_to(reader).filter(pk=pk, category__isnull=False)
    topic = seen.select_related("category", "author", "repo__namespace").first()
    if topic is None:
        raise NotFound(_("There is no such topic."))
    return topic


def find_post(pk: int, reader: Asker) -> Post:
    """Return a comment that the reader sees, with its topic, in a category or about a repository; raises NotFound."""
    seen = Post.objects.shown_to(reader).filter(pk=pk, topic__in=Topic.objects.visible_to(reader))
    post = seen.select_related("topic__category", "topic__repo__namespace", "author").first()
    if post is None or not post.is_comment:
        raise NotFound(_("There is no such post."))
    return post


def topics_seen(reader: Asker) -> QuerySet[Topic]:
    """Return all topics that a reader sees, as a condition of other queries."""
    return Topic.objects.visible_to(reader)


def open_topic(*, category: Category, by: Asker, new: NewTopic) -> Topic:
    """Begin a topic in a category that the person sees."""
    user, title = require_opener(by, category), proposing.checked_title(new.title)
    kind, tags, about = _kind(category, new.kind), checked_tags(new.tags), _about(new.about, user)
    poll = polling.checked(new.poll)
    admission = admit(by=user, text=posting.checked_text(new.text), title=title, place=category, seconds=new.seconds)
    tags = list(dict.fromkeys([*tags, *admission.tags]))
    look = posting.written(None, admission.text, by=user)
    with transaction.atomic():
        topic = Topic.objects.create(
            category=category, kind=kind, title=title, author=user, about=about, held_at=_held(admission.held)
        )
        polling.add(topic, poll)
        _bear(topic, tags)
        post = posting.append(topic, by=user, text=look)
        articles.note(topic, admission.text)
        if not admission.held:
            counting.list_topic(topic)
        discussing.record(
            "held" if admission.held else "opened",
            topic,
            by=user,
            title=title,
            why=admission.why,
            **posting.facts(post, look),
        )
    return topic


def reply(topic: Topic, *, by: Asker, text: str, to: Post | None = None, seconds: float | None = None) -> Post:
    """Say something in a topic of the forum, perhaps in answer to one of its posts."""
    user = require_replier(by, topic)
    if to is not None and to.topic_id != topic.pk:
        raise InvalidInput(_("The post that you answer is not in this topic."))
    admission = admit(by=user, text=posting.checked_text(text), place=topic, seconds=seconds)
    look = posting.written(topic.repo, admission.text, by=user)
    with transaction.atomic():
        now = Topic.objects.select_for_update().get(pk=topic.pk)
        if now.status != Topic.Status.OPEN or now.merged_into_id:
            raise Conflict(_("This topic is closed."))
        return discussing.add_comment(topic, by=user, text=look, reply_to=to, held=admission.held, why=admission.why)


def require_opener(by: Asker, category: Category) -> User:
    """Return the person who may begin topics in a category."""
    user = permissions.require_member(by)
    if permissions.can_keep_order(user, category):
        return user
    if category.archived_at is not None:
        raise NotAllowed(_("This category is closed."))
    if category.staff_open:
        raise NotAllowed(_("Only staff begin topics in this category. You may answer them."))
    _require_trust(user, category.trust_to_open)
    return user


def rooms_to_open(by: User) -> QuerySet[Category]:
    """Return the categories in which the person may begin topics now."""
    rooms = Category.objects.visible_to(by).filter(archived_at=None)
    if by.is_staff:
        return rooms
    kept = Steward.objects.serving().filter(user=by).values("category")
    return rooms.filter(Q(staff_open=False, trust_to_open__lte=trust.level(by)) | Q(pk__in=kept))


def require_replier(by: Asker, topic: Topic) -> User:
    """Return the person who may answer in a topic now: those who keep order there always may, while it is open."""
    user = permissions.require_participant(by, topic)
    if topic.status != Topic.Status.OPEN or _is_past(topic.closes_at):
        raise Conflict(_("This topic is closed."))
    if topic.category is None or permissions.can_keep_order(user, topic.category):
        return user
    if topic.category.archived_at is not None:
        raise NotAllowed(_("This category is closed."))
    _require_trust(user, topic.category.trust_to_reply)
    _require_pause(user, topic)
    return user


def checked_tags(tags: Iterable[str]) -> list[str]:
    """Return tags as they are kept: in lower case, each once; raises InvalidInput."""
    names = list(dict.fromkeys(name for tag in tags if (name := "-".join(tag.lower().split()))))
    if len(names) > MAX_TAGS:
        raise InvalidInput(_("A topic bears at most %(max)d tags.") % {"max": MAX_TAGS})
    for name in names:
        if not _TAG.fullmatch(name):
            raise InvalidInput(
                _("“%(tag)s” is no tag: letters, digits and “-”, “.”, “+”, at most 40.") % {"tag": name[:60]}
            )
    return names


def set_tags(topic: Topic, names: list[str]) -> None:
    """Let a topic bear exactly these tags, in the transaction of the caller, who has locked its row."""
    before = dict(topic.tag_links.values_list("tag__name", "tag"))
    gone = sorted(pk for name, pk in before.items() if name not in names)
    new = _bear(topic, [name for name in names if name not in before])
    TopicTag.objects.filter(topic=topic, tag__in=gone).delete()
    if counting.is_listed(topic):
        counting.hold(tags=[*gone, *new])
        counting.count_tags(gone, times=-1)
        counting.count_tags(new, times=1)


def add_tags(topic: Topic, names: list[str]) -> None:
    """Let a topic bear these tags besides those that it has."""
    with transaction.atomic():
        now = Topic.objects.select_for_update().get(pk=topic.pk)
        set_tags(now, [*now.tag_links.values_list("tag__name", flat=True), *names])


def _bear(topic: Topic, names: list[str]) -> list[int]:
    """Add tags to a topic, made where there were none; returns their ids."""
    Tag.objects.bulk_create([Tag(name=name) for name in sorted(names)], ignore_conflicts=True)
    tags = sorted(Tag.objects.filter(name__in=names).values_list("pk", flat=True))
    latest = topic.last_post_id or 0
    TopicTag.objects.bulk_create([TopicTag(topic=topic, tag_id=tag, last_post_id=latest) for tag in tags])
    return tags


def _kind(category: Category, kind: str) -> str:
    if category.reviews_articles:
        return Topic.Kind.ARTICLE
    if not kind:
        return Topic.Kind.QUESTION if category.asks_questions else Topic.Kind.DISCUSSION
    if kind not in (Topic.Kind.QUESTION, Topic.Kind.DISCUSSION):
        raise InvalidInput(_("A topic is a discussion or a question."))
    return kind


def _about(key: str, user: User) -> str:
    """Return the key of what a topic is about; one that the author does not see is nothing."""
    if not key:
        return ""
    if subjects.find(key, user) is None:
        raise InvalidInput(_("What this topic is about is not there."))
    return key


def _held(held: bool) -> datetime | None:
    return timezone.now() if held else None


def _is_past(moment: datetime | None) -> bool:
    return moment is not None and moment <= timezone.now()


def _require_trust(user: User, level: int) -> None:
    if level and trust.level(user) < level:
        raise NotAllowed(_("Here people of trust level %(level)d and above may write.") % {"level": level})


def _require_pause(user: User, topic: Topic) -> None:
    """In slow mode everybody waits between two posts."""
    seconds = max(topic.slow_seconds, topic.category.slow_seconds if topic.category else 0)
    if not seconds:
        return
    mine = topic.posts.filter(author=user, kind=Post.Kind.COMMENT).order_by("-number")
    last = mine.values_list("created_at", flat=True).first()
    left = last + timedelta(seconds=seconds) - timezone.now() if last else timedelta()
    if left > timedelta():
        minutes = max(round(left.total_seconds() / 60), 1)
        raise TooOften(
            ngettext(
                "This topic is in slow mode: you may write again in %(minutes)d minute.",
                "This topic is in slow mode: you may write again in %(minutes)d minutes.",
                minutes,
            )
            % {"minutes": minutes}
        )
