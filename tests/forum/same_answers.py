"""What the forum's search finds, and what the log of moderation refuses: the same on each database."""

from contextlib import ExitStack, suppress
from datetime import timedelta
from typing import Any
from unittest.mock import patch

from django.contrib.auth.models import AnonymousUser
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from forum import boards, frequent_words, indexing, matching, searching
from forum.models import Category, Post, Tag, Topic, TopicTag
from forum.searching import Question
from portal import mod_log
from portal.models import Namespace, User
from portal.models.mod_log import LogEntry

# With so few posts every way to find words is taken: in fine and coarse stretches of time, which hold few of them or
# too many, and in all of them.
SMALL: dict[Any, dict[str, Any]] = {
    indexing: {"FINE": 4, "COARSE": 12},
    matching: {
        "NEAR": 6,
        "WIDER": 3,
        "MOST_MARKS": {"words": 3, "title": 4},
        "MANY": 1,
        "MANY_IN_ALL": 1,
        "SAMPLE": 4,
        "LOOKS": 5,
        "LOOKED": 1,
        "LONGEST": 20,
    },
    frequent_words: {"COMMON": 10, "KEPT": -1},
    searching: {"CANDIDATES": 12, "DATED": 0, "AROUND": 4},
}
SAID = (
    "A walrus quantizes its model",
    "Models of walruses are small",
    "小模型的量化误差",
    "量化以后模型还准吗",
    "Nothing but noise",
)


def answers() -> dict[str, Any]:
    """Fill a forum, and return what is found there and what became of the log."""
    with ExitStack() as small:
        for module, values in SMALL.items():
            small.enter_context(patch.multiple(module, **values))
        return _answers()


def _answers() -> dict[str, Any]:
    rooms, writer = _fill()
    today = timezone.now().date()
    asked = {
        "frequent": Question("model"),
        "rare": Question("aardvark"),
        "two": Question("walrus small"),
        "loose": Question("aardvark 误差"),
        "chinese": Question("量化"),
        "beginning": Question("walr"),
        "beginning of frequent words": Question("mode quantiz"),
        "beginning of many rare words": Question("odd model"),
        "beginning of many rare words alone": Question("odd", latest=True),
        "beginning of many rare words in a small room": Question("odd walrus", category=rooms[1]),
        "beginning of many rare words, and none": Question("odd nowhere"),
        "frequent and rare": Question("model aardv"),
        "two frequent ones": Question("noise model"),
        "rare of solved ones": Question("aardvark", solved=True),
        "small room": Question("model", category=rooms[1]),
        "large room": Question("model", category=rooms[0]),
        "author": Question("walrus", author=writer.username),
        "rare of an author": Question("误差", author=writer.username),
        "tag": Question("noise", tag="odd"),
        "rare of a tag": Question("aardvark", tag="odd"),
        "no such tag": Question("noise", tag="even"),
        "questions": Question("model", kind="question"),
        "rare of a kind": Question("aardvark", kind="discussion"),
        "repositories": Question("model", kind="repo"),
        "all at once": Question("walrus", category=rooms[0], kind="question", tag="odd", solved=True),
        "moved": Question("moved", category=rooms[1]),
        "moved away": Question("moved", category=rooms[0]),
        "since": Question("model", since=today - timedelta(days=3)),
        "until": Question("model", until=today - timedelta(days=3)),
        "between": Question("walrus", since=today - timedelta(days=6), until=today - timedelta(days=4)),
        "solved": Question("noise", solved=True),
        "hidden": Question("secret"),
        "latest": Question("model", latest=True),
        "older": Question("model", latest=True, before=Post.objects.order_by("pk")[30].pk),
    }
    found = {name: _hits(one, rooms) for name, one in asked.items()}
    tagged = boards.page(AnonymousUser(), boards.Wanted(tag=Tag.objects.get(name="odd")), rooms)
    titles = [row.title for row in tagged.rows]
    return {"found": found, "tagged": titles, "marked": indexing.is_complete(), "log": _log(writer)}


def _hits(question: Question, rooms: list[Category]) -> list[tuple[str, int]]:
    hits = searching.find(question, AnonymousUser(), rooms).hits
    return [("".join(piece.text for piece in hit.title), hit.number) for hit in hits]


def _fill() -> tuple[list[Category], User]:
    rooms = [
        Category.objects.create(slug=f"search-{n}", title_en=f"Room {n}", post_count=100 * (1 - n)) for n in (0, 1)
    ]
    writer = User.objects.create(username="searched-writer", email="w@example.org")
    Namespace.claim(writer.username, user=writer)
    odd = Tag.objects.create(name="odd")
    for number in range(12):
        at = timezone.now() - timedelta(days=12 - number)
        kind = Topic.Kind.QUESTION if number % 3 else Topic.Kind.DISCUSSION
        title = f"Topic of noise {number}" + (" moved" if number == 5 else "")
        topic = Topic.objects.create(category=rooms[number % 4 == 0], kind=kind, title=title, last_number=5)
        posts = []
        for n in range(5):
            text = f"{SAID[(number + n) % 5]} odd{number}x{n}" + (" aardvark" if (number, n) == (3, 4) else "")
            author = writer if n == 1 else None
            posts.append(Post.objects.create(topic=topic, number=n + 1, text=text, author=author))
        Post.objects.filter(topic=topic).update(created_at=at)
        solved = posts[2] if number % 2 else None
        Topic.objects.filter(pk=topic.pk).update(last_post=posts[-1], accepted=solved)
        if number % 2:
            TopicTag.objects.create(topic=topic, tag=odd, last_post_id=posts[-1].pk)
    hidden = Post.objects.create(topic=topic, number=6, text="A secret walrus", hidden_at=timezone.now())
    indexing.index([hidden.pk, *Post.objects.filter(topic__category__in=rooms).values_list("pk", flat=True)])
    moved = Topic.objects.get(title__endswith="moved")
    Topic.objects.filter(pk=moved.pk).update(category=rooms[1])
    indexing.mark(moved.pk)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE forum_postwords")  # from here it knows which words are frequent
    return rooms, writer


def _log(by: User) -> dict[str, Any]:
    """Write into the log, and try to change what it says."""
    for act in ("hide", "warn"):
        mod_log.append(act, by=by, target="post:1")
    refused = []
    for verb in ("update", "delete"):
        line = LogEntry.objects.filter(action="hide")
        with suppress(DatabaseError), transaction.atomic():
            line.update(action="nudge") if verb == "update" else line.delete()
            continue
        refused.append(verb)
    return {"refused": refused, "lines": LogEntry.objects.count(), "whole": mod_log.verify() is None}
