"""What the forum proves of people: accepted answers, questions, welcomes, reviews that were heeded.

Only what anybody may read counts: neither what is hidden, held or deleted, nor rooms for some alone.
"""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from datetime import datetime, timedelta

from django.contrib.auth.models import AnonymousUser
from django.db.models import F, Min, QuerySet

from forum.models import Article, Post, Reaction, Topic, TopicQuerySet
from portal import evidence, trusting
from portal.evidence import Fact
from portal.models import Decision, Event, TrustLevel

GOOD = (Reaction.Kind.LIKE, Reaction.Kind.THANKS, Reaction.Kind.INSIGHT, Reaction.Kind.CELEBRATE)
WELCOME_WITHIN = timedelta(hours=24)
DIFFERENT = 0.6  # of accepted answers, those to different people
VOTES = 5
# What tells how to see the same: code, a log, or a reference to a model, a score or a job.
_REPRODUCIBLE = re.compile(
    r"^ {0,3}(?:```|~~~)|/(?:evaluations|jobs)/\d+|/[\w.-]+/[\w.-]+/(?:tree|blob|commit)/", re.MULTILINE
)


def register() -> None:
    for kind, source in {
        "answer.accepted": accepted,
        "article.approved": articles,
        "topic.answered": answered,
        "post.liked": liked,
        "first-answer": accepted,
        "problem-solver": solved,
        "welcomer": welcomed,
        "good-question": asked,
        "doc-writer": articles,
        "bridge": translations,
        "peer-reviewer": reviewed,
    }.items():
        evidence.provide(kind, source)


def open_topics() -> TopicQuerySet:
    """Return what anybody may read."""
    return Topic.objects.visible_to(AnonymousUser())


def standing_posts() -> QuerySet[Post]:
    return Post.objects.filter(hidden_at__isnull=True, held_at__isnull=True, kind=Post.Kind.COMMENT)


def accepted(people: Collection[int]) -> Iterator[Fact]:
    """Yield answers that their asker, who is somebody else and not close, accepted."""
    rows = open_topics().filter(accepted__in=standing_posts().filter(author__in=people), author__isnull=False)
    topics = list(rows.exclude(author=F("accepted__author")).select_related("accepted"))
    since = _accepted_at(topics)
    found = [
        Fact(topic.accepted.author_id, f"post:{topic.accepted_id}", since[topic.pk], topic.author_id)
        for topic in topics
        if topic.accepted is not None and topic.accepted.author_id is not None
    ]
    yield from evidence.apart(found)


def solved(people: Collection[int]) -> Iterator[Fact]:
    """Yield accepted answers as long as they are to enough different people."""
    found: dict[int, list[Fact]] = defaultdict(list)
    for fact in sorted(accepted(people), key=lambda fact: (fact.at, fact.key)):
        found[fact.user].append(fact)
    bad = evidence.partial({(fact.user, fact.giver) for facts in found.values() for fact in facts if fact.giver})
    for facts in found.values():
        yield from _of_different([fact for fact in facts if (fact.user, fact.giver) not in bad])


def articles(people: Collection[int]) -> Iterator[Fact]:
    """Yield articles that a reviewer, who is not close, approved."""
    there = open_topics().filter(kind=Topic.Kind.ARTICLE, author__in=people, category__reviews_articles=True)
    topics = {topic.pk: topic for topic in there}
    approvals = Event.objects.filter(kind="article.approved", subject__in=[f"topic:{pk}" for pk in topics])
    rows = [*approvals.order_by("id").values_list("subject", "actor_id", "created_at"), *_let_in(topics)]
    found = []
    for subject, reviewer, at in rows:
        author = topics[int(subject.removeprefix("topic:"))].author_id
        if reviewer is not None and author is not None and reviewer != author:
            found.append(Fact(author, subject, at, reviewer))
    yield from evidence.apart(found)


def _let_in(topics: Collection[int]) -> list[tuple[str, int | None, datetime]]:
    """Return who let waiting articles in, and when: what waits is the opening post."""
    openings = Post.objects.filter(topic__in=topics, number=1).values_list("pk", "topic_id")
    keys = {f"post:{post}": f"topic:{topic}" for post, topic in openings}
    decided = Decision.objects.filter(action="approve", about__in=keys, undone_at__isnull=True, by_machine=False)
    return [(keys[about], by, at) for about, by, at in decided.values_list("about", "by_id", "created_at")]


def translations(people: Collection[int]) -> Iterator[Fact]:
    """Yield articles that translate another one, as a reader of both languages, who is not close, found good."""
    rows = Article.objects.filter(
        topic__in=open_topics().filter(kind=Topic.Kind.ARTICLE, author__in=people),
        translation_of__in=open_topics(),
        accepted_by__isnull=False,
    ).exclude(accepted_by=F("topic__author"))
    found = [
        Fact(row.topic.author_id, f"topic:{row.topic_id}", row.accepted_at, row.accepted_by_id)
        for row in rows.select_related("topic")
        if row.topic.author_id is not None and row.accepted_at is not None
    ]
    yield from evidence.apart(found)


def answered(people: Collection[int]) -> Iterator[Fact]:
    """Yield each topic of somebody else in which these people said something, by when they first did."""
    posts = standing_posts().filter(author__in=people, number__gt=1, topic__in=open_topics())
    rows = (
        posts.exclude(topic__author=F("author")).order_by().values_list("author", "topic").annotate(Min("created_at"))
    )
    for author, topic, at in rows:
        yield Fact(author, f"topic:{topic}", at)


def liked(people: Collection[int]) -> Iterator[Fact]:
    """Yield good reactions to posts, one of each giver and post."""
    rows = Reaction.objects.filter(
        kind__in=GOOD, post__in=standing_posts().filter(author__in=people, topic__in=open_topics())
    ).exclude(user=F("post__author"))
    seen = set()
    for post, author, giver, at in rows.order_by("id").values_list("post", "post__author", "user", "created_at"):
        if (post, giver) not in seen:
            seen.add((post, giver))
            yield Fact(author, f"post:{post}", at, giver)


def welcomed(people: Collection[int]) -> Iterator[Fact]:
    """Yield first replies to a newcomer's first question that the newcomer found helpful."""
    posts = standing_posts().filter(
        author__in=people, topic__in=open_topics().filter(kind=Topic.Kind.QUESTION, author__isnull=False)
    )
    posts = posts.exclude(author=F("topic__author")).select_related("topic")
    candidates = [post for post in posts if post.created_at - post.topic.created_at <= WELCOME_WITHIN]
    candidates = _helpful(_first_replies(candidates))
    askers = {post.topic.author_id: post.topic.created_at for post in candidates if post.topic.author_id is not None}
    levels = trusting.level_at(list(askers), askers)
    firsts = dict(
        Topic.objects.filter(author__in=askers, kind=Topic.Kind.QUESTION)
        .order_by()
        .values_list("author")
        .annotate(Min("id"))
    )
    found = [
        Fact(post.author_id, f"post:{post.pk}", post.created_at, post.topic.author_id)
        for post in candidates
        if post.author_id is not None
        and post.topic.author_id is not None
        and levels[post.topic.author_id] == TrustLevel.NEW
        and firsts.get(post.topic.author_id) == post.topic_id
    ]
    yield from evidence.apart(found)


def asked(people: Collection[int]) -> Iterator[Fact]:
    """Yield questions that can be reproduced, were answered, and that five people found good."""
    topics = open_topics().filter(author__in=people, kind=Topic.Kind.QUESTION, accepted__isnull=False)
    topics = topics.exclude(accepted__author=F("author"))
    openings = standing_posts().filter(topic__in=topics, number=1, author=F("topic__author"))
    good = {post.pk: post for post in openings if _REPRODUCIBLE.search(post.text)}
    votes: dict[int, list[Fact]] = defaultdict(list)
    for fact in evidence.honest(_votes(good.values())):
        votes[int(fact.key.removeprefix("post:"))].append(fact)
    for pk, facts in votes.items():
        if len({fact.giver for fact in facts}) >= VOTES:
            post = good[pk]
            assert post.author_id is not None
            yield Fact(post.author_id, f"topic:{post.topic_id}", post.created_at)


def reviewed(people: Collection[int]) -> Iterator[Fact]:
    """Yield reviews that asked for changes, upon which commits came before the proposal was merged."""
    notes = Post.objects.filter(
        kind=Post.Kind.REVIEW,
        author__in=people,
        data__verdict="changes",
        topic__in=open_topics().filter(is_pull_request=True, status=Topic.Status.MERGED, author__isnull=False),
    ).exclude(author=F("topic__author"))
    rows = list(notes.select_related("topic").order_by("id"))
    commits: dict[int, int] = dict(
        Post.objects.filter(kind=Post.Kind.COMMIT, topic__in={row.topic_id for row in rows})
        .order_by("topic", "number")
        .values_list("topic_id", "number")
    )
    found = {
        (row.author_id, row.topic_id): Fact(row.author_id, f"topic:{row.topic_id}", row.created_at, row.topic.author_id)
        for row in rows
        if row.author_id is not None and commits.get(row.topic_id, 0) > row.number
    }
    yield from evidence.apart(found.values())


def _accepted_at(topics: Iterable[Topic]) -> dict[int, datetime]:
    """Return when each answer was accepted: by the last event that says so, else when it was written."""
    found = {topic.pk: topic.accepted.created_at for topic in topics if topic.accepted is not None}
    events = Event.objects.filter(kind="topic.accepted", subject__in=[f"topic:{pk}" for pk in found])
    for subject, at in events.order_by("id").values_list("subject", "created_at"):
        found[int(subject.removeprefix("topic:"))] = at
    return found


def _of_different(facts: Iterable[Fact]) -> Iterator[Fact]:
    givers: set[int | None] = set()
    counted = 0
    for fact in facts:
        if len(givers | {fact.giver}) >= DIFFERENT * (counted + 1):
            givers.add(fact.giver)
            counted += 1
            yield fact


def _first_replies(posts: Iterable[Post]) -> list[Post]:
    """Return those that nobody else's reply stands before."""
    rows = list(posts)
    replies = standing_posts().filter(topic__in={post.topic_id for post in rows}, number__gt=1)
    numbers = replies.exclude(author=F("topic__author")).order_by().values_list("topic").annotate(Min("number"))
    first: dict[int, int] = dict(numbers)
    return [post for post in rows if first.get(post.topic_id) == post.number]


def _helpful(posts: Iterable[Post]) -> list[Post]:
    """Return those that the asker accepted or reacted well to."""
    rows = list(posts)
    thanked = set(
        Reaction.objects.filter(post__in=rows, kind__in=GOOD, user=F("post__topic__author")).values_list(
            "post_id", flat=True
        )
    )
    return [post for post in rows if post.pk in thanked or post.topic.accepted_id == post.pk]


def _votes(posts: Iterable[Post]) -> Iterator[Fact]:
    rows = {post.pk: post for post in posts}
    reactions = Reaction.objects.filter(post__in=rows, kind__in=GOOD)
    for post, giver, at in reactions.values_list("post_id", "user_id", "created_at"):
        author = rows[post].author_id
        if author is not None and giver != author and evidence.has_settled(at):
            yield Fact(author, f"post:{post}", at, giver)
