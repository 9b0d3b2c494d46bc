"""The page of a topic, and what comes to it while it is open."""

from collections.abc import Sequence
from datetime import date

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.text import Truncator
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from forum import topic_pages, viewing
from forum.learning import articles, guides
from forum.models import Level, Topic
from forum.topic_pages import Place
from forum.views.answering import answering
from forum.views.boards import alike, number
from forum.views.pieces import said
from portal.errors import NotFound
from portal.models import User

LONGEST_DESCRIPTION = 200


@require_safe
def show(request: HttpRequest, pk: str, slug: str = "") -> HttpResponse:
    """Twenty posts of a topic: those of a page, or those around a post or a day."""
    try:
        place = alike(request, ("place", int(pk)), lambda: topic_pages.find(int(pk), request.user))
    except NotFound:
        return _elsewhere(request, int(pk))
    topic = place.topic
    if topic.merged_into_id:
        return redirect(f"/forum/t/{topic.merged_into_id}")
    if request.path != topic.path:
        query = request.GET.urlencode()
        return redirect(f"{topic.path}?{query}" if query else topic.path)
    asked = _asked(request, place)
    if asked is None:
        return _at_day(request, place)
    context = alike(request, ("page", topic.pk, asked), lambda: _context(request, place, asked))
    viewing.note(topic.pk)
    return render(request, "forum/topics/topic.html", {**context, **answering(request, place)})


@never_cache
@require_safe
def news(request: HttpRequest, pk: str) -> HttpResponse:
    """Posts that came after those of an open page; 204 while there are none."""
    after = number(request.GET.get("after", "")) or 0
    if not topic_pages.has_news(int(pk), after, request.user):
        return HttpResponse(status=204)
    place = topic_pages.find(int(pk), request.user)
    posts = topic_pages.news(place, after, request.user)
    if not posts:
        return HttpResponse(status=204)
    return render(request, "forum/topics/_news.html", {"posts": [said(post) for post in posts]})


def _context(request: HttpRequest, place: Place, asked: int) -> dict[str, object]:
    """Return what the page shows: but for the way to answer, the same for all who are not signed in."""
    page, topic = topic_pages.page(place, asked, request.user), place.topic
    opening = page.posts[0] if page.posts and page.posts[0].number == 1 else None
    tags = topic_pages.tags_of(topic)
    return {
        **_after(topic, tags, request),
        "topic": topic,
        "room": topic.category,
        "place": place,
        "page": page,
        "before_line": [said(post) for post in page.posts if not page.line or post.number < page.line],
        "after_line": [said(post) for post in page.posts if page.line and post.number >= page.line],
        "answer": page.answer,
        "tags": tags,
        "levels": Level.choices,
        "action": f"/forum/topics/{topic.pk}/level",
        "is_last": page.number == place.pages,
        "is_unread": isinstance(request.user, User) and page.upto > place.read,
        "description": Truncator(opening.plain).chars(LONGEST_DESCRIPTION) if opening else topic.title,
    }


def _after(topic: Topic, tags: Sequence[str], request: HttpRequest) -> dict[str, object]:
    """Return what stands below an article: its translations, and the guides that share its tags."""
    if topic.kind != Topic.Kind.ARTICLE:
        return {}
    language = guides.language_of(get_language())
    return {"beside": articles.beside(topic, request.user), "next": guides.related(tags, language)}


def _asked(request: HttpRequest, place: Place) -> int | None:
    """Return the number of the page that the address asks for, None where it asks for a day."""
    if (post := number(request.GET.get("post", ""))) is not None:
        return min(topic_pages.page_of(post), place.pages)
    if request.GET.get("date"):
        return None
    asked = number(request.GET.get("page", "")) or 1
    if asked > place.pages:
        raise NotFound(_("This topic has no such page."))
    return asked


def _at_day(request: HttpRequest, place: Place) -> HttpResponse:
    try:
        day = date.fromisoformat(request.GET["date"])
    except ValueError:
        return redirect(place.topic.path)
    found = topic_pages.number_at(place.topic, day)
    return redirect(f"{place.topic.path}?post={found}#post-{found}")


def _elsewhere(request: HttpRequest, pk: int) -> HttpResponse:
    """Lead to a topic that is about a repository, which has its page there, or to what took the posts of one."""
    taker = (
        Topic.objects.in_forum(request.user).filter(pk__in=Topic.objects.filter(pk=pk).values("merged_into")).first()
    )
    if taker is not None:
        return redirect(taker.path)
    topic = Topic.objects.visible_to(request.user).filter(pk=pk, repo__isnull=False).first()
    if topic is None:
        raise NotFound(_("There is no such topic."))
    return redirect(topic.path)
