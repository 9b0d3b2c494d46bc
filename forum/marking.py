"""What readers put on posts and keep of them: reactions and bookmarks."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from forum import permissions
from forum.models import Bookmark, Post, Reaction, Topic
from portal.errors import Conflict, InvalidInput, NotAllowed
from portal.models import Asker, Event, User

MAX_BOOKMARKS = 5000


@dataclass(frozen=True)
class Marks:
    """What one reader has put on the posts of a page, by post."""

    reactions: dict[int, set[str]] = field(default_factory=dict)
    bookmarks: dict[int, Bookmark] = field(default_factory=dict)


def marks_of(posts: Collection[Post], reader: Asker) -> Marks:
    """Return what a reader has put on these posts, in two queries."""
    if not reader.is_authenticated or not posts:
        return Marks()
    here = [post.pk for post in posts]
    reactions: dict[int, set[str]] = {}
    for pk, kind in Reaction.objects.filter(post__in=here, user=reader).values_list("post", "kind"):
        reactions.setdefault(pk, set()).add(kind)
    kept = Bookmark.objects.filter(post__in=here, user=reader)
    return Marks(reactions, {one.post_id: one for one in kept})


def react(post: Post, *, by: Asker, kind: str) -> None:
    """Put a reaction on somebody else's post; a second time does nothing."""
    user = _reactor(post, by, kind)
    if post.author_id == user.pk:
        raise NotAllowed(_("Reactions are for the posts of others."))
    _change(post, user, kind, there=True)


def unreact(post: Post, *, by: Asker, kind: str) -> None:
    """Take a reaction back."""
    _change(post, _reactor(post, by, kind), kind, there=False)


def keep(post: Post, *, by: Asker, note: str = "", remind_at: datetime | None = None) -> Bookmark:
    """Bookmark a post, or change what was noted with it."""
    user, note = permissions.require_member(by), " ".join(note.split())
    if len(note) > 200:
        raise InvalidInput(_("A note has at most %(max)d characters.") % {"max": 200})
    if remind_at is not None and remind_at <= timezone.now():
        raise InvalidInput(_("The reminder must be in the future."))
    if Bookmark.objects.filter(user=user).count() >= MAX_BOOKMARKS:
        raise Conflict(_("You have %(max)d bookmarks. Remove some first.") % {"max": MAX_BOOKMARKS})
    values = {"note": note, "remind_at": remind_at}
    row, _created = Bookmark.objects.update_or_create(user=user, post=post, defaults=values)
    return row


def forget(post: Post, *, by: Asker) -> None:
    """Remove a bookmark."""
    Bookmark.objects.filter(user=permissions.require_member(by), post=post).delete()


def _reactor(post: Post, by: Asker, kind: str) -> User:
    user = permissions.require_participant(by, post.topic)
    if kind not in Reaction.Kind.values:
        raise InvalidInput(_("There is no such reaction."))
    if post.is_hidden or post.held_at is not None:
        raise Conflict(_("This post is not shown."))
    return user


def _change(post: Post, user: User, kind: str, *, there: bool) -> None:
    """Let a person's reaction be there or not, with the counts of the post and its topic."""
    with transaction.atomic():
        topic = Topic.objects.select_for_update().filter(pk=post.topic_id)
        topic.get()
        mine = Reaction.objects.filter(post=post, user=user, kind=kind)
        if mine.exists() == there:
            return
        if there:
            Reaction.objects.create(post=post, user=user, kind=kind)
        else:
            mine.delete()
        step = 1 if there else -1
        now = Post.objects.select_for_update().get(pk=post.pk)
        counts = {**now.reactions, kind: now.reactions.get(kind, 0) + step}
        post.reactions = {name: count for name, count in counts.items() if count > 0}
        Post.objects.filter(pk=post.pk).update(reactions=post.reactions)
        if kind == Reaction.Kind.LIKE:
            topic.update(likes=F("likes") + step)
        Event.record(
            "post.reacted" if there else "post.unreacted",
            subject=f"topic:{post.topic_id}",
            by=user,
            post=post.pk,
            topic=post.topic_id,
            author=post.author_id,
            reaction=kind,
        )
