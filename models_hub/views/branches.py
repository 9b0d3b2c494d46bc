"""Branches and tags of a repository: listed, begun and deleted."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from models_hub import ancestry, browsing, publishing, referencing
from models_hub.browsing import RevisionNotFound
from models_hub.models import DEFAULT_BRANCH, PullRequest, Ref, Repo
from models_hub.models.refs import HEADS, TAGS
from models_hub.version_forms import NewBranchForm, ReferenceDeletionForm
from models_hub.views.pages import repo_page, respond
from portal.errors import DomainError, status_of

PAGE = 50
LIVE = (PullRequest.Status.DRAFT, PullRequest.Status.OPEN)


@repo_page
@require_http_methods(["GET", "HEAD", "POST"])
def branches(request: HttpRequest, repo: Repo) -> HttpResponse:
    """All branches and how far each is from the default one; whoever may write begins a new one here."""
    form, status = NewBranchForm(_sent(request), initial={"start": request.GET.get("start", DEFAULT_BRANCH)}), 200
    if request.method == "POST":
        publishing.require_writer(request.user, repo)
        status = 400
        if form.is_valid():
            try:
                ref = referencing.create_branch(repo, by=request.user, **form.cleaned_data)
            except DomainError as error:
                form.add_error("start" if isinstance(error, RevisionNotFound) else "name", error.message)
                status = status_of(error)
            else:
                messages.success(request, _("The branch %(name)s is there now.") % {"name": ref.short_name})
                return redirect(f"{repo.path}/branches")
    after = request.GET.get("after", "")
    refs = referencing.page_of(repo, HEADS, after=after, limit=PAGE + 1, first=DEFAULT_BRANCH)
    shown = refs[:PAGE]
    default = Ref.objects.filter(repo=repo, name=HEADS + DEFAULT_BRANCH).values_list("oid", flat=True).first()
    commits = browsing.commits_of(repo, [ref.oid for ref in shown])
    distances = ancestry.distances(repo, default, commits) if default else {}
    return respond(
        request,
        repo,
        "models_hub/versions/branches.html",
        tab="versions",
        page="branches",
        status=status,
        form=form,
        default=DEFAULT_BRANCH,
        rows=[(ref, commits.get(ref.oid), distances.get(ref.oid)) for ref in shown],
        is_first=not after,
        older=shown[-1].short_name if len(refs) > PAGE else "",
    )


@repo_page
@require_http_methods(["GET", "HEAD", "POST"])
def deletion(request: HttpRequest, repo: Repo, branch: str) -> HttpResponse:
    """Delete a branch; one whose commits are nowhere else must be named once more."""
    publishing.require_writer(request.user, repo)
    ref = referencing.find(repo, HEADS + branch)
    default = Ref.objects.filter(repo=repo, name=HEADS + DEFAULT_BRANCH).values_list("oid", flat=True).first()
    ahead = ancestry.distances(repo, default, [ref.oid])[ref.oid].ahead if default else 1
    pulls = PullRequest.objects.filter(repo=repo, base=branch, status__in=LIVE).count()
    form = ReferenceDeletionForm(_sent(request), name=branch, must_type=bool(ahead or pulls))
    return _deleted(request, repo, ref, form, ahead=ahead, pulls=pulls)


@repo_page
@require_safe
def tags(request: HttpRequest, repo: Repo) -> HttpResponse:
    """All tags with the commits that they name."""
    after = request.GET.get("after", "")
    refs = referencing.page_of(repo, TAGS, after=after, limit=PAGE + 1)
    shown = refs[:PAGE]
    commits = browsing.commits_of(repo, [ref.oid for ref in shown])
    return respond(
        request,
        repo,
        "models_hub/versions/tags.html",
        tab="versions",
        page="tags",
        rows=[(ref, commits.get(ref.oid)) for ref in shown],
        is_first=not after,
        older=shown[-1].short_name if len(refs) > PAGE else "",
    )


@repo_page
@require_http_methods(["GET", "HEAD", "POST"])
def tag_deletion(request: HttpRequest, repo: Repo, tag: str) -> HttpResponse:
    """Delete a tag and what was written about it; others may have built on it, so its name is typed."""
    publishing.require_writer(request.user, repo)
    ref = referencing.find(repo, TAGS + tag)
    form = ReferenceDeletionForm(_sent(request), name=tag, must_type=True)
    return _deleted(request, repo, ref, form)


def _sent(request: HttpRequest) -> QueryDict | None:
    return request.POST if request.method == "POST" else None


def _deleted(
    request: HttpRequest, repo: Repo, ref: Ref, form: ReferenceDeletionForm, **context: object
) -> HttpResponse:
    """Show what would be lost, or delete the reference."""
    is_tag, status = ref.name.startswith(TAGS), 200
    page = "tags" if is_tag else "branches"
    if request.method == "POST":
        status = 400
        if form.is_valid():
            delete = referencing.delete_tag if is_tag else referencing.delete_branch
            try:
                delete(repo, by=request.user, name=ref.short_name)
            except DomainError as error:
                form.add_error(None, error.message)
                status = status_of(error)
            else:
                messages.success(request, _("%(name)s is deleted.") % {"name": ref.short_name})
                return redirect(f"{repo.path}/{page}")
    return respond(
        request,
        repo,
        "models_hub/versions/deletion.html",
        tab="versions",
        page=page,
        status=status,
        form=form,
        ref=ref,
        is_tag=is_tag,
        commit=browsing.commits_of(repo, [ref.oid]).get(ref.oid),
        has_notes=is_tag and repo.releases.filter(tag=ref).exists(),
        **context,
    )
