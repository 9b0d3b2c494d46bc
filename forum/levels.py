"""How much each reader wants to hear of a topic or of a whole category, and of whom the reader wants to hear nothing.

A level that was set for a topic counts before its category's; NORMAL, which every topic has at first, says nothing.
"""

from django.db.models import Case, F, PositiveIntegerField, PositiveSmallIntegerField, Q, QuerySet, Value, When
from django.db.models.functions import Greatest, Least
from django.utils import timezone
from django.utils.translation import gettext as _

from forum.models import LISTED, Category, CategoryReader, Ignoring, Level, Post, Reader, Topic, TopicReader
from portal.errors import InvalidInput
from portal.models import Asker, User

MAX_IGNORED = 1000


def checked_level(text: str) -> Level:
    """Return the level of this number; raises InvalidInput."""
    if text not in {str(level.value) for level in Level}:
        raise InvalidInput(_("Choose one of the levels."))
    return Level(int(text))


def set_level(place: Topic | Category, reader: User, level: Level) -> None:
    """Let the reader hear so much of a topic or a category from now on."""
    if isinstance(place, Topic):
        _set_of_topic(place, reader, level)
    else:
        _set_of_category(place, reader, level)


def level_of(topic: Topic, reader: Asker) -> Level:
    """Return the level that counts for a topic, in at most two queries."""
    if not reader.is_authenticated:
        return Level.NORMAL
    own = TopicReader.objects.filter(user=reader, topic=topic).values_list("level", flat=True).first()
    if own is not None and own != Level.NORMAL:
        return Level(own)
    whole = CategoryReader.objects.filter(user=reader, category=topic.category_id or 0)
    return Level(whole.values_list("level", flat=True).first() or (Level.NORMAL if own is None else own))


def watchers(topic: Topic) -> QuerySet[User, int]:
    """Return the ids of those who want to hear of every post: by the topic, or by its category and not muted here."""
    by_topic = TopicReader.objects.filter(topic=topic, level=Level.WATCHING)
    chosen = Q(pk__in=by_topic.values("user"))
    if topic.category_id is not None:
        others = TopicReader.objects.filter(topic=topic).exclude(level__in=(Level.NORMAL, Level.WATCHING))
        whole = CategoryReader.objects.filter(category=topic.category_id, level=Level.WATCHING)
        chosen |= Q(pk__in=whole.values("user")) & ~Q(pk__in=others.values("user"))
    return User.objects.filter(chosen, is_active=True).values_list("pk", flat=True)


def note_posted(topic: Topic, *, by: User, number: int) -> None:
    """Whoever posts has read so far, watches topics of the own and tracks those of others, unless muted.

    In the transaction of the post.
    """
    least = Level.WATCHING if number == 1 else Level.TRACKING
    rows = TopicReader.objects.filter(user=by, topic=topic)
    small = PositiveSmallIntegerField()
    raised = Greatest("level", Value(int(least)), output_field=small)
    kept = Case(When(level=Level.MUTED, then=Value(int(Level.MUTED))), default=raised, output_field=small)
    if not rows.update(
        last_read=Greatest("last_read", Value(number), output_field=PositiveIntegerField()),
        level=kept,
        visited_at=timezone.now(),
    ):
        row = TopicReader(user=by, topic=topic, last_read=number, level=least, visited_at=timezone.now())
        TopicReader.objects.bulk_create([row], ignore_conflicts=True)


def pass_over(topic: Topic, number: int) -> None:
    """Let a post that is no news, a note of moderators or what waits to be let in, make nothing unread."""
    TopicReader.objects.filter(topic=topic, last_read=number - 1).update(last_read=number)


def come_back_to(post: Post) -> None:
    """Let a post that was just let in be unread, where it is the last one of its topic."""
    if post.number == Topic.objects.values_list("last_number", flat=True).get(pk=post.topic_id):
        rows = TopicReader.objects.filter(topic=post.topic_id, last_read=post.number).exclude(user=post.author_id)
        rows.update(last_read=post.number - 1)


def lower_floors(*topics: int) -> None:
    """Let those who follow these topics find them among what is unread, though their last posts are old ones.

    For what comes back, or to another place, in the transaction that brings it there.
    """
    rows = Topic.objects.filter(LISTED, pk__in=topics, last_post__isnull=False)
    for topic, category, last_post in rows.values_list("pk", "category", "last_post"):
        own = TopicReader.objects.filter(topic=topic, level__gte=Level.TRACKING)
        whole = CategoryReader.objects.filter(category=category, level__gte=Level.TRACKING)
        followers = Q(user__in=own.values("user")) | Q(user__in=whole.values("user"))
        Reader.objects.filter(followers, unread_floor__gte=last_post).update(unread_floor=last_post - 1)


def ignore(other: User, *, by: User) -> None:
    """Fold what the other says from now on; a second call changes nothing."""
    if other.pk == by.pk:
        raise InvalidInput(_("You cannot ignore yourself."))
    if Ignoring.objects.filter(user=by).count() >= MAX_IGNORED:
        raise InvalidInput(_("You may ignore at most %(max)d people.") % {"max": MAX_IGNORED})
    Ignoring.objects.get_or_create(user=by, ignored=other)


def heed(other: User, *, by: User) -> None:
    """Ignore the other no longer."""
    Ignoring.objects.filter(user=by, ignored=other).delete()


def ignored_by(reader: Asker) -> set[int]:
    """Return the ids of those whom the reader ignores."""
    if not reader.is_authenticated:
        return set()
    return set(Ignoring.objects.filter(user=reader).values_list("ignored", flat=True))


def _set_of_topic(topic: Topic, reader: User, level: Level) -> None:
    TopicReader.objects.bulk_create(
        [TopicReader(user=reader, topic=topic, level=level)],
        update_conflicts=True,
        unique_fields=("user", "topic"),
        update_fields=("level",),
    )
    if level != Level.MUTED and topic.last_post_id is not None:
        # It may be older than all that was unread before.
        Reader.objects.filter(user=reader).update(unread_floor=Least("unread_floor", Value(topic.last_post_id - 1)))


def _set_of_category(category: Category, reader: User, level: Level) -> None:
    """Whoever begins to follow a category has nothing of years ago to catch up with."""
    row, _created = CategoryReader.objects.get_or_create(user=reader, category=category)
    begins = level >= Level.TRACKING > row.level
    floor = Greatest(F("read_floor"), Value(newest_in(category))) if begins else F("read_floor")
    CategoryReader.objects.filter(pk=row.pk).update(level=level, read_floor=floor)


def newest_in(category: Category | None = None) -> int:
    """Return the id of the newest post of a category, or of the forum; 0 for none."""
    topics = (
        Topic.objects.filter(LISTED) if category is None else Topic.objects.filter(LISTED).filter(category=category)
    )
    newest = topics.order_by(F("last_post").desc(nulls_last=True)).values_list("last_post", flat=True).first()
    return newest or 0
