"""What waits for a look, and what watched words are in it, comes before moderators; restricted models leave boards."""

from django.utils.translation import gettext_noop

from forum import opening
from forum.models import Post
from portal import moderating, watched_words
from portal.errors import DomainError
from portal.models import Event, Reason, WatchedWord
from worker.consumers import search_words

WATCHED = gettext_noop("A watched word is in it.")
HELD = ("topic.held", "discussion.held")
COMMENT_HELD = ("topic.comment_held", "discussion.comment_held")
WRITTEN = tuple(f"{where}.{what}" for where in ("topic", "discussion") for what in ("opened", "commented", "edited"))


def hold(event: Event) -> None:
    """Put what waits on the list of moderators."""
    post = _post_of(event)
    if post is None:
        return
    about = f"topic:{post.topic_id}" if event.kind in HELD else f"post:{post.pk}"
    is_waiting = post.topic.held_at if event.kind in HELD else post.held_at
    if is_waiting and not moderating.is_held(about):
        moderating.hold(about, why=str(event.payload.get("why") or ""))


def look(event: Event) -> None:
    """Report a post for the watched words that ask for it, once, and tag its topic for those that give a tag."""
    post = _post_of(event)
    if post is None or (post.author is not None and post.author.is_staff):
        return
    words = [hit.word for hit in watched_words.current().find(f"{post.topic.title}\n{post.text}")]
    flagged = sorted({word.word for word in words if word.action == WatchedWord.Action.FLAG})
    if flagged and not moderating.is_reported_by_rule(f"post:{post.pk}"):
        try:
            moderating.report_by_rule(
                f"post:{post.pk}", reason=Reason.OTHER, text=WATCHED, data={"words": ", ".join(flagged)}
            )
        except DomainError:  # gone meanwhile
            return
    tags = sorted({word.value.lower()[:40] for word in words if word.action == WatchedWord.Action.TAG})
    if tags and post.number == 1 and post.topic.category_id:
        opening.add_tags(post.topic, tags)
        search_words.mark_topic(post.topic_id, event)


def _post_of(event: Event) -> Post | None:
    pk = event.payload.get("post") or event.payload.get("comment")
    return Post.objects.filter(pk=pk).select_related("topic", "author").first() if isinstance(pk, int) else None
