"""What millions of posts come with: a topic that goes on for years, what people have read, and their inboxes."""

from django.utils import timezone

from benchmarks.forum.stock import TEXTS, bare, execute, first, index_all, insert, load, posts_of, timed
from forum.models import Category, Level, Reader, Topic, TopicReader
from portal.models import Notification, User

PEOPLE = 20_000
LONG = 100_000  # posts of the long topic
READERS, READ = 500, 3_000  # people, and topics that each has read, fewer than there are
INBOXES = 5_000_000  # rows of all inboxes together
TRACKED = 1_000
UNREAD = 300  # topics that the heavy reader follows and has not read to their end


def load_deep(topics: int, posts: int) -> None:
    """Fill an empty forum with all that must not slow it down."""
    load(topics, posts, people=PEOPLE, deep=True)
    timed("the long topic", lambda: _long_topic(topics, posts))
    timed("words", index_all)
    timed("what people have read", lambda: _marks(topics))
    timed("inboxes", lambda: _inboxes(topics * posts))
    execute("CHECKPOINT")


def long_topic() -> Topic:
    return Topic.objects.select_related("category").latest("last_number")


def _long_topic(topics: int, posts: int) -> None:
    pk, newest = topics + 1, topics * posts
    room = Category.objects.order_by("pk").first()
    author = first(User, username="reader0")
    Topic.objects.create(pk=pk, category=room, title="The long topic", author_id=author, last_number=LONG)
    execute("SET session_replication_role = replica")  # no look at each key
    posts_of(
        f"generate_series(1, {LONG}) AS g JOIN bench_text b ON b.id = ({pk} * 7 + g * 13) % {TEXTS}",
        PEOPLE,
        id=f"{newest} + g",
        topic_id=str(pk),
        number="g",
        created_at=f"now() - ({LONG} - g) * interval '10 milliseconds'",
    )
    execute("SET session_replication_role = DEFAULT")
    execute("SELECT setval(pg_get_serial_sequence('forum_post', 'id'), %s)", newest + LONG)
    Topic.objects.filter(pk=pk).update(comments=LONG - 1, last_post=newest + LONG)
    execute("ANALYZE forum_post")


def _marks(topics: int) -> None:
    """What many have read of a few thousand topics, one of nearly all, and one of a thousand that are followed."""
    heavy, tracker = (User.objects.create_user(name, f"{name}@example.org") for name in ("heavy", "tracker"))
    latest = f"g > {topics} - {UNREAD * 3}"
    with bare(TopicReader):
        insert(
            TopicReader,
            f"generate_series(0, {READERS - 1}) AS u, generate_series(1, {min(READ, topics)}) AS k",
            user_id=f"{first(User, username='reader0')} + u",
            topic_id=f"1 + (u * 997 + k * 163) % {topics}",
            last_read="1 + k % 20",
            level="CASE WHEN k % 50 = 0 THEN 3 WHEN k % 10 = 0 THEN 2 ELSE 1 END",
            visited_at="now()",
        )
        insert(
            TopicReader,
            f"generate_series({max(topics // 100, 1)}, {topics}) AS g JOIN forum_topic t ON t.id = g",
            user_id=str(heavy.pk),
            topic_id="g",
            last_read=f"CASE WHEN {latest} AND g % 3 = 0 THEN 3 ELSE t.last_number END",
            level=str(int(Level.TRACKING)),
            visited_at="now()",
        )
        insert(
            TopicReader,
            f"generate_series(1, {min(TRACKED, topics)}) AS k",
            user_id=str(tracker.pk),
            topic_id=f"1 + (k * 499) % {topics}",
            last_read="CASE WHEN k % 3 = 0 THEN 3 ELSE 20 END",
            level=str(int(Level.TRACKING)),
            visited_at="now()",
        )
    Reader.objects.bulk_create([Reader(user=user, active_at=timezone.now()) for user in (heavy, tracker)])


def _inboxes(posts: int) -> None:
    """Rows of everybody, and as many for the heavy reader as are kept."""
    somebody = first(User, username="reader0")
    heavy = first(User, username="heavy")
    with bare(Notification):
        for user, rows, apart in ((f"{somebody} + g % {PEOPLE}", INBOXES, 1), (str(heavy), 2_000, 41)):
            insert(
                Notification,
                f"generate_series(1, {rows}) AS g JOIN forum_post p ON p.id = {posts} - g * {apart}",
                user_id=user,
                kind="CASE WHEN g % 4 = 0 THEN 'reaction' ELSE 'reply' END",
                keys="jsonb_build_array('post:' || p.id)",
                place="'topic:' || p.topic_id",
                group="'reply:post:' || p.id",
                actors=f"jsonb_build_array({somebody} + g % 997, {somebody} + g % 499)",
                data="jsonb_build_object('number', p.number)",
                created_at=f"now() - ({rows} - g) * interval '{180 * 86_400 // rows or 1} seconds'",
                read_at="CASE WHEN g % 20 = 0 THEN NULL ELSE now() END",
            )
    User.objects.filter(pk=heavy).update(unread=None)
