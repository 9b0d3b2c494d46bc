"""What a reader can do with posts of a repository's discussion, as the bar under each of them reads it."""

from collections.abc import Sequence
from typing import NamedTuple

from forum import marking, mending, permissions
from forum.models import Post, Reaction, Topic
from portal.models import Asker, User


class Acts(NamedTuple):
    """What one reader may do with a post; the names are those of topic_pages.Shown."""

    pk: int
    number: int
    reactions: tuple[tuple[str, str, int, bool], ...]
    is_mine: bool
    is_kept: bool
    is_hidden: bool
    is_accepted: bool
    is_edited: bool
    may_edit: bool
    may_mend: bool
    may_hide: bool
    may_accept: bool
    may_moderate: bool
    is_guest: bool
    of_repo: bool


def acts_of(posts: Sequence[Post], reader: Asker) -> list[Acts]:
    """Return for each post of one topic what the reader may do; three queries."""
    marks = marking.marks_of(posts, reader)
    topic = posts[0].topic if posts else None
    moderates = topic is not None and isinstance(reader, User) and permissions.can_moderate(reader, topic)
    return [_acts(post, reader, marks, moderates=moderates) for post in posts]


def _acts(post: Post, reader: Asker, marks: marking.Marks, *, moderates: bool) -> Acts:
    mine, topic = marks.reactions.get(post.pk, set()), post.topic
    is_mine = reader.pk is not None and post.author_id == reader.pk
    shown = post.is_comment and not post.is_hidden
    chooses = moderates or (reader.pk is not None and topic.author_id == reader.pk)
    return Acts(
        pk=post.pk,
        number=post.number,
        reactions=tuple(
            (kind, str(label), post.reactions[kind], kind in mine)
            for kind, label in Reaction.Kind.choices
            if post.reactions.get(kind)
        ),
        is_mine=is_mine,
        is_kept=post.pk in marks.bookmarks,
        is_hidden=post.is_hidden,
        is_accepted=topic.accepted_id == post.pk,
        is_edited=post.edited_at is not None,
        may_edit=is_mine and shown,
        may_mend=mending.may_mend(post, reader),
        may_hide=(is_mine or moderates) and shown,
        may_accept=chooses and topic.kind == Topic.Kind.QUESTION and shown and post.number > 1,
        may_moderate=moderates,
        is_guest=not reader.is_authenticated,
        of_repo=topic.repo_id is not None,
    )
