"""Topics and posts for measurements, made by the database itself: ten million posts in minutes.

Posts come round by round, one in each topic, so that topics are as interleaved as those of a forum that lives.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection, models, transaction
from django.utils import timezone

from benchmarks.forum import wording
from forum import indexing
from forum.models import Category, Post, PostWords, Topic, TopicTag
from forum.models.tags import Tag
from models_hub import rendering
from portal.models import Namespace, User

ROOMS = 8
TAGS = 30
TEXTS = 3000
RARE = 20_000  # different words that a few posts have each


def load(topics: int, posts: int, *, people: int = 500, deep: bool = False) -> None:
    """Fill an empty forum, and say how long each step takes. Of a deep one the texts are short."""
    timed("people", lambda: _people(people))
    timed("texts", lambda: _texts(sentences=4 if deep else 8))
    timed("topics", lambda: _topics(topics, posts, people))
    timed("posts", lambda: _posts(topics, posts, people))
    timed("order", lambda: _order(topics, posts))


def timed(name: str, step: Callable[[], Any]) -> None:
    begun = time.monotonic()
    step()
    print(f"  {name}: {time.monotonic() - begun:.0f} s", flush=True)


def execute(sql: str, *values: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, values or None)


def insert(model: type[models.Model], source: str, **given: str) -> None:
    """Insert rows of `source`, a FROM clause; columns that are not given have their field's default."""
    columns: list[str] = []
    parts: list[str] = []
    values: list[Any] = []
    for field in model._meta.concrete_fields:
        if field.column in given:
            columns.append(str(field.column))
            parts.append(given[field.column].replace("%", "%%"))
        elif not field.primary_key and not field.null:
            columns.append(str(field.column))
            parts.append("%s")
            values.append(_default(field))
    names, doubled = ", ".join(f'"{name}"' for name in columns), source.replace("%", "%%")
    sql = f'INSERT INTO "{model._meta.db_table}" ({names}) SELECT {", ".join(parts)} FROM {doubled}'
    with connection.cursor() as cursor:
        cursor.execute(sql, values)


def _default(field: "models.Field[Any, Any]") -> Any:
    if getattr(field, "auto_now_add", False) or getattr(field, "auto_now", False):
        return timezone.now()
    return field.get_db_prep_save(field.get_default(), connection)


@contextmanager
def bare(model: type[models.Model]) -> Iterator[None]:
    """Let a table be filled without its indexes and its triggers, keys to other tables among them.

    Made once after the rows, an index costs a small part of what it costs row by row. The primary key stays: its
    values come in their order.
    """
    table = model._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid), c.conname, pg_get_constraintdef(c.oid)"
            " FROM pg_index i LEFT JOIN pg_constraint c ON c.conindid = i.indexrelid AND c.contype = 'u'"
            " WHERE i.indrelid = %s::regclass AND NOT i.indisprimary",
            [table],
        )
        found = cursor.fetchall()
    for name, _made, constraint, _rule in found:
        execute(f"ALTER TABLE {table} DROP CONSTRAINT {constraint}" if constraint else f"DROP INDEX {name}")
    execute("SET session_replication_role = replica")
    yield
    execute("SET session_replication_role = DEFAULT")
    execute("SET maintenance_work_mem = '1GB'")
    for _name, made, constraint, rule in found:
        execute(f"ALTER TABLE {table} ADD CONSTRAINT {constraint} {rule}" if constraint else made)
    execute(f"VACUUM ANALYZE {table}")


def first(model: type[models.Model], **found: str) -> int:
    return int(model._default_manager.filter(**found).order_by("pk").values_list("pk", flat=True)[0])


def _people(people: int) -> None:
    with transaction.atomic():
        Category.objects.all().delete()
        for place in range(ROOMS):
            Category.objects.create(slug=f"room-{place}", title_en=f"Room number {place}", title_zh=f"房间 {place}")
        users = User.objects.bulk_create(
            [User(username=f"reader{place}", email=f"r{place}@example.org", password="!") for place in range(people)],
            batch_size=2000,
        )
        Namespace.objects.bulk_create(
            [Namespace(name=u.username, lower=u.username, user=u) for u in users], batch_size=2000
        )
        Tag.objects.bulk_create([Tag(name=f"tag-{place}", topic_count=1) for place in range(TAGS)])


def _texts(sentences: int) -> None:
    """A table of texts with their look and their words, from which posts are made."""
    execute(
        "CREATE UNLOGGED TABLE bench_text "
        "(id int PRIMARY KEY, title text, title_words text, body text, html text, words text)"
    )
    with connection.cursor() as cursor:
        rows = [(place, *text) for place, text in enumerate(wording.texts(TEXTS, sentences))]
        cursor.executemany("INSERT INTO bench_text VALUES (%s, %s, %s, %s, %s, %s)", rows)
    execute("ANALYZE bench_text")


def _topics(topics: int, posts: int, people: int) -> None:
    first_room, first_user = first(Category), first(User, username="reader0")
    with bare(Topic):
        insert(
            Topic,
            f"generate_series(1, {topics}) AS g JOIN bench_text b ON b.id = g % {TEXTS}",
            id="g",
            category_id=f"{first_room} + g % {ROOMS}",
            kind="CASE WHEN g % 3 = 0 THEN 'question' ELSE 'discussion' END",
            title="b.title || ' ' || g",
            author_id=f"{first_user} + g % {people}",
            created_at=f"now() - ({topics} - g) * interval '1 minute'",
            last_number=str(posts),
            comments=str(posts - 1),
            last_post_at=f"now() - ({topics} - g) * interval '10 seconds'",
            last_post_id=f"{(posts - 1) * topics} + g",
            last_poster_id=f"{first_user} + (g + {posts - 1}) % {people}",
            accepted_id=f"CASE WHEN g % 6 = 0 THEN {topics} + g END",
            participants=f"jsonb_build_array({first_user} + g % {people}, {first_user} + (g + 1) % {people}, "
            f"{first_user} + (g + 2) % {people})",
            likes="g % 17",
            views="g % 900",
        )
    with bare(TopicTag):
        insert(
            TopicTag,
            f"generate_series(1, {topics}) AS g",
            topic_id="g",
            tag_id=f"{first(Tag)} + g % {TAGS}",
            last_post_id=f"{(posts - 1) * topics} + g",
        )
    execute("SELECT setval(pg_get_serial_sequence('forum_topic', 'id'), %s)", topics + 1)


def _posts(topics: int, posts: int, people: int) -> None:
    with bare(Post):
        for number in range(1, posts + 1):
            posts_of(
                f"generate_series(1, {topics}) AS g JOIN bench_text b ON b.id = (g * 7 + {number} * 13) % {TEXTS}",
                people,
                id=f"{(number - 1) * topics} + g",
                topic_id="g",
                number=str(number),
                created_at=f"now() - ({(posts - number) * topics} + {topics} - g) * interval '{60 / posts} seconds'",
            )
    execute("SELECT setval(pg_get_serial_sequence('forum_post', 'id'), %s)", topics * posts)


def posts_of(source: str, people: int, **given: str) -> None:
    """Insert posts whose texts are those of `b` in the source, by one of the people after the other."""
    author = f"{first(User, username='reader0')} + (g + {given['number']}) % {people}"
    columns = {"author_id": author, "text": "b.body", "html": "b.html", "renderer": str(rendering.VERSION)}
    insert(Post, source, kind="'comment'", **columns, **given)


def _order(topics: int, posts: int) -> None:
    execute(
        "UPDATE forum_category c SET topic_count = t.n, post_count = t.p FROM (SELECT category_id, count(*) n, "
        "sum(comments + 1) p FROM forum_topic GROUP BY 1) t WHERE t.category_id = c.id"
    )
    execute(f"UPDATE forum_tag SET topic_count = {topics // TAGS}")
    execute("VACUUM ANALYZE")


def index_all() -> None:
    """Make the words from which all posts are found, with the marks of forum/indexing.py."""
    begin = indexing.MARK
    marks = (
        f"'{begin}c' || t.category_id || ' {begin}k' || t.kind || coalesce(' {begin}t' || l.tag_id, '')"
        f" || CASE WHEN t.accepted_id IS NULL THEN '' ELSE ' {indexing.SOLVED}' END || ' {begin}a' || p.author_id"
        f" || ' {begin}x' || p.id / {indexing.FINE} || ' {begin}y' || p.id / {indexing.COARSE}"
    )
    with bare(PostWords):
        insert(
            PostWords,
            f"forum_post p JOIN bench_text b ON b.id = (p.topic_id * 7 + p.number * 13) % {TEXTS} "
            f"JOIN bench_text h ON h.id = p.topic_id % {TEXTS} JOIN forum_topic t ON t.id = p.topic_id "
            "LEFT JOIN forum_topictag l ON l.topic_id = t.id",
            post_id="p.id",
            title=f"CASE WHEN p.number = 1 THEN {marks} || ' ' || h.title_words || ' ' || p.topic_id ELSE '' END",
            words=f"{marks} || CASE WHEN p.number = 1 THEN ' ' || h.title_words || ' ' || p.topic_id ELSE '' END "
            f"|| ' ' || b.words || ' rare' || (p.id % {RARE})",
            rules=str(indexing.RULES),
        )
