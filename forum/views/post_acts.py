"""What is done with one post: edited, hidden, reacted to, accepted, kept."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from forum import accepting, acting, discussing, histories, marking, opening, permissions, topic_pages
from forum.compose_forms import BookmarkForm, later
from forum.models import Bookmark, Post, Reaction
from forum.views.pieces import said
from portal.authentication import require_user
from portal.errors import NotFound
from portal.models import Asker, User

PAGE = 30


@never_cache
@require_safe
def menu(request: HttpRequest, pk: str) -> HttpResponse:
    """All that a reader can do with a post; a fragment for the dialog of the page."""
    post = opening.find_post(int(pk), request.user)
    kept = marking.marks_of([post], request.user).bookmarks.get(post.pk)
    context = {
        "post": post,
        "acts": acting.acts_of([post], request.user)[0],
        "kept": kept,
        "form": BookmarkForm(initial={"note": kept.note if kept else ""}),
        "address": address(post),
        "reactions": Reaction.Kind.choices,
        "may_arrange": _may_arrange(post, request.user),
    }
    is_piece = bool(request.headers.get("HX-Request"))
    return render(request, "forum/compose/_menu.html" if is_piece else "forum/compose/menu.html", context)


@never_cache
@require_safe
def history(request: HttpRequest, pk: str) -> HttpResponse:
    """What a post said before, and what each edit changed."""
    post = opening.find_post(int(pk), request.user)
    if post.is_hidden:
        raise NotFound(_("There is no such post."))
    keeps_order = isinstance(request.user, User) and permissions.can_moderate(request.user, post.topic)
    steps = histories.steps_of(post, withheld=keeps_order)
    context = {"post": post, "topic": post.topic, "steps": steps, "address": address(post)}
    return render(request, "forum/compose/history.html", context)


@require_POST
def hiding(request: HttpRequest, pk: str) -> HttpResponse:
    """Take a post out of sight."""
    post = opening.find_post(int(pk), request.user)
    discussing.hide(post, by=request.user)
    return _done(request, post)


@require_POST
def reaction(request: HttpRequest, pk: str, kind: str) -> HttpResponse:
    """Put a reaction on a post, or take it back where it is there."""
    post = opening.find_post(int(pk), request.user)
    mine = marking.marks_of([post], request.user).reactions.get(post.pk, set())
    if kind in mine:
        marking.unreact(post, by=request.user, kind=kind)
    else:
        marking.react(post, by=request.user, kind=kind)
    return _done(request, post)


@require_POST
def acceptance(request: HttpRequest, pk: str) -> HttpResponse:
    """Accept an answer, or take that back."""
    post = opening.find_post(int(pk), request.user)
    if post.topic.accepted_id == post.pk:
        accepting.unaccept(post.topic, by=request.user)
    else:
        accepting.accept(post, by=request.user)
    return _done(request, post)


@require_POST
def bookmark(request: HttpRequest, pk: str) -> HttpResponse:
    """Keep a post, with a note and a reminder."""
    post, form = opening.find_post(int(pk), request.user), BookmarkForm(request.POST)
    if form.is_valid():
        given = form.cleaned_data
        marking.keep(post, by=request.user, note=given["note"], remind_at=later(given["remind"]))
        messages.success(request, _("The post is among your bookmarks."))
    return redirect(address(post))


@require_POST
def bookmark_removal(request: HttpRequest, pk: str) -> HttpResponse:
    """Forget a bookmark."""
    user = require_user(request)
    Bookmark.objects.filter(user=user, post=int(pk)).delete()
    return redirect("forum_bookmarks")


@never_cache
@require_safe
def bookmarks(request: HttpRequest) -> HttpResponse:
    """Posts that the reader keeps, the newest first; those that are no longer to be seen are left out."""
    user, asked = require_user(request), request.GET.get("before", "")
    kept = Bookmark.objects.filter(user=user, post__in=Post.objects.shown_to(user)).select_related(
        "post__topic__category", "post__topic__repo__namespace", "post__author"
    )
    kept = kept.filter(post__topic__in=opening.topics_seen(user), post__hidden_at=None).order_by("-pk")
    if asked.isdecimal() and len(asked) < 19:
        kept = kept.filter(pk__lt=int(asked))
    rows = list(kept[: PAGE + 1])
    older = rows[PAGE - 1].pk if len(rows) > PAGE else None
    return render(request, "forum/compose/bookmarks.html", {"rows": rows[:PAGE], "older": older})


def address(post: Post) -> str:
    """Return where a post is read: on the page that holds it."""
    topic = post.topic
    if topic.repo is None:
        return f"{topic.path}?post={post.number}#post-{post.number}"
    start = max(post.number - 20, 1)
    return f"{topic.path}{f'?from={start}' if start > 1 else ''}#post-{post.number}"


def _may_arrange(post: Post, reader: Asker) -> bool:
    """Whether the menu of an opening post leads a person of level 3 to the order of the topic."""
    is_offered = post.number == 1 and post.topic.category_id is not None and isinstance(reader, User)
    return is_offered and isinstance(reader, User) and permissions.can_arrange(reader, post.topic)


def _done(request: HttpRequest, post: Post) -> HttpResponse:
    """Answer with the post as it is now: as a piece of its page, or by leading there."""
    if not request.headers.get("HX-Request"):
        return redirect(address(post))
    if post.topic.repo is None:
        place = topic_pages.find(post.topic_id, request.user)
        shown = topic_pages.one(place, post.number, request.user)
        return HttpResponse(said(shown) if shown else "")
    post = opening.find_post(post.pk, request.user)
    context = {"post": post, "acts": acting.acts_of([post], request.user)[0]}
    return render(request, "forum/compose/_acts_of.html", context)
