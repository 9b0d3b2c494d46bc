"""What of the forum belongs to people: see portal/belongings.py."""

from collections.abc import Sequence

from django.db.models import F
from django.utils.translation import gettext_lazy

from forum import indexing, recounting
from forum.models import (
    CategoryReader,
    Draft,
    Level,
    Poll,
    PollOption,
    PollVote,
    Post,
    Reaction,
    Reader,
    Steward,
    TopicReader,
)
from portal import belongings
from portal.belongings import moved, signed


def register() -> None:
    belongings.register(
        *signed("forum.Topic.author", title=gettext_lazy("Topics")),
        *signed("forum.Topic.last_poster"),
        *signed("forum.Post.author", title=gettext_lazy("Posts"), changed=_count_posts),
        *signed("forum.Post.edited_by", "forum.Post.hidden_by", "forum.PostVersion.author"),
        *signed("forum.Attachment.owner", "forum.Steward.appointed_by", "forum.Article.accepted_by"),
        *moved("forum.Reaction.user", title=gettext_lazy("Reactions"), changed=_count_reactions),
        *moved("forum.Bookmark.user", title=gettext_lazy("Bookmarks")),
        *moved("forum.Draft.user", title=gettext_lazy("Drafts"), join=_join_draft),
        *moved("forum.PollVote.user", mover=_move_votes, changed=_count_votes),
        *moved("forum.TopicReader.user", join=_join_reading),
        *moved("forum.CategoryReader.user", join=_join_category),
        *moved("forum.Reader.user", join=_join_reader, also=lambda _person: {"unread_floor": 0}),
        *moved("forum.Ignoring.user", unwanted=lambda row, target: row.ignored_id == target),
        *moved("forum.Ignoring.ignored", unwanted=lambda row, target: row.user_id == target),
        *moved("forum.Steward.user", join=_join_steward),
    )


def _count_posts(posts: Sequence[Post]) -> None:
    """Who takes part in topics is other people now, who are found by their posts; nobody reacts to the own ones."""
    rows = Reaction.objects.filter(post__in=[post.pk for post in posts], user=F("post__author"))
    own = set(rows.values_list("post_id", flat=True))
    rows.delete()
    recounting.mend(Post, own)
    recounting.mend_topics(sorted({post.topic_id for post in posts}))
    indexing.index([post.pk for post in posts])


def _count_reactions(reactions: Sequence[Reaction]) -> None:
    posts = {row.post_id for row in reactions}
    Reaction.objects.filter(post__in=posts, user=F("post__author")).delete()
    recounting.mend(Post, posts)
    topics = Post.objects.filter(pk__in=posts).values_list("topic_id", flat=True)
    recounting.mend_topics(sorted(set(topics)))


def _move_votes(source: int, target: int) -> int:
    """Hand over what was chosen in one poll; where the other has voted too, that vote counts."""
    poll = PollVote.objects.filter(user=source).order_by("pk").values_list("option__poll", flat=True).first()
    if poll is None:
        return 0
    votes = PollVote.objects.filter(user=source, option__poll=poll)
    if PollVote.objects.filter(user=target, option__poll=poll).exists():
        count = votes.delete()[0]
    else:
        count = votes.update(user=target)
    _mend_polls([poll])
    return count


def _count_votes(votes: Sequence[PollVote]) -> None:
    options = PollOption.objects.filter(pk__in={vote.option_id for vote in votes})
    _mend_polls(sorted(set(options.values_list("poll_id", flat=True))))


def _mend_polls(polls: Sequence[int]) -> None:
    recounting.mend(PollOption, PollOption.objects.filter(poll__in=polls).values_list("pk", flat=True))
    recounting.mend(Poll, polls)


def _join_draft(row: Draft, twin: Draft) -> None:
    """Nothing that was typed is lost: the older text stands below the newer one."""
    first, second = (row, twin) if row.updated_at > twin.updated_at else (twin, row)
    twin.title, twin.data = first.title or second.title, first.data or second.data
    twin.text = "\n\n".join(text for text in (first.text, second.text) if text)
    twin.sequence = max(row.sequence, twin.sequence) + 1
    twin.save(update_fields=("title", "data", "text", "sequence"))


def _join_reading(row: TopicReader, twin: TopicReader) -> None:
    """What either has read is read; what either chose counts before nothing chosen, and of two choices the louder."""
    twin.last_read = max(row.last_read, twin.last_read)
    twin.level = _louder(row.level, twin.level)
    twin.visited_at = max((at for at in (row.visited_at, twin.visited_at) if at), default=None)
    twin.save(update_fields=("last_read", "level", "visited_at"))


def _join_category(row: CategoryReader, twin: CategoryReader) -> None:
    twin.level, twin.read_floor = _louder(row.level, twin.level), max(row.read_floor, twin.read_floor)
    twin.save(update_fields=("level", "read_floor"))


def _louder(one: int, other: int) -> int:
    chosen = [level for level in (one, other) if level != Level.NORMAL]
    return max(chosen, default=int(Level.NORMAL))


def _join_reader(row: Reader, twin: Reader) -> None:
    twin.seen_at = max((at for at in (row.seen_at, twin.seen_at) if at), default=None)
    twin.active_at = max((at for at in (row.active_at, twin.active_at) if at), default=None)
    twin.unread_floor = 0  # older topics are followed now; the upkeep lifts it again
    twin.save(update_fields=("seen_at", "active_at", "unread_floor"))


def _join_steward(row: Steward, twin: Steward) -> None:
    twin.until = max(row.until, twin.until)
    twin.save(update_fields=("until",))
