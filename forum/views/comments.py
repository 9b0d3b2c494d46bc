"""Comments written, edited and hidden."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from forum import discussing, drafting, mending, repeating
from forum.forms import CommentForm, EditForm
from forum.models import Post, Topic
from forum.views.editing import DONE, attempt
from forum.views.topics import conversation
from models_hub.models import Repo
from models_hub.views.pages import repo_page, respond
from portal.errors import DomainError, NotFound, status_of


@repo_page
@require_POST
def add(request: HttpRequest, repo: Repo, number: str) -> HttpResponse:
    """Say something; what was refused stays in the form."""
    topic = discussing.find(repo, int(number), request.user)
    form, status = CommentForm(request.POST), 400
    if form.is_valid():
        try:
            to, text = _answered(topic, request), form.cleaned_data["text"]
            post = repeating.post_of(topic, by=request.user, text=text)
            post = post or discussing.comment(topic, by=request.user, text=text, reply_to=to)
        except DomainError as error:
            form.add_error(None, error.message)
            status = status_of(error)
        else:
            drafting.discard(f"topic:{topic.pk}", by=request.user)
            return redirect(_address(repo, post))
    return conversation(request, repo, topic, status=status, comment=form)


@repo_page
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, repo: Repo, number: str, comment: str) -> HttpResponse:
    """Show what a comment said before; its author may change what it says."""
    post = discussing.find_comment(discussing.find(repo, int(number), request.user), comment, request.user)
    if post.is_hidden and not mending.may_mend(post, request.user):
        raise NotFound(_("This discussion has no such comment."))
    is_author = request.user.pk == post.author_id
    form = EditForm(initial={"text": post.text, "revision": post.revision})
    clash, status = None, 200
    if request.method == "POST":
        form, clash, status = attempt(post, EditForm(request.POST), by=request.user)
        if status == DONE:
            return redirect(_address(repo, post))
    return respond(
        request,
        repo,
        "forum/discussions/comment.html",
        tab="discussions",
        status=status,
        topic=post.topic,
        post=post,
        form=form if is_author else None,
        clash=clash,
        versions=post.versions.filter(withheld=False).select_related("author")[:100],
    )


@repo_page
@require_POST
def hiding(request: HttpRequest, repo: Repo, number: str, comment: str) -> HttpResponse:
    """Take a comment out of sight."""
    post = discussing.find_comment(discussing.find(repo, int(number), request.user), comment, request.user)
    discussing.hide(post, by=request.user)
    return redirect(_address(repo, post))


def _answered(topic: Topic, request: HttpRequest) -> Post | None:
    """Return the comment that is answered, None for none in particular."""
    sent = request.POST.get("to", "")
    return discussing.find_comment(topic, sent, request.user) if sent else None


def _address(repo: Repo, post: Post) -> str:
    """Return where a post is read: on the page that holds it."""
    start = max(post.number - 20, 1)
    query = f"?from={start}" if start > 1 else ""
    return f"{repo.path}/discussions/{post.topic.number}{query}#post-{post.number}"
