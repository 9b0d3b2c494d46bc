"""Pages on which people write: new topics and answers; and what helps them while they write."""

import time
from typing import Any

from django.core import signing
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from forum import attaching, boards, drafting, naming, opening, permissions, posting, repeating, showing
from forum.admission import limits_of
from forum.compose_forms import NewTopicForm, ReplyForm
from forum.models import Category, Draft, Post, Topic
from models_hub.models import Repo
from portal import subjects, telling
from portal.authentication import require_user
from portal.errors import DomainError, NotFound, status_of
from portal.subjects import Subject

BEGAN = signing.TimestampSigner(salt="began-to-write")
MAX_SECONDS = 24 * 3600
COMPLETED = 8


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """Begin a topic, in a category and perhaps about something that its address names."""
    user, status = require_user(request), 200
    about = subjects.find(request.POST.get("about") or request.GET.get("about", ""), user)
    page = "" if about else telling.key_of(request.GET.get("from", ""))
    key = ":".join(filter(None, ("new", about.key if about else page)))
    draft = drafting.find(key, by=user) if request.method != "POST" else None
    rooms = list(opening.rooms_to_open(user))
    given = _beginning(request, draft, about, rooms)
    form = NewTopicForm(request.POST or None, reader=user, rooms=rooms, initial=given)
    if request.method == "POST":
        status = 400
        if form.is_valid():
            room = form.cleaned_data["category"]
            try:
                sent = form.new(seconds=seconds_since(form.cleaned_data["began"]))
                topic = repeating.topic_in(room, by=user, title=sent.title, text=sent.text)
                topic = topic or opening.open_topic(category=room, by=user, new=sent)
            except DomainError as error:
                form.add_error(None, error.message)
                status = status_of(error)
            else:
                drafting.discard(key, by=user)
                return redirect(topic.path)
    context = {
        "form": form,
        "about": about,
        "draft_key": key,
        "draft": draft,
        "rooms": rooms,
        "rules": limits_of(user).sentences(),
    }
    return render(request, "forum/compose/new.html", context, status=status)


def _beginning(
    request: HttpRequest, draft: Draft | None, about: Subject | None, rooms: list[Category]
) -> dict[str, Any]:
    """Return what the form holds at first: the draft, else facts and the template of the category."""
    asked = request.GET
    room = next((room for room in rooms if room.slug == asked.get("category")), rooms[0] if rooms else None)
    place = asked.get("from", "")
    told = None if about else telling.told(place, request.user)
    facts = told.text if told else _facts(about, place)
    given = {
        "category": room.slug if room else None,
        "title": (told.title if told else asked.get("title", ""))[:300],
        "text": facts + (room.template if room else ""),
        "tags": asked.get("tags", "")[:300],
        "about": asked.get("about", "")[:60],
        "max_choices": 1,
        "began": BEGAN.sign("x"),
    }
    if draft is not None:
        kept = {name: value for name, value in draft.data.items() if value}
        given |= {**kept, "title": draft.title, "text": draft.text}
    return given


def _facts(about: Subject | None, place: str) -> str:
    """Return what is known of a thing as the beginning of a text about it; `place` is a page of it."""
    if about is None:
        return ""
    said = f"> {about.label}: {about.title}" + (f" · {about.detail}" if about.detail else "")
    page = place[:300] if place.startswith(f"{about.path}/") and " " not in place else about.path
    return f"{said}\n\n{page}\n\n"


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def reply(request: HttpRequest, pk: str) -> HttpResponse:
    """Answer in a topic; what was refused stays in the form."""
    user, status = require_user(request), 200
    topic = opening.find(int(pk), user)
    key = f"topic:{topic.pk}"
    draft = drafting.find(key, by=user) if request.method != "POST" else None
    to = _answered(topic, request.POST.get("to") or request.GET.get("to", ""), request)
    text = draft.text if draft else _quoted(topic, to) if request.GET.get("quote") else ""
    form = ReplyForm(
        request.POST or None, initial={"text": text, "to": to.pk if to else None, "began": BEGAN.sign("x")}
    )
    if request.method == "POST":
        status = 400
        if form.is_valid():
            given = form.cleaned_data
            try:
                post = repeating.post_of(topic, by=user, text=given["text"]) or opening.reply(
                    topic, by=user, text=given["text"], to=to, seconds=seconds_since(given["began"])
                )
            except DomainError as error:
                form.add_error(None, error.message)
                status = status_of(error)
            else:
                drafting.discard(key, by=user)
                return redirect(f"{topic.path}?post={post.number}#post-{post.number}")
    rules = limits_of(user).sentences()
    context = {"form": form, "topic": topic, "to": to, "draft_key": key, "draft": draft, "rules": rules}
    return render(request, "forum/compose/reply.html", context, status=status)


@never_cache
@require_safe
def reply_to(request: HttpRequest, pk: str) -> HttpResponse:
    """Lead to the page that answers a post, its words quoted if need be."""
    post = opening.find_post(int(pk), request.user)
    if post.topic.repo is not None:
        return redirect(f"{post.topic.path}?quote={post.pk}#reply")
    quote = "&quote=1" if request.GET.get("quote") else ""
    return redirect(f"/forum/topics/{post.topic_id}/replies?to={post.pk}{quote}")


@never_cache
@require_safe
def quote(request: HttpRequest, pk: str) -> JsonResponse:
    """Give the words of a post as a quotation of it, and the head that a quotation of some of them has."""
    post = opening.find_post(int(pk), request.user)
    if post.is_hidden:
        raise NotFound(_("There is no such post."))
    return JsonResponse({"text": quotation(post), "head": quotation_head(post)})


def quotation(post: Post, *, longest: int = 2000) -> str:
    """Return the words of a post as a quotation that says whose they are and where."""
    words = post.text if len(post.text) <= longest else post.text[:longest].rsplit("\n", 1)[0] + " …"
    lines = "\n".join(f"> {line}" if line else ">" for line in words.splitlines())
    return f"{quotation_head(post)}{lines}\n\n"


def quotation_head(post: Post) -> str:
    """Return the first lines of a quotation: whose words they are, and where they stand."""
    number = f"[#{post.number}]({post.path})"
    name = f"@{post.author.username} {number}" if post.author else number
    return f"> {name}\n>\n"


def _quoted(topic: Topic, post: Post | None) -> str:
    return quotation(post) if post and not post.is_hidden else ""


def _answered(topic: Topic, pk: str, request: HttpRequest) -> Post | None:
    """Return the post of the topic that is answered, None for none."""
    known = pk.isascii() and pk.isdigit() and len(pk) < 19
    shown = Post.objects.shown_to(request.user).filter(topic=topic, kind=Post.Kind.COMMENT)
    post = shown.filter(pk=int(pk)).select_related("author").first() if known else None
    if post is not None:
        post.topic = topic
    return post


@require_POST
def preview(request: HttpRequest) -> HttpResponse:
    """Show a text as it would look, to its author alone."""
    user = permissions.require_member(require_user(request))
    text = request.POST.get("text", "")[: posting.MAX_TEXT].strip()
    repo_id = request.POST.get("repo", "")
    known = repo_id.isdecimal() and len(repo_id) < 19
    repo = Repo.objects.visible_to(user).filter(pk=int(repo_id)).first() if known else None
    try:
        look = posting.written(repo, posting.checked_text(text), by=user) if text else None
    except DomainError as error:
        return render(request, "forum/compose/_preview.html", {"error": error.message})
    html = showing.shown(look.html, user) if look else ""
    is_plain = bool(look and not look.renderer)
    return render(request, "forum/compose/_preview.html", {"html": html, "text": text, "is_plain": is_plain})


@require_POST
def pictures(request: HttpRequest) -> HttpResponse:
    """Take in a picture that was pasted, dropped or chosen; answers with its address."""
    user = permissions.require_member(require_user(request))
    try:
        attachment = attaching.attach(request.read(attaching.MAX_BYTES + 1), by=user)
    except DomainError as error:
        return JsonResponse({"error": error.message}, status=status_of(error))
    return JsonResponse({"path": attachment.path}, status=201)


@never_cache
@require_safe
def names(request: HttpRequest) -> JsonResponse:
    """Complete the name of a person or an organization."""
    require_user(request)
    found = naming.accounts_like(request.GET.get("start", ""), limit=COMPLETED)
    rows = [{"name": one.name, "title": one.user.display_name if one.user else str(one.organization)} for one in found]
    return JsonResponse({"names": rows})


@never_cache
@require_safe
def tag_names(request: HttpRequest) -> HttpResponse:
    """Complete a tag, as options of a list."""
    start = request.GET.get("search", "").replace("\x00", "").strip().lower()[:40]
    found = boards.tags(request.user, start=start, most=COMPLETED)
    return render(request, "forum/compose/_tag_options.html", {"tags": found})


def seconds_since(began: str) -> float | None:
    """Return how long ago a page was made, None for one whose time is not known."""
    try:
        BEGAN.unsign(began, max_age=MAX_SECONDS)
        made = signing.b62_decode(began.rsplit(":", 2)[1])
    except (signing.BadSignature, IndexError, ValueError):
        return None
    return max(time.time() - made, 0.0)
