"""Discussions listed, begun and read."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_safe

from forum import acting, discussing, drafting, listing, permissions, posting, repeating, reviewing, showing
from forum.forms import CommentForm, MergeForm, ReviewForm, TitleForm, TopicForm
from forum.listing import Filters
from forum.models import Post, Topic
from forum.views.composing import quotation
from models_hub import permissions as hub_permissions
from models_hub import proposing
from models_hub.models import Repo
from models_hub.views.pages import repo_page, respond
from portal.errors import DomainError, status_of
from portal.models import User

POSTS = 60


@repo_page
@require_safe
def listed(request: HttpRequest, repo: Repo) -> HttpResponse:
    """Discussions and pull requests of a repository, newest first."""
    filters = Filters(
        kind=request.GET.get("type", "all"),
        status=request.GET.get("status", "open"),
        before=_number(request, "before"),
    )
    page = listing.page(repo, filters, request.user)
    return respond(request, repo, "forum/discussions/list.html", tab="discussions", page=page, filters=filters)


@repo_page
@require_safe
def count(request: HttpRequest, repo: Repo) -> HttpResponse:
    """How many wait for somebody, for the tab of every page."""
    return respond(request, repo, "forum/discussions/_count.html", tab="discussions", count=listing.count_open(repo))


@repo_page
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest, repo: Repo) -> HttpResponse:
    """Begin a discussion."""
    proposing.require_proposer(request.user, repo)
    key, status = f"repo:{repo.pk}", 200
    draft = drafting.find(key, by=request.user) if request.method != "POST" else None
    begun = {"title": draft.title, "text": draft.text} if draft else None
    form = TopicForm(request.POST or None, initial=begun)
    if request.method == "POST":
        status = 400
        if form.is_valid():
            try:
                topic = repeating.topic_in(repo, by=request.user, **form.cleaned_data)
                topic = topic or discussing.open_discussion(repo=repo, by=request.user, **form.cleaned_data)
            except DomainError as error:
                form.add_error(None, error.message)
                status = status_of(error)
            else:
                drafting.discard(key, by=request.user)
                return redirect(f"{repo.path}/discussions/{topic.number}")
    context = {"form": form, "draft": draft, "draft_key": key}
    return respond(request, repo, "forum/discussions/new.html", tab="discussions", status=status, **context)


@repo_page
@require_safe
def show(request: HttpRequest, repo: Repo, number: str) -> HttpResponse:
    """Read a discussion from its opening, or from a later post, on."""
    return conversation(request, repo, discussing.find(repo, int(number), request.user))


def conversation(
    request: HttpRequest, repo: Repo, topic: Topic, *, status: int = 200, comment: CommentForm | None = None
) -> HttpResponse:
    """Render the page of a discussion, with a comment that was refused still in its form."""
    user, start = request.user, _number(request, "from") or 1
    may_moderate = isinstance(user, User) and permissions.can_moderate(user, topic)
    shown = Post.objects.shown_to(user, moderates=may_moderate).filter(topic=topic, number__gte=start)
    posts = list(shown.select_related("author", "hidden_by", "reply_to").order_by("number")[: POSTS + 1])
    posting.render_again(repo, posts[:POSTS])
    for post in posts:
        post.topic = topic
    showing.show(posts[:POSTS], user)
    acts = dict(zip((post.pk for post in posts), acting.acts_of(posts[:POSTS], user), strict=False))
    may_decide = may_moderate or (user.is_authenticated and topic.author_id == user.pk)
    return respond(
        request,
        repo,
        "forum/discussions/show.html",
        tab="discussions",
        status=status,
        topic=topic,
        posts=[(post, acts[post.pk]) for post in posts[:POSTS]],
        start=start,
        next_from=posts[POSTS].number if len(posts) > POSTS else None,
        may_comment=hub_permissions.can_propose(user, repo),
        may_decide=may_decide,
        may_moderate=may_moderate,
        comment_form=comment or CommentForm(initial={"text": _quoted(request, topic)}),
        draft_key=f"topic:{topic.pk}",
        title_form=TitleForm(initial={"title": topic.title}) if may_decide else None,
        **_of_pull_request(request, repo, topic),
    )


def _quoted(request: HttpRequest, topic: Topic) -> str:
    """Return the words of the post that the address asks to quote, which stand in the box at first."""
    asked = request.GET.get("quote", "")
    if not asked.isdecimal() or len(asked) > 18:
        return ""
    post = Post.objects.shown_to(request.user).filter(topic=topic, pk=int(asked), hidden_at=None).first()
    return quotation(post) if post else ""


def _of_pull_request(request: HttpRequest, repo: Repo, topic: Topic) -> dict[str, Any]:
    """Return what the page of a pull request shows beside its conversation."""
    if not topic.is_pull_request:
        return {"pull": None}
    pull = proposing.find(repo, topic.number or 0)
    review = reviewing.look(pull)
    head = review.sides.head.oid if review.sides else ""
    user = request.user
    return {
        "pull": pull,
        "review": review,
        "standing": review.standing(),
        "refusals": review.refusals(user) if pull.is_live else [],
        "may_review": pull.is_live and user.pk != pull.author_id and hub_permissions.can_propose(user, repo),
        "review_form": ReviewForm(initial={"head": head}),
        "merge_form": MergeForm(initial={"head": head}),
    }


def _number(request: HttpRequest, name: str) -> int | None:
    value = request.GET.get(name, "")
    return int(value) if value.isascii() and value.isdigit() and len(value) < 10 else None
