"""Topics and posts for measurements, made by the database itself: ten million posts in minutes.

Posts come round by round, one in each topic, so that topics are as interleaved as those of a forum that lives.
"""

import random
import time
from typing import Any

from django.db import connection, models, transaction
from django.utils import timezone

from forum.models import Category, Level, Post, PostWords, Reader, Topic, TopicReader, TopicTag
from forum.models.tags import Tag
from models_hub import rendering
from models_hub.searching import words
from portal.models import Namespace, Notification, User

ROOMS = 8
PEOPLE = 500
TEXTS = 150
TAGS = 30
RARE = 20_000  # different words that a few posts have each
LONG = 80_000  # posts of the long topic, page 4,000 of which is looked at
ENGLISH = (
    "model token layer score table batch small large data train loss step rate head weight value query index label "
    "class export memory speed answer reply error result sample number point accuracy recall vocabulary quantize prune"
).split()
CHINESE = (
    "模型 数据 训练 评测 量化 蒸馏 词表 准确率 召回率 内存 速度 部署 中文 文本 分类 情感 微调 学习率 批次 结果".split()
)


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


def load(topics: int, posts: int, *, searched: bool = True) -> dict[str, float]:
    """Fill an empty forum; returns how long each step took."""
    took: dict[str, float] = {}
    steps = [
        ("people", _people),
        ("texts", _texts),
        ("topics", lambda: _topics(topics, posts)),
        ("posts", lambda: _posts(topics, posts)),
        ("order", lambda: _order(topics, posts)),
    ]
    if searched:
        steps.append(("words", _words))
    for name, step in steps:
        begun = time.monotonic()
        step()
        took[name] = time.monotonic() - begun
        print(f"  {name}: {took[name]:.0f} s", flush=True)
    return took


def _people() -> None:
    with transaction.atomic():
        Category.objects.all().delete()
        for place in range(ROOMS):
            Category.objects.create(slug=f"room-{place}", title_en=f"Room number {place}", title_zh=f"房间 {place}")
        users = User.objects.bulk_create(
            [User(username=f"reader{place}", email=f"r{place}@example.org", password="!") for place in range(PEOPLE)]
        )
        Namespace.objects.bulk_create([Namespace(name=u.username, lower=u.username, user=u) for u in users])
        Tag.objects.bulk_create([Tag(name=f"tag-{place}", topic_count=1) for place in range(TAGS)])


def _texts() -> None:
    """A table of texts with their look and their words, from which posts are made."""
    chance = random.Random(7)
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE UNLOGGED TABLE bench_text (id int PRIMARY KEY, title text, body text, html text, words text)"
        )
        for place in range(TEXTS):
            paragraphs = [_paragraph(chance, place % 2 == 1) for _part in range(chance.randint(1, 4))]
            body = "\n\n".join(paragraphs) + ("\n\n```python\nprint(model(text))\n```" if place % 5 == 0 else "")
            html = rendering.comment_html(body, repo=None, revision="main", pictures=(), links={}) or ""
            title = _paragraph(chance, place % 2 == 1)[:60]
            cursor.execute(
                "INSERT INTO bench_text VALUES (%s, %s, %s, %s, %s)",
                [place, title, body, html, " ".join(words.of(body))],
            )


def _paragraph(chance: random.Random, is_chinese: bool) -> str:
    if is_chinese:
        return "，".join("".join(chance.choices(CHINESE, k=chance.randint(2, 5))) for _part in range(8)) + "。"
    return " ".join(chance.choices(ENGLISH, k=chance.randint(15, 45))).capitalize() + "."


def _topics(topics: int, posts: int) -> None:
    first_room, first_user = _first(Category), _first(User, username="reader0")
    insert(
        Topic,
        f"generate_series(1, {topics}) AS g JOIN bench_text b ON b.id = g % {TEXTS}",
        id="g",
        category_id=f"{first_room} + g % {ROOMS}",
        kind="CASE WHEN g % 3 = 0 THEN 'question' ELSE 'discussion' END",
        title="b.title || ' ' || g",
        author_id=f"{first_user} + g % {PEOPLE}",
        created_at=f"now() - ({topics} - g) * interval '1 minute'",
        last_number=str(posts),
        comments=str(posts - 1),
        last_post_at=f"now() - ({topics} - g) * interval '10 seconds'",
        last_poster_id=f"{first_user} + (g + {posts}) % {PEOPLE}",
        participants=f"jsonb_build_array({first_user} + g % {PEOPLE}, {first_user} + (g + 1) % {PEOPLE}, "
        f"{first_user} + (g + 2) % {PEOPLE})",
        likes="g % 17",
        views="g % 900",
    )
    insert(
        TopicTag,
        f"generate_series(1, {topics}) AS g",
        topic_id="g",
        tag_id=f"{_first(Tag)} + g % {TAGS}",
    )
    with connection.cursor() as cursor:
        cursor.execute("SELECT setval(pg_get_serial_sequence('forum_topic', 'id'), %s)", [topics + 1])


def _posts(topics: int, posts: int) -> None:
    first_user = _first(User, username="reader0")
    for number in range(1, posts + 1):
        insert(
            Post,
            f"generate_series(1, {topics}) AS g JOIN bench_text b ON b.id = (g * 7 + {number} * 13) % {TEXTS}",
            id=f"{(number - 1) * topics} + g",
            topic_id="g",
            number=str(number),
            kind="'comment'",
            author_id=f"{first_user} + (g + {number - 1}) % {PEOPLE}",
            text="b.body",
            html="b.html",
            renderer=str(rendering.VERSION),
            created_at=f"now() - ({posts} - {number}) * interval '1 hour' - ({topics} - g) * interval '10 seconds'",
        )
    with connection.cursor() as cursor:
        cursor.execute("SELECT setval(pg_get_serial_sequence('forum_post', 'id'), %s)", [topics * posts + 1])


def _order(topics: int, posts: int) -> None:
    newest = (posts - 1) * topics
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE forum_topic SET last_post_id = {newest} + id")
        cursor.execute(f"UPDATE forum_topictag SET last_post_id = {newest} + topic_id")
        cursor.execute(
            "UPDATE forum_category c SET topic_count = t.n, post_count = t.p FROM (SELECT category_id, count(*) n, "
            "sum(comments + 1) p FROM forum_topic GROUP BY 1) t WHERE t.category_id = c.id"
        )
        cursor.execute("VACUUM ANALYZE")


def _words() -> None:
    """The index is made after the rows: row by row it would take most of the time."""
    rare = f"' rare' || (p.id % {RARE})"
    with connection.cursor() as cursor:
        cursor.execute("DROP INDEX forum_search_words")
        insert(
            PostWords,
            f"forum_post p JOIN bench_text b ON b.id = (p.topic_id * 7 + p.number * 13) % {TEXTS} "
            "JOIN forum_topic t ON t.id = p.topic_id",
            post_id="p.id",
            title="CASE WHEN p.number = 1 THEN lower(t.title) ELSE '' END",
            words=f"b.words || {rare}",
            rules=str(words.RULES),
        )
        cursor.execute("SET maintenance_work_mem = '1GB'")
        cursor.execute("CREATE INDEX forum_search_words ON forum_postwords USING gin (words_vector)")
        cursor.execute("VACUUM ANALYZE forum_postwords")


def heavy_reader(topics: int, unread: int = 300) -> User:
    """Somebody who has read nearly every topic, follows a thousand of them, and has read some not to their end."""
    user = User.objects.create_user("heavy", "heavy@example.org")
    latest = f"g > {topics} - {unread * 3}"
    insert(
        TopicReader,
        f"generate_series({max(topics // 100, 1)}, {topics}) AS g JOIN forum_topic t ON t.id = g",
        user_id=str(user.pk),
        topic_id="g",
        last_read=f"CASE WHEN {latest} AND g % 3 = 0 THEN 3 ELSE t.last_number END",
        level=f"CASE WHEN {latest} THEN {int(Level.TRACKING)} ELSE {int(Level.NORMAL)} END",
        visited_at="now()",
    )
    Reader.objects.create(user=user, active_at=timezone.now())
    insert(
        Notification,
        "generate_series(1, 2000) AS g",
        user_id=str(user.pk),
        kind="'reply'",
        keys="jsonb_build_array('post:' || g)",
        actors="'[]'::jsonb",
        data="'{}'::jsonb",
        read_at="CASE WHEN g > 1900 THEN NULL ELSE now() END",
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE forum_topicreader")
        cursor.execute("ANALYZE portal_notification")
    return user


def long_topic(topics: int) -> int:
    """Add a topic that has gone on for years; returns its id."""
    author, pk = _first(User, username="reader0"), topics + 1
    room = Category.objects.order_by("pk").first()
    Topic.objects.create(pk=pk, category=room, title="The long topic", author_id=author, last_number=LONG)
    insert(
        Post,
        f"generate_series(1, {LONG}) AS g JOIN bench_text b ON b.id = g % {TEXTS}",
        topic_id=str(pk),
        number="g",
        kind="'comment'",
        author_id=f"{author} + g % {PEOPLE}",
        text="b.body",
        html="b.html",
        renderer=str(rendering.VERSION),
        created_at=f"now() - ({LONG} - g) * interval '1 minute'",
    )
    last = Post.objects.filter(topic=pk).latest("number")
    Topic.objects.filter(pk=pk).update(comments=LONG - 1, last_post=last)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE forum_post")
    return pk


def watch(topic: int, watchers: int) -> None:
    """Let many people watch a topic."""
    now = timezone.now()
    users = User.objects.bulk_create(
        [User(username=f"watcher{n}", email="", password="!", date_joined=now) for n in range(watchers)],
        batch_size=5000,
    )
    rows = [TopicReader(user=user, topic_id=topic, level=Level.WATCHING) for user in users]
    TopicReader.objects.bulk_create(rows, batch_size=5000)


def _first(model: type[models.Model], **found: str) -> int:
    return int(model._default_manager.filter(**found).order_by("pk").values_list("pk", flat=True)[0])
