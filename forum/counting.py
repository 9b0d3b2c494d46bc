"""Counters of topics, categories, tags and posts: changed in the transaction of what they count, as recounting.py
would find them. Whoever changes several rows locks topics first, then categories and tags, each in order of their ids.
"""

from collections import defaultdict
from collections.abc import Collection
from typing import Any

from django.db.models import F, Min
from django.db.models.functions import Greatest
from django.utils import timezone

from forum.models import Category, Post, Tag, Topic, TopicTag

MAX_PARTICIPANTS = 4


def is_bump(post: Post) -> bool:
    """Whether the post brings its topic to the top of lists: notes of moderators do not."""
    return post.kind != Post.Kind.NOTE


def is_reply(post: Post) -> bool:
    """Whether the post is counted as a comment: the opening one is none."""
    return post.is_comment and post.number > 1


def is_listed(topic: Topic) -> bool:
    """Whether the topic is counted by its category and its tags."""
    out = (topic.deleted_at, topic.hidden_at, topic.held_at)
    return topic.category_id is not None and not any(out)


def count_post(topic: Topic, post: Post) -> None:
    """Note a post that anybody may see now, new or let in, with the topic's row locked."""
    now, replies = Topic.objects.get(pk=topic.pk), int(is_reply(post))
    changes: dict[str, Any] = {"comments": now.comments + replies}
    if is_bump(post):
        changes["last_post_at"] = timezone.now()
        if post.pk > (now.last_post_id or 0):
            changes |= {"last_post_id": post.pk, "last_poster_id": post.author_id}
            TopicTag.objects.filter(topic=topic).update(last_post_id=post.pk)
    if post.is_comment and post.number < now.last_number:  # let in late: others spoke meanwhile
        changes["participants"] = participants_of([topic.pk])[topic.pk]
    elif post.is_comment and post.author_id and post.author_id not in now.participants:
        changes["participants"] = [*now.participants, post.author_id][:MAX_PARTICIPANTS]
    Topic.objects.filter(pk=topic.pk).update(**changes)
    for name, value in changes.items():
        setattr(topic, name, value)
    if replies and is_listed(now):
        Category.objects.filter(pk__in=[now.category_id]).update(post_count=F("post_count") + 1)


def participants_of(pks: Collection[int]) -> dict[int, list[int]]:
    """Return the first people who spoke in each topic, in the order in which they did."""
    said = Post.objects.filter(topic__in=pks, kind=Post.Kind.COMMENT, held_at=None, author__isnull=False)
    first = said.values("topic", "author").annotate(n=Min("number")).order_by("topic", "n")
    people: dict[int, list[int]] = defaultdict(list)
    for topic, author in first.values_list("topic", "author"):
        if len(people[topic]) < MAX_PARTICIPANTS:
            people[topic].append(author)
    return people


def hold(*topics: Topic, categories: Collection[Category] = (), tags: Collection[int] = ()) -> None:
    """Lock all that several steps of one transaction are going to count: where these topics are listed, and more."""
    named = (*(topic.category_id for topic in topics), *(category.pk for category in categories))
    held = {pk for pk in named if pk is not None}
    borne = {*TopicTag.objects.filter(topic__in=topics).values_list("tag", flat=True), *tags}
    for rows, pks in ((Category.objects.all(), held), (Tag.objects.all(), borne)):
        list(rows.select_for_update(no_key=True).filter(pk__in=pks).order_by("pk").values_list("pk", flat=True))


def list_topic(topic: Topic, *, times: int = 1) -> None:
    """Add a topic to the counts of its category and tags; with `times` -1 take it out. Its row is locked."""
    comments = Topic.objects.values_list("comments", flat=True).get(pk=topic.pk)
    Category.objects.filter(pk__in=[topic.category_id]).update(
        topic_count=F("topic_count") + times, post_count=F("post_count") + times * (comments + 1)
    )
    count_tags(list(topic.tag_links.order_by("tag").values_list("tag", flat=True)), times=times)


def count_tags(tags: list[int], *, times: int) -> None:
    """Count one topic more, or with `times` -1 one less, for each of these tags."""
    if tags:
        hold(tags=tags)
        Tag.objects.filter(pk__in=tags).update(topic_count=Greatest(F("topic_count") + times, 0))
