"""Topics moved to another category, split in two, and merged into one. Posts keep their ids and get new numbers."""

from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from forum import counting, discussing, keeping_order, levels, permissions, recounting
from forum.learning import articles
from forum.models import Category, Poll, Post, Topic, TopicReader
from models_hub import proposing
from portal.errors import Conflict, InvalidInput, NotAllowed
from portal.models import Asker, User

MAX_MOVED = 500


def move(topic: Topic, *, by: Asker, to: Category, reason: str = "") -> None:
    """Bring a topic into another category: those who keep order may, and people of level 3."""
    user, reason = permissions.require_mover(by, topic), keeping_order.checked_reason(reason)
    _require_room(user, topic, to)
    before = topic.category
    with transaction.atomic():
        now = _locked(topic.pk)[topic.pk]
        if now.category_id == to.pk or before is None:
            raise Conflict(_("The topic is in this category already."))
        counting.hold(now, categories=[to])
        _unlist(now)
        now.kind = _kind_in(to, now)
        Topic.objects.filter(pk=topic.pk).update(category=to, kind=now.kind)
        topic.category = now.category = to
        articles.note_moved(now)
        _list(now)
        levels.lower_floors(now.pk)
        facts = {"from": before.pk, "to": to.pk}
        keeping_order.note(topic, user, "moved", reason, facts)
        keeping_order.log(topic, user, "moved", reason, before={"category": before.slug}, after={"category": to.slug})


def split(
    topic: Topic, *, by: Asker, numbers: Sequence[int], title: str, to: Category | None = None, reason: str = ""
) -> Topic:
    """Begin a new topic with some posts of another one; returns it."""
    user, reason = permissions.require_moderator(by, topic), keeping_order.checked_reason(reason)
    title, target = proposing.checked_title(title), to or topic.category
    if target is None:
        raise InvalidInput(_("Only topics of the forum can be split."))
    _require_room(user, topic, target)
    with transaction.atomic():
        now = _locked(topic.pk)[topic.pk]
        posts = _chosen(now, numbers)
        kind = Topic.Kind.ARTICLE if target.reviews_articles else Topic.Kind.DISCUSSION
        new = Topic.objects.create(category=target, kind=kind, title=title, author=posts[0].author)
        counting.hold(now, new)
        _unlist(now)
        _bring(posts, new)
        recounting.mend_topics([topic.pk, new.pk])
        _list(now)
        _list(new)
        levels.lower_floors(topic.pk, new.pk)
        articles.note_moved(new)
        facts = {"count": len(posts)}
        keeping_order.note(topic, user, "split", reason, facts | {"to": new.pk, "title": title})
        keeping_order.note(new, user, "split_from", "", facts | {"from": topic.pk, "title": topic.title})
        keeping_order.log(topic, user, "split", reason, after=facts | {"topic": new.pk})
    new.refresh_from_db()
    topic.refresh_from_db()
    return new


def merge(topic: Topic, *, by: Asker, into: Topic, reason: str = "") -> None:
    """Bring all posts of a topic to the end of another one; its address leads there from now on."""
    user, reason = permissions.require_moderator(by, topic), keeping_order.checked_reason(reason)
    if into.category is None or topic.category is None or into.pk == topic.pk:
        raise InvalidInput(_("Choose another topic of the forum."))
    permissions.require_moderator(by, into)
    with transaction.atomic():
        rows = _locked(topic.pk, into.pk)
        source, target = rows[topic.pk], rows[into.pk]
        if source.deleted_at or target.deleted_at:
            raise Conflict(_("One of the topics is not there any more."))
        posts = list(source.posts.filter(kind=Post.Kind.COMMENT).order_by("number")[: MAX_MOVED + 1])
        if len(posts) > MAX_MOVED:
            raise Conflict(_("Topics of more than %(max)d posts cannot be merged.") % {"max": MAX_MOVED})
        _bring_poll(source, target)
        counting.hold(source, target)
        _unlist(source)
        _unlist(target)
        _bring(posts, target)
        gone = {"deleted_at": timezone.now(), "merged_into": target, "status": Topic.Status.CLOSED, "accepted": None}
        Topic.objects.filter(pk=source.pk).update(**gone)
        Topic.objects.filter(merged_into=source).update(merged_into=target)
        _bring_readers(source, target)
        recounting.mend_topics([source.pk, target.pk])
        _list(target)
        levels.lower_floors(target.pk)
        facts = {"count": len(posts), "from": topic.pk, "title": topic.title}
        keeping_order.note(into, user, "merged", reason, facts)
        discussing.record("merged_away", topic, by=user, into=into.pk)
        keeping_order.log(topic, user, "merged", reason, after={"into": into.pk, "count": len(posts)})
    into.refresh_from_db()
    topic.refresh_from_db()


def _require_room(user: User, topic: Topic, to: Category) -> None:
    if topic.category is None:
        raise InvalidInput(_("Only topics of the forum can be moved."))
    seen = Category.objects.visible_to(user).filter(pk=to.pk, archived_at=None)
    if not seen.exists() or (to.staff_open and not permissions.can_keep_order(user, to)):
        raise NotAllowed(_("You may not bring topics into this category."))
    # Who keeps no order here can bring nothing past a review, and show nothing to others than before.
    is_alike = to.readers == topic.category.readers and not to.reviews_articles
    if not is_alike and not permissions.can_moderate(user, topic):
        raise NotAllowed(_("You may not bring topics into this category."))


def _locked(*pks: int) -> dict[int, Topic]:
    rows = Topic.objects.select_for_update().filter(pk__in=pks).order_by("pk")
    return {row.pk: row for row in rows}


def _unlist(topic: Topic) -> None:
    if counting.is_listed(topic):
        counting.list_topic(topic, times=-1)


def _list(topic: Topic) -> None:
    if counting.is_listed(topic):
        counting.list_topic(topic)


def _kind_in(category: Category, topic: Topic) -> str:
    """A question stays one in every room; articles are only in theirs."""
    if category.reviews_articles:
        return Topic.Kind.ARTICLE
    return Topic.Kind.DISCUSSION if topic.kind == Topic.Kind.ARTICLE else topic.kind


def _chosen(topic: Topic, numbers: Sequence[int]) -> list[Post]:
    wanted = set(numbers)
    if not wanted or len(wanted) > MAX_MOVED:
        raise InvalidInput(_("Choose from one to %(max)d posts.") % {"max": MAX_MOVED})
    posts = list(topic.posts.filter(number__in=wanted, kind=Post.Kind.COMMENT).order_by("number"))
    if len(posts) != len(wanted) or 1 in wanted:
        raise InvalidInput(_("Choose posts of this topic, but not the one that began it."))
    if posts[0].held_at is not None:
        raise Conflict(_("The first of the posts waits to be let in."))
    return posts


def _bring(posts: Sequence[Post], to: Topic) -> None:
    """Let posts follow the last one of a topic whose row is locked."""
    number = Topic.objects.values_list("last_number", flat=True).get(pk=to.pk)
    for post in posts:
        number += 1
        was: dict[str, Any] = {"topic": post.topic_id, "number": post.number}
        post.topic, post.number, post.data = to, number, {**post.data, "was": was}
        post.save(update_fields=("topic", "number", "data"))
    Topic.objects.filter(pk=to.pk).update(last_number=number, last_post_at=timezone.now())
    # An answer is shown with what it answers only within one topic.
    moved = Q(pk__in=[post.pk for post in posts]) | Q(reply_to__in=posts)
    Post.objects.filter(moved, reply_to__isnull=False).exclude(reply_to__topic=F("topic")).update(reply_to=None)
    to.last_number = number


def _bring_poll(source: Topic, target: Topic) -> None:
    polls = set(Poll.objects.filter(topic__in=(source, target)).values_list("topic", flat=True))
    if len(polls) > 1:
        raise Conflict(_("Both topics have a poll: one of them would be lost."))
    Poll.objects.filter(topic=source).update(topic=target)


def _bring_readers(source: Topic, target: Topic) -> None:
    """Who followed the one follows the other."""
    there = TopicReader.objects.filter(topic=target).values("user")
    TopicReader.objects.filter(topic=source).exclude(user__in=list(there.values_list("user", flat=True))).update(
        topic=target, last_read=0
    )
