"""What the forum tells of people and topics in feeds, counts in their year, and lets people follow."""

from collections.abc import Sequence
from datetime import datetime

from django.db.models import Count, Exists, OuterRef, QuerySet
from django.db.models.functions import TruncDate
from django.utils.translation import gettext_lazy, gettext_noop

from forum import levels
from forum.models import LISTED, Category, CategoryReader, Level, Post, Topic, TopicReader
from portal import contributions, deeds, following
from portal.contributions import Counted
from portal.deeds import Kind
from portal.following import Followed
from portal.models import Asker, Event, Namespace, User


def register() -> None:
    for name, said, icon, key in (
        ("opened", gettext_noop("began the topic"), "chat-square-text", _topic),
        ("commented", gettext_noop("wrote in"), "chat-dots", _post),
        ("accepted", gettext_noop("accepted an answer in"), "check-circle", _post),
        ("merged", gettext_noop("merged"), "sign-merge-left", _topic),
    ):
        for place in ("topic", "discussion"):
            deeds.register(Kind(f"{place}.{name}", said, icon, key))
    kinds = {"posts": gettext_lazy("Posts"), "answers": gettext_lazy("Accepted answers")}
    contributions.provide(kinds, _counted)
    topics = following.Kind(
        "topics", gettext_lazy("Topics"), _subjects_of_topics, _topics, lambda user: _followed(user).count(), _end_topic
    )
    following.register(topics)
    rooms = following.Kind(
        "categories",
        gettext_lazy("Categories of the forum"),
        _subjects_of_categories,
        _categories,
        lambda user: _watched(user).count(),
        _end_category,
    )
    following.register(rooms)


def _topic(event: Event) -> str:
    return f"topic:{event.payload.get('topic')}"


def _post(event: Event) -> str:
    return f"post:{event.payload.get('post')}"


def _counted(namespace: Namespace, reader: Asker, since: datetime) -> Counted:
    if namespace.user_id is None:
        return
    seen = Topic.objects.visible_to(reader)
    posts = Post.objects.filter(
        author=namespace.user_id, kind=Post.Kind.COMMENT, created_at__gte=since, hidden_at=None, held_at=None
    ).filter(topic__in=seen)
    accepted = Topic.objects.filter(accepted=OuterRef("pk")).exclude(author=namespace.user_id)
    rows = posts.order_by().values_list(Exists(accepted), TruncDate("created_at")).annotate(count=Count("pk"))
    for is_answer, day, count in rows:
        yield "answers" if is_answer else "posts", day, count


def _subjects_of_topics(user: User) -> list[str]:
    rows = TopicReader.objects.filter(user=user, level__gte=Level.TRACKING, topic__category__isnull=False)
    return [f"topic:{pk}" for pk in rows.order_by("-topic").values_list("topic_id", flat=True)[: following.MOST]]


def _subjects_of_categories(user: User) -> list[str]:
    """Return the latest topics of the categories that somebody watches, whoever may see them."""
    rooms = CategoryReader.objects.filter(user=user, level=Level.WATCHING).values("category")
    latest = Topic.objects.filter(LISTED, category__in=rooms).order_by("-last_post")
    return [f"topic:{pk}" for pk in latest.values_list("pk", flat=True)[: following.MOST]]


def _followed(user: User) -> "QuerySet[TopicReader]":
    seen = Topic.objects.visible_to(user)
    return TopicReader.objects.filter(user=user, level__gte=Level.TRACKING, topic__in=seen)


def _topics(user: User, before: int | None, most: int) -> Sequence[Followed]:
    rows = _followed(user).select_related("topic__repo__namespace", "topic__category").order_by("-pk")
    return [
        Followed(row.pk, row.topic.title, row.topic.path, str(row.get_level_display()), "chat-square-text")
        for row in (rows.filter(pk__lt=before)[:most] if before else rows[:most])
    ]


def _end_topic(user: User, pk: int) -> None:
    row = TopicReader.objects.filter(user=user, pk=pk).select_related("topic").first()
    if row is not None:
        levels.set_level(row.topic, user, Level.NORMAL)


def _watched(user: User) -> "QuerySet[CategoryReader]":
    seen = Category.objects.visible_to(user)
    return CategoryReader.objects.filter(user=user, level__gte=Level.TRACKING, category__in=seen)


def _categories(user: User, before: int | None, most: int) -> Sequence[Followed]:
    rows = _watched(user).select_related("category").order_by("-pk")
    return [
        Followed(row.pk, row.category.title, row.category.path, str(row.get_level_display()), row.category.icon)
        for row in (rows.filter(pk__lt=before)[:most] if before else rows[:most])
    ]


def _end_category(user: User, pk: int) -> None:
    row = CategoryReader.objects.filter(user=user, pk=pk).select_related("category").first()
    if row is not None:
        levels.set_level(row.category, user, Level.NORMAL)
