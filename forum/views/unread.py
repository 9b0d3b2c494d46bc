"""What a reader has not read: the list of it, its count for the navigation, and saying that all of it is read."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from forum import boards, levels, reading
from forum.models import Topic, TopicQuerySet
from forum.views.boards import number, reader_of
from forum.views.pieces import line
from portal.models import User

# What answers a request that only notes something: a picture of one transparent point, for pages without scripts.
POINT = b"GIF89a\1\0\1\0\x80\0\0\0\0\0\0\0\0!\xf9\4\1\0\0\0\0,\0\0\0\0\1\0\1\0\0\2\2D\1\0;"


@never_cache
@require_safe
def unread(request: HttpRequest) -> HttpResponse:
    """Topics that the reader follows and has not read to their end."""
    return _listed(request, reading.unread(reader_of(request)), "unread")


@never_cache
@require_safe
def new(request: HttpRequest) -> HttpResponse:
    """Topics that began lately and that the reader has not opened."""
    return _listed(request, reading.new(reader_of(request)), "new")


@never_cache
@require_safe
def count(request: HttpRequest) -> HttpResponse:
    """How many topics are unread, for the navigation of every page."""
    found = reading.count_unread(request.user)
    shown = f"{reading.COUNTED - 1}+" if found >= reading.COUNTED else found
    return render(request, "forum/topics/_unread_count.html", {"count": shown})


@require_POST
def all_read(request: HttpRequest) -> HttpResponse:
    """Let all that the forum holds now count as read."""
    reading.mark_all(reader_of(request))
    return redirect("/forum/unread")


@never_cache
@require_http_methods(["GET", "POST"])
def read(request: HttpRequest, pk: str) -> HttpResponse:
    """Note how far the reader has read a topic: sent by the page's script, or asked for as a picture without one."""
    topic = get_object_or_404(Topic.objects.visible_to(request.user), pk=pk)
    sent = request.POST if request.method == "POST" else request.GET
    upto = number(sent.get("upto", ""))
    if isinstance(request.user, User) and upto is not None:
        reading.note_reading(topic, request.user, upto=upto, seconds=number(sent.get("seconds", "")) or 0)
    return HttpResponse(status=204) if request.method == "POST" else HttpResponse(POINT, content_type="image/gif")


@require_POST
def topic_level(request: HttpRequest, pk: str) -> HttpResponse:
    """How much the reader wants to hear of a topic."""
    reader = reader_of(request)
    found = Topic.objects.visible_to(reader).select_related("repo__namespace")
    topic = get_object_or_404(found, pk=pk)
    levels.set_level(topic, reader, levels.checked_level(request.POST.get("level", "")))
    return redirect(topic.path)


@require_POST
def ignoring(request: HttpRequest, name: str) -> HttpResponse:
    """Hear nothing of somebody any more, or again."""
    reader = reader_of(request)
    other = get_object_or_404(User.objects.named(name))
    act = levels.heed if request.POST.get("heed") else levels.ignore
    act(other, by=reader)
    return redirect(_back(request))


def _listed(request: HttpRequest, topics: TopicQuerySet, here: str) -> HttpResponse:
    rooms = boards.categories(request.user)
    before = number(request.GET.get("before", ""))
    topics = topics.filter(last_post__lt=before) if before else topics
    found = list(topics[: boards.PAGE + 1])
    shown = found[: boards.PAGE]
    context = {
        "rows": [line(row) for row in boards.rows_of(shown, request.user, rooms)],
        "older": shown[-1].last_post_id if len(found) > boards.PAGE else None,
        "before": before,
        "here": here,
    }
    return render(request, "forum/topics/unread.html", context)


def _back(request: HttpRequest) -> str:
    """Return the page of the forum from which a form came."""
    asked = request.POST.get("next", "")
    return asked if asked.startswith("/forum/") and "\\" not in asked and "\n" not in asked else "/forum"
