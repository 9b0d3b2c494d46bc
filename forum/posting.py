"""How a post comes into its topic: numbered under the topic's lock, its text checked before and rendered once."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from forum import attaching
from forum.models import Post, Topic
from models_hub import rendering
from models_hub.checking import is_text
from models_hub.models import DEFAULT_BRANCH, Repo
from portal.errors import InvalidInput
from portal.models import User

MAX_TEXT = 65_536
# Of the texts that could not be rendered when they were written, a page tries again so many.
RETRIES = 3


@dataclass(frozen=True)
class Written:
    """A checked text and how it looks; `renderer` is 0 where it is shown plain for now."""

    text: str
    html: str
    renderer: int


def checked_text(text: str) -> str:
    """Return the text of a comment; raises InvalidInput."""
    text = text.strip()
    if not text:
        raise InvalidInput(_("Write something first."))
    if len(text) > MAX_TEXT or not is_text(text):
        raise InvalidInput(_("A comment may have at most %(max)d characters, and only text.") % {"max": MAX_TEXT})
    return text


def written(repo: Repo | None, text: str) -> Written:
    """Return a text with its look. Takes long for hostile ones: never inside a transaction."""
    pictures = attaching.known(text)
    html = rendering.comment_html(text, repo=repo, revision=DEFAULT_BRANCH, pictures=pictures) if text else ""
    if html is None:
        return Written(text, "", 0)
    return Written(text, html, rendering.VERSION)


def append(
    topic: Topic,
    *,
    by: User | None,
    kind: str = Post.Kind.COMMENT,
    text: Written | None = None,
    data: dict[str, Any] | None = None,
) -> Post:
    """Add a post to the topic, in the caller's transaction; the topic's row stays locked until its end."""
    opening = topic.last_number == 0
    counted = 1 if kind == Post.Kind.COMMENT and not opening else 0
    now = timezone.now()
    row = Topic.objects.filter(pk=topic.pk)
    row.update(last_number=F("last_number") + 1, comments=F("comments") + counted, last_post_at=now)
    topic.last_number, topic.comments = row.values_list("last_number", "comments").get()
    look = text or Written("", "", rendering.VERSION)
    post = Post.objects.create(
        topic=topic,
        number=topic.last_number,
        kind=kind,
        author=by,
        text=look.text,
        html=look.html,
        renderer=look.renderer,
        data=data or {},
    )
    attaching.note_shown(post)
    return post


def render_again(repo: Repo | None, posts: Sequence[Post]) -> None:
    """Give posts their look that have none, or one of an older renderer; few at a time, since each takes a while."""
    stale = [post for post in posts if post.text and post.renderer != rendering.VERSION]
    for post in stale[:RETRIES]:
        look = written(repo, post.text)
        if look.renderer:
            post.html, post.renderer = look.html, look.renderer
            post.save(update_fields=("html", "renderer"))
