"""The page on which the words of a post are changed."""

from contextlib import suppress

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from forum import clashing, discussing, drafting, opening, permissions
from forum.clashing import Clash
from forum.forms import EditForm
from forum.models import Draft, Post
from forum.views.post_acts import address
from portal.authentication import require_user
from portal.errors import Conflict, DomainError, NotFound, status_of
from portal.models import Asker, User

DONE = 302


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, pk: str) -> HttpResponse:
    """Change the words of a post of one's own; what another window changed meanwhile is shown before it is replaced."""
    user, post, status = require_user(request), opening.find_post(int(pk), request.user), 200
    if not permissions.can_change(user, post):
        raise NotFound(_("There is no such post."))
    draft = drafting.find(_key(post), by=user) if request.method != "POST" else None
    form, clash = _begun(post, draft)
    if request.method == "POST":
        sent = EditForm(request.POST)
        form, clash, status = attempt(post, sent, by=user)
        if status == DONE:
            drafting.discard(_key(post), by=user)
            return redirect(address(post))
        if form is not sent:
            draft = _kept(post, sent, user)
    context = {"form": form, "post": post, "topic": post.topic, "draft_key": _key(post), "draft": draft, "clash": clash}
    return render(request, "forum/compose/edit.html", context, status=status)


def attempt(post: Post, sent: EditForm, *, by: Asker) -> tuple[EditForm, Clash | None, int]:
    """Save what was sent; return the form to show, how it stands to what another window saved, and the status.

    The status is DONE where it is saved. The form is another one than was sent where another window came first.
    """
    if not sent.is_valid():
        return sent, None, 400
    try:
        discussing.edit(post, by=by, **sent.cleaned_data)
    except discussing.ChangedSince as error:
        return *_clashed(post, sent), status_of(error)
    except DomainError as error:
        sent.add_error(None, error.message)
        return sent, None, status_of(error)
    return sent, None, DONE


def _clashed(post: Post, sent: EditForm) -> tuple[EditForm, Clash | None]:
    """Return the form with what was sent, joined with what the post says now, which the next sending has seen."""
    post.refresh_from_db(fields=("text", "edited_at", "edited_by"))
    given = sent.cleaned_data
    clash = clashing.clash_of(post, written=given["text"], revision=given["revision"])
    text = clash.text if clash else given["text"]
    return EditForm(initial={"text": text, "revision": post.revision}), clash


def _begun(post: Post, draft: Draft | None) -> tuple[EditForm, Clash | None]:
    """Return the form with the post or its draft, which may be of an earlier text of the post."""
    clash = None
    if draft is not None:
        clash = clashing.clash_of(post, written=draft.text, revision=draft.data.get("revision", ""))
    text = clash.text if clash else draft.text if draft else post.text
    return EditForm(initial={"text": text, "revision": post.revision}), clash


def _kept(post: Post, form: EditForm, user: User) -> Draft | None:
    """Keep what was refused as a draft, so that it outlives the window."""
    given = form.cleaned_data
    with suppress(Conflict):  # there are too many already: it still stands in the page
        return drafting.save(_key(post), by=user, text=given["text"], data={"revision": given["revision"]})
    return None


def _key(post: Post) -> str:
    return f"post:{post.pk}"
