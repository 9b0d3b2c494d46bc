"""Keeping the words of posts true. A consumer of events calls this, so that no post waits for it."""

import time
from collections.abc import Callable, Collection

from django.db.models import Q

from forum.models import Post, PostWords
from models_hub.searching import words

CHUNK = 500
MAX_WORDS = 6000  # of a post


def index(posts: Collection[int]) -> None:
    """Take in what these posts say now; those that are gone are left out."""
    rows = Post.objects.filter(pk__in=posts, kind=Post.Kind.COMMENT).select_related("topic")
    made = [_words_of(post) for post in rows.only("number", "text", "topic__title")]
    PostWords.objects.bulk_create(
        made, update_conflicts=True, unique_fields=("post",), update_fields=("title", "words", "rules")
    )


def index_topic(topic: int) -> None:
    """Take in another title: it is found by its opening post."""
    index(Post.objects.filter(topic=topic, number=1).values_list("pk", flat=True))


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
        known = PostWords.objects.filter(post__in=chunk, rules=words.RULES).values_list("post", flat=True)
        missing = set(chunk) - set(known)
        index(missing)
        count += len(missing)
        before = chunk[-1] if chunk else 0
    return count


def _is_missing(post: Post | None) -> bool:
    if post is None:
        return False
    return not PostWords.objects.filter(Q(post=post) & Q(rules=words.RULES)).exists()


def _words_of(post: Post) -> PostWords:
    title = " ".join(words.of(post.topic.title)) if post.number == 1 else ""
    said = " ".join(words.of(post.text)[:MAX_WORDS])
    return PostWords(post=post, title=title, words=f"{title} {said}".strip(), rules=words.RULES)
