"""Keeping the words of posts true. A consumer of events calls this, so that no post waits for it.

Before its words stand marks of where a post is: its category or that it is about a repository, the kind of its topic
and whether that was solved, each of its tags, its author, and among which posts it was written. To a database that
searches by an index, a part of the forum or of its time is one more word.
"""

import time
from collections.abc import Callable, Collection, Mapping, Sequence

from django.db.models import Q

from forum import briefly
from forum.models import Post, PostWords, Topic, TopicTag
from models_hub.searching import words

CHUNK = 500
MAX_WORDS = 6000  # of a post
RULES = words.RULES * 10 + 2  # of words and marks; raised when either are made otherwise
# What a mark begins with: no word does, and to FTS5 it is part of one.
MARK = "\ue000"
OF_REPO, SOLVED = f"{MARK}r", f"{MARK}v"
# Posts that follow each other bear one mark: so many of them a fine one, and so many a coarse one.
FINE, COARSE = 2_048, 65_536
SETTLED = 500  # posts, whose marks are mended at once


def index(posts: Collection[int]) -> None:
    """Take in what these posts say now; those that are gone are left out."""
    rows = Post.objects.filter(pk__in=posts, kind=Post.Kind.COMMENT).select_related("topic")
    places = ("topic__title", "topic__category", "topic__repo", "topic__kind", "topic__accepted")
    found = list(rows.only("number", "text", "author", *places))
    tags = _tags_of({post.topic_id for post in found})
    made = [_words_of(post, tags.get(post.topic_id, ())) for post in found]
    PostWords.objects.bulk_create(
        made, update_conflicts=True, unique_fields=("post",), update_fields=("title", "words", "rules")
    )


def index_topic(topic: int) -> None:
    """Take in another title: it is found by its opening post."""
    index(Post.objects.filter(topic=topic, number=1).values_list("pk", flat=True))


def is_long(topic: int) -> bool:
    """Whether marking the posts of a topic anew takes a while."""
    return Topic.objects.filter(pk=topic, last_number__gt=SETTLED).exists()


def mark(topic: int, check: Callable[[], None] = lambda: None) -> int:
    """Give the posts of a topic the marks of where they are now; returns how many had others. May be done again."""
    place = Topic.objects.filter(pk=topic).first()
    if place is None:
        return 0
    marks, count, number = marks_of(place, _tags_of([topic]).get(topic, ())), 0, 0
    while True:
        check()
        posts = list(place.posts.filter(number__gt=number).order_by("number").only("number", "author")[:CHUNK])
        if not posts:
            return count
        number, held = posts[-1].number, PostWords.objects.in_bulk([post.pk for post in posts])
        changed = [held[post.pk] for post in posts if post.pk in held and _mark(held[post.pk], [*marks, *_own(post)])]
        count += len(changed)
        PostWords.objects.bulk_update(changed, ("title", "words"), batch_size=100)


def marks_of(topic: Topic, tags: Sequence[int]) -> list[str]:
    place = OF_REPO if topic.category_id is None else in_room(topic.category_id)
    solved = [SOLVED] if topic.accepted_id else []
    return [place, of_kind(topic.kind), *solved, *(with_tag(tag) for tag in sorted(tags))]


def _own(post: Post) -> list[str]:
    """Return the marks of a post that its topic does not give it."""
    written = [by_author(post.author_id)] if post.author_id else []
    return [*written, fine(post.pk // FINE), coarse(post.pk // COARSE)]


def in_room(category: int) -> str:
    return f"{MARK}c{category}"


def of_kind(kind: str) -> str:
    return f"{MARK}k{kind}"


def with_tag(tag: int) -> str:
    return f"{MARK}t{tag}"


def by_author(user: int) -> str:
    return f"{MARK}a{user}"


def fine(block: int) -> str:
    return f"{MARK}x{block}"


def coarse(block: int) -> str:
    return f"{MARK}y{block}"


def is_complete() -> bool:
    """Whether all posts bear their marks: those from before there were any get them little by little, the newest first.

    Only then may a search rely on them.
    """
    return briefly.kept(
        ("forum words",), lambda: not _is_missing(Post.objects.filter(kind=Post.Kind.COMMENT).order_by("pk").first())
    )


def index_missing(*, seconds: float, check: Callable[[], None] = lambda: None) -> int:
    """Take in posts from before they were searched, or from before the rules changed; returns how many.

    The newest come first, so that nothing is left once the oldest is there: then this costs one row.
    """
    until, count = time.monotonic() + seconds, 0
    comments = Post.objects.filter(kind=Post.Kind.COMMENT)
    before = None if _is_missing(comments.order_by("pk").first()) else 0
    while before != 0 and time.monotonic() < until:
        check()
        rows = comments if before is None else comments.filter(pk__lt=before)
        chunk = list(rows.order_by("-pk").values_list("pk", flat=True)[:CHUNK])
        known = PostWords.objects.filter(post__in=chunk, rules=RULES).values_list("post", flat=True)
        missing = set(chunk) - set(known)
        index(missing)
        count += len(missing)
        before = chunk[-1] if chunk else 0
    return count


def _is_missing(post: Post | None) -> bool:
    if post is None:
        return False
    return not PostWords.objects.filter(Q(post=post) & Q(rules=RULES)).exists()


def _words_of(post: Post, tags: Sequence[int]) -> PostWords:
    marks = [*marks_of(post.topic, tags), *_own(post)]
    title = words.of(post.topic.title) if post.number == 1 else []
    said = words.of(post.text)[:MAX_WORDS]
    return PostWords(
        post=post,
        title=" ".join((*marks, *title)) if title else "",
        words=" ".join((*marks, *title, *said)),
        rules=RULES,
    )


def _mark(row: PostWords, marks: Sequence[str]) -> bool:
    """Give a post these marks in the place of its own; says whether it had others."""
    before = (row.title, row.words)
    row.words = _marked(row.words, marks)
    row.title = row.title and _marked(row.title, marks)
    return before != (row.title, row.words)


def _marked(text: str, marks: Sequence[str]) -> str:
    return " ".join((*marks, *(word for word in text.split(" ") if not word.startswith(MARK))))


def _tags_of(topics: Collection[int]) -> Mapping[int, Sequence[int]]:
    found: dict[int, list[int]] = {}
    for topic, tag in TopicTag.objects.filter(topic__in=topics).values_list("topic", "tag"):
        found.setdefault(topic, []).append(tag)
    return found
