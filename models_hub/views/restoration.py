"""An earlier version, or a file or folder of it, made the newest again: as a new commit, so that nothing is lost."""

from urllib.parse import quote

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from models_hub import browsing, comparing, referencing, restoring
from models_hub.addressing import split_place
from models_hub.models import DEFAULT_BRANCH, Commit, Repo
from models_hub.version_forms import RestorationForm
from models_hub.views import committing
from models_hub.views.pages import repo_page, respond
from portal.errors import Conflict, DomainError, StaleParent, status_of


@repo_page
@require_http_methods(["GET", "HEAD", "POST"])
def restoration(request: HttpRequest, repo: Repo, place: str) -> HttpResponse:
    """Show what bringing it back would change, and bring it back."""
    revision, path = split_place(repo, place)
    branch = request.GET.get("branch", DEFAULT_BRANCH)
    targets = committing.targets(request.user, repo, branch)
    earlier, head = browsing.resolve_revision(repo, revision), browsing.resolve_revision(repo, branch)
    changes = restoring.restored(repo, head, earlier, path)
    name = path or earlier.oid[:7]
    initial = {"title": restoring.title(earlier, path), "seen": head.oid}
    form = RestorationForm(request.POST if request.method == "POST" else None, initial=initial, targets=targets)
    status = 200
    if request.method == "POST":
        status = 400
        if form.is_valid():
            try:
                _require_seen(form, head)
                proposal = committing.commit(
                    repo, by=request.user, revision=branch, form=form, changes=changes, parent=head.oid
                )
            except DomainError as error:
                form.add_error(None, error.message)
                status = 409 if isinstance(error, StaleParent) else status_of(error)
            else:
                messages.success(request, _("%(name)s is back as it was.") % {"name": name})
                return redirect(proposal or f"{repo.path}/commits/{quote(branch)}")
    return respond(
        request,
        repo,
        "models_hub/versions/restoration.html",
        tab="versions",
        page="commits",
        status=status,
        form=form,
        revision=revision,
        path=path,
        branch=branch,
        branches=referencing.branches(repo),
        commit=earlier,
        parent=head,
        comparison=comparing.between(repo, head, earlier, below=path),
        keeps_new=bool(path),
    )


def _require_seen(form: RestorationForm, head: Commit) -> None:
    """Refuse to undo commits that came since the reader looked; sending the form once more says “I have”."""
    if form.cleaned_data["seen"] != head.oid:
        form.see(head.oid)
        raise Conflict(
            _("The branch has new commits since you looked at it. What would change now is shown below: look again.")
        )
