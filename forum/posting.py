"""How a post comes into its topic: numbered under the topic's lock, its text checked before and rendered once."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.db.models import F
from django.utils import timezone
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _

from forum import attaching, counting, levels, naming
from forum.models import Post, Topic
from models_hub import rendering
from models_hub.checking import is_text
from models_hub.models import DEFAULT_BRANCH, Repo
from portal import trust
from portal.errors import InvalidInput
from portal.models import Asker, TrustLevel, User

MAX_TEXT = 65_536
MAX_MENTIONS = 10
# Of the texts that could not be rendered when they were written, a page tries again so many.
RETRIES = 3
# What the renderer says of all links: search engines shall not follow them. They may those of people of level 3.
_UNFOLLOWED = re.compile(r'(<a\b[^<>]*) rel="nofollow noopener"')


@dataclass(frozen=True)
class Written:
    """A checked text and how it looks; `renderer` is 0 where it is shown plain for now. People are named by id."""

    text: str
    html: str
    renderer: int
    mentions: tuple[int, ...] = ()
    quotes: tuple[int, ...] = ()


def checked_text(text: str) -> str:
    """Return the text of a comment; raises InvalidInput."""
    text = text.strip().replace("\r\n", "\n")  # browsers send the former, programs the latter
    if not text:
        raise InvalidInput(_("Write something first."))
    if len(text) > MAX_TEXT or not is_text(text):
        raise InvalidInput(_("A comment may have at most %(max)d characters, and only text.") % {"max": MAX_TEXT})
    return text


def written(repo: Repo | None, text: str, *, by: Asker | None = None) -> Written:
    """Return a text of `by` with its look. Takes long for hostile ones: never inside a transaction."""
    if not text:
        return Written("", "", rendering.VERSION)
    named = naming.named_in(text, by=by or AnonymousUser(), repo=repo)
    if len(named.mentions) > MAX_MENTIONS and len(naming.called_in(text)) > MAX_MENTIONS:
        raise InvalidInput(_("A post may call at most %(max)d people.") % {"max": MAX_MENTIONS})
    pictures = attaching.known(text)
    html = rendering.comment_html(text, repo=repo, revision=DEFAULT_BRANCH, pictures=pictures, links=named.links)
    if html is None:
        return Written(text, "", 0, named.mentions, named.quotes)
    if by is not None and trust.level(by) >= TrustLevel.REGULAR:
        html = mark_safe(_UNFOLLOWED.sub(r'\1 rel="noopener"', html))  # noqa: S308 - cleaned by the child
    return Written(text, html, rendering.VERSION, named.mentions, named.quotes)


def append(
    topic: Topic,
    *,
    by: User | None,
    kind: str = Post.Kind.COMMENT,
    text: Written | None = None,
    data: dict[str, Any] | None = None,
    reply_to: Post | None = None,
    held: bool = False,
) -> Post:
    """Add a post to the topic, in the caller's transaction; the topic's row stays locked until its end."""
    row = Topic.objects.filter(pk=topic.pk)
    row.update(last_number=F("last_number") + 1)
    topic.last_number = row.values_list("last_number", flat=True).get()
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
        reply_to=reply_to,
        held_at=timezone.now() if held else None,
    )
    if not held:
        counting.count_post(topic, post)
    if held or not counting.is_bump(post):
        levels.pass_over(topic, post.number)
    attaching.note_shown(post)
    if by is not None and kind == Post.Kind.COMMENT:
        levels.note_posted(topic, by=by, number=post.number)
    return post


def facts(post: Post, text: Written | None = None) -> dict[str, Any]:
    """Return what an event says of a post: where it is, whose it is, whom it names and answers."""
    return {
        "post": post.pk,
        "post_number": post.number,
        "author": post.author_id,
        "mentions": list(text.mentions) if text else [],
        "quotes": list(text.quotes) if text else [],
        "replied": post.reply_to.author_id if post.reply_to else None,
    }


def render_again(repo: Repo | None, posts: Sequence[Post]) -> None:
    """Give posts their look that have none, or one of an older renderer; few at a time, since each takes a while."""
    stale = [post for post in posts if post.text and post.renderer != rendering.VERSION]
    for post in stale[:RETRIES]:
        look = written(repo, post.text, by=post.author)
        if look.renderer:
            post.html, post.renderer = look.html, look.renderer
            post.save(update_fields=("html", "renderer"))
