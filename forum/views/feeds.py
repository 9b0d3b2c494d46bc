"""Atom feeds: of the forum, a category, a tag, a topic, a person. They hold what everybody may see."""

from collections.abc import Sequence
from datetime import UTC, datetime

from django.contrib.auth.models import AnonymousUser
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.feedgenerator import Atom1Feed
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from forum import boards, feeds, showing
from forum.models import Category, Post, Topic
from portal.context import site_address
from portal.models import User

# When a feed without items last changed: it never did, and what changed at each look could not be cached.
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)
_short = cache_control(public=True, max_age=60)
# What XML cannot hold, although posts can.
_NO_XML = dict.fromkeys(code for code in range(32) if code not in (9, 10, 13)) | {0xFFFE: None, 0xFFFF: None}


@require_safe
@_short
def latest(request: HttpRequest) -> HttpResponse:
    """The newest topics."""
    return _feed(request, _("Latest topics"), "/forum/latest", feeds.newest(Topic.objects.all()))


@require_safe
@_short
def category(request: HttpRequest, slug: str) -> HttpResponse:
    """The newest topics of a category that everybody may read."""
    room = get_object_or_404(Category, slug=slug, pk__in=feeds.rooms())
    return _feed(request, room.title, room.path, feeds.newest(Topic.objects.filter(category=room)))


@require_safe
@_short
def tag(request: HttpRequest, name: str) -> HttpResponse:
    """The newest topics that bear a tag."""
    found = boards.tag(name, AnonymousUser())
    topics = Topic.objects.filter(tag_links__tag=found)
    return _feed(request, f"#{found.name}", f"/forum/tags/{found.name}", feeds.newest(topics))


@require_safe
@_short
def topic(request: HttpRequest, pk: str) -> HttpResponse:
    """The newest posts of a topic."""
    posts = feeds.of_topic(int(pk))
    if not posts:
        raise Http404
    return _feed(request, posts[0].topic.title, posts[0].topic.path, posts)


@require_safe
@_short
def author(request: HttpRequest, name: str) -> HttpResponse:
    """The newest posts of a person in the forum."""
    person = get_object_or_404(User.objects.named(name), is_active=True)
    return _feed(request, person.display_name, f"/{person.username}", feeds.of_author(person))


@require_safe
@_short
def articles(request: HttpRequest) -> HttpResponse:
    """The newest articles that were let in."""
    found = Topic.objects.filter(kind=Topic.Kind.ARTICLE, category__reviews_articles=True)
    return _feed(request, _("Articles of the community"), "/learn/articles", feeds.newest(found))


class _Feed(Atom1Feed):
    """A feed that is the same as long as its items are."""

    def latest_post_date(self) -> datetime:
        return super().latest_post_date() if self.items else _NEVER


def _feed(request: HttpRequest, title: str, path: str, posts: Sequence[Post]) -> HttpResponse:
    base = site_address(request)
    atom = _Feed(title=_clean(title), link=base + path, description="", feed_url=base + request.path)
    for post in posts:
        name = post.author.username if post.author else _("a deleted account")
        atom.add_item(
            title=_clean(post.topic.title),
            link=base + post.path,
            unique_id=f"{base}/forum/t/{post.topic_id}#post-{post.number}",
            description=_clean(showing.plain(post.html) if post.renderer else ""),
            author_name=name,
            pubdate=post.created_at,
            updateddate=post.edited_at or post.created_at,
        )
    response = HttpResponse(content_type=atom.content_type)
    atom.write(response, "utf-8")
    return response


def _clean(text: str) -> str:
    return text.translate(_NO_XML)
