"""Counters counted again from the rows that they stand for: to check them, to mend them, and after large changes.

What each counts is said in counting.py. Rows are read in batches, so that ten million posts fit into little memory.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from django.db import models, transaction
from django.db.models import Count, Max, Q, Sum

from forum import counting
from forum.models import LISTED, Category, Poll, PollOption, PollVote, Post, Reaction, Tag, Topic, TopicTag

BATCH = 500


@dataclass(frozen=True)
class Wrong:
    """A counter that is not what its rows say."""

    what: str
    name: str
    kept: Any
    counted: Any

    def __str__(self) -> str:
        return f"{self.what} {self.name}: {self.kept!r} is kept, {self.counted!r} is counted"


def check(*, mend: bool = False) -> Iterator[Wrong]:
    """Yield every counter of the forum that is wrong; with `mend`, each is right afterwards."""
    # Topics first: categories count from what they keep.
    for model, count in _COUNTED.items():
        rows = model._default_manager.order_by("pk").values_list("pk", flat=True)
        for pks in _batches(rows.iterator(chunk_size=BATCH)):
            yield from _compare(model, pks, count, mend=mend)


def mend_topics(pks: Collection[int]) -> None:
    """Count these topics anew, in the transaction of the caller, who has locked their rows."""
    for model in (Topic, TopicTag):
        rows = pks if model is Topic else TopicTag.objects.filter(topic__in=pks).values_list("pk", flat=True)
        list(_compare(model, list(rows), _COUNTED[model], mend=True))


def mend(model: type[models.Model], pks: Collection[int]) -> None:
    """Count these rows of one of the counted models anew, in the transaction of the caller."""
    list(_compare(model, sorted(pks), _COUNTED[model], mend=True))


def _compare(model: type[models.Model], pks: Collection[int], count: "Counting", *, mend: bool) -> Iterator[Wrong]:
    with transaction.atomic():
        rows = {row.pk: row for row in model._default_manager.select_for_update().filter(pk__in=pks).order_by("pk")}
        for pk, facts in count(rows.keys()).items():
            row = rows[pk]
            wrong = {name: fact for name, fact in facts.items() if getattr(row, name) != fact}
            for name, fact in wrong.items():
                yield Wrong(f"{model._meta.model_name}:{pk}", name, getattr(row, name), fact)
            if wrong and mend:
                model._default_manager.filter(pk=pk).update(**wrong)


Facts = dict[int, dict[str, Any]]
Counting = Callable[[Collection[int]], Facts]


def _topics(pks: Collection[int]) -> Facts:
    posts = Post.objects.filter(topic__in=pks)
    shown = posts.filter(held_at=None)
    replies = shown.filter(kind=Post.Kind.COMMENT, number__gt=1)
    comments = dict(replies.values("topic").annotate(n=Count("pk")).values_list("topic", "n"))
    bumps = shown.exclude(kind=Post.Kind.NOTE)
    latest = dict(bumps.values("topic").annotate(n=Max("pk")).values_list("topic", "n"))
    posters = dict(Post.objects.filter(pk__in=latest.values()).values_list("pk", "author"))
    likes = dict(
        Reaction.objects.filter(post__topic__in=pks, kind=Reaction.Kind.LIKE)
        .values("post__topic")
        .annotate(n=Count("pk"))
        .values_list("post__topic", "n")
    )
    people = counting.participants_of(pks)
    gone = Q(accepted__hidden_at__isnull=False) | Q(accepted__held_at__isnull=False)
    kept = Topic.objects.filter(pk__in=pks, accepted__topic=models.F("pk")).exclude(gone)
    accepted = dict(kept.values_list("pk", "accepted"))
    return {
        pk: {
            "comments": comments.get(pk, 0),
            "last_post_id": latest.get(pk),
            "last_poster_id": posters.get(latest.get(pk, 0)),
            "likes": likes.get(pk, 0),
            "participants": people[pk],
            "accepted_id": accepted.get(pk),
        }
        for pk in pks
    }


def _tag_links(pks: Collection[int]) -> Facts:
    links = TopicTag.objects.filter(pk__in=pks).values_list("pk", "topic__last_post")
    return {pk: {"last_post_id": latest or 0} for pk, latest in links}


def _posts(pks: Collection[int]) -> Facts:
    counts: dict[int, dict[str, int]] = defaultdict(dict)
    rows = Reaction.objects.filter(post__in=pks).values("post", "kind").annotate(n=Count("pk"))
    for post, kind, number in rows.values_list("post", "kind", "n"):
        counts[post][kind] = number
    return {pk: {"reactions": counts[pk]} for pk in pks}


def _categories(pks: Collection[int]) -> Facts:
    listed = Topic.objects.filter(LISTED, category__in=pks).values("category")
    sums = {row["category"]: row for row in listed.annotate(topics=Count("pk"), said=Sum("comments"))}
    return {
        pk: {
            "topic_count": sums[pk]["topics"] if pk in sums else 0,
            "post_count": sums[pk]["topics"] + sums[pk]["said"] if pk in sums else 0,
        }
        for pk in pks
    }


def _tags(pks: Collection[int]) -> Facts:
    listed = TopicTag.objects.filter(tag__in=pks, topic__in=Topic.objects.filter(LISTED))
    counts = dict(listed.values("tag").annotate(n=Count("pk")).values_list("tag", "n"))
    return {pk: {"topic_count": counts.get(pk, 0)} for pk in pks}


def _options(pks: Collection[int]) -> Facts:
    votes = PollVote.objects.filter(option__in=pks).values("option").annotate(n=Count("pk"))
    counts = dict(votes.values_list("option", "n"))
    return {pk: {"votes": counts.get(pk, 0)} for pk in pks}


def _polls(pks: Collection[int]) -> Facts:
    votes = PollVote.objects.filter(option__poll__in=pks).values("option__poll")
    counts = dict(votes.annotate(n=Count("user", distinct=True)).values_list("option__poll", "n"))
    return {pk: {"voters": counts.get(pk, 0)} for pk in pks}


_COUNTED: dict[type[models.Model], Counting] = {
    Post: _posts,
    Topic: _topics,
    TopicTag: _tag_links,
    Category: _categories,
    Tag: _tags,
    PollOption: _options,
    Poll: _polls,
}


def _batches(pks: Iterable[int]) -> Iterator[list[int]]:
    rest = iter(pks)
    while batch := list(islice(rest, BATCH)):
        yield batch
