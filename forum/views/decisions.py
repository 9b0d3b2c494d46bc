"""What is decided about a discussion: its title, whether it is closed, whether a change is merged."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from forum import discussing, posting
from forum.forms import MergeForm, ReviewForm, TitleForm
from models_hub import merging, proposing
from models_hub.models import Repo
from models_hub.protecting import ProtectedRef
from models_hub.views.pages import repo_page
from portal.errors import Conflict, InvalidInput


@repo_page
@require_POST
def title(request: HttpRequest, repo: Repo, number: str) -> HttpResponse:
    """Rename a discussion."""
    topic, form = discussing.find(repo, int(number), request.user), TitleForm(request.POST)
    given = form.cleaned_data["title"] if form.is_valid() else ""
    try:
        discussing.rename(topic, by=request.user, title=given)
    except (Conflict, InvalidInput) as error:
        messages.error(request, error.message)
    return redirect(f"{repo.path}/discussions/{number}")


@repo_page
@require_POST
def status(request: HttpRequest, repo: Repo, number: str) -> HttpResponse:
    """Close a discussion, or open it; with what was written beside the button as a comment."""
    topic = discussing.find(repo, int(number), request.user)
    wanted, comment = request.POST.get("status", ""), request.POST.get("text", "")
    try:
        discussing.change_status(topic, by=request.user, status=wanted, comment=comment)
    except (Conflict, InvalidInput) as error:
        messages.error(request, error.message)
    return redirect(f"{repo.path}/discussions/{number}")


@repo_page
@require_POST
def review(request: HttpRequest, repo: Repo, number: str) -> HttpResponse:
    """Approve a pull request, or ask for changes."""
    pull, form = proposing.find(repo, int(number)), ReviewForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Approve, or ask for changes."))
        return redirect(f"{repo.path}/discussions/{number}#reviews")
    given = form.cleaned_data
    comment = posting.checked_text(given["comment"]) if given["comment"].strip() else ""
    try:
        proposing.review(pull, by=request.user, verdict=given["verdict"], head=given["head"], comment=comment)
    except (Conflict, InvalidInput) as error:
        messages.error(request, error.message)
    else:
        messages.success(request, _("Your review is noted."))
    return redirect(f"{repo.path}/discussions/{number}#reviews")


@repo_page
@require_POST
def merge(request: HttpRequest, repo: Repo, number: str) -> HttpResponse:
    """Bring a pull request into its branch."""
    pull, form = proposing.find(repo, int(number)), MergeForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Choose how to merge."))
        return redirect(f"{repo.path}/discussions/{number}")
    try:
        merging.merge(pull, by=request.user, **form.cleaned_data)
    except (Conflict, InvalidInput, ProtectedRef) as error:
        messages.error(request, error.message)
    else:
        messages.success(request, _("The change is in “%(branch)s” now.") % {"branch": pull.base})
    return redirect(f"{repo.path}/discussions/{number}")
