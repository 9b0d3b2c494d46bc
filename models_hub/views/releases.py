"""Versions with names and notes: the changelog, one version, its notes being written, and a feed of them."""

from collections.abc import Callable
from urllib.parse import quote

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.feedgenerator import Atom1Feed
from django.utils.html import linebreaks
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from models_hub import browsing, publishing, referencing, releasing, rendering
from models_hub.browsing import RevisionNotFound
from models_hub.models import DEFAULT_BRANCH, Release, Repo
from models_hub.referencing import MAX_MESSAGE
from models_hub.releasing import Version
from models_hub.version_forms import NewReleaseForm, ReleaseForm
from models_hub.views.pages import repo_page, respond
from portal.errors import DomainError, status_of

PAGE = 10
FED = 20


@repo_page
@require_safe
def releases(request: HttpRequest, repo: Repo) -> HttpResponse:
    """All versions, newest first, with their notes and what each changed."""
    after = request.GET.get("after", "")
    found, has_more = releasing.versions(repo, after=after, limit=PAGE)
    return respond(
        request,
        repo,
        "models_hub/versions/releases.html",
        tab="versions",
        page="releases",
        rows=[(one, _html(repo, one)) for one in found],
        latest=releasing.latest(repo),
        is_first=not after,
        older=found[-1].cursor if has_more else "",
    )


@repo_page
@require_safe
def release(request: HttpRequest, repo: Repo, tag: str) -> HttpResponse:
    """One version."""
    found = releasing.version(repo, tag)
    return respond(
        request,
        repo,
        "models_hub/versions/release.html",
        tab="versions",
        page="releases",
        version=found,
        html=_html(repo, found),
        latest=releasing.latest(repo),
    )


@repo_page
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest, repo: Repo) -> HttpResponse:
    """Name a version and write its notes."""
    publishing.require_writer(request.user, repo)
    form = NewReleaseForm(request.POST if request.method == "POST" else None, initial=_initial(request, repo))

    def publish() -> str:
        made = releasing.publish(repo, by=request.user, **form.cleaned_data)
        messages.success(request, _("The version %(name)s is released.") % {"name": made.tag.short_name})
        return made.get_absolute_url()

    return _written(request, repo, form, publish)


@repo_page
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, repo: Repo, tag: str) -> HttpResponse:
    """Change the notes of a version."""
    publishing.require_writer(request.user, repo)
    row = releasing.find(repo, tag)
    initial = {"title": row.title, "notes": row.notes}
    form = ReleaseForm(request.POST if request.method == "POST" else None, initial=initial)

    def change() -> str:
        releasing.edit(row, by=request.user, **form.cleaned_data)
        messages.success(request, _("The notes are saved."))
        return row.get_absolute_url()

    return _written(request, repo, form, change, row)


@repo_page
@require_POST
def withdrawal(request: HttpRequest, repo: Repo, tag: str) -> HttpResponse:
    """Take the notes away; the tag stays."""
    releasing.withdraw(releasing.find(repo, tag), by=request.user)
    messages.success(request, _("The notes are gone; the tag is still there."))
    return redirect(f"{repo.path}/releases/tag/{quote(tag)}")


@repo_page
@require_safe
def feed(request: HttpRequest, repo: Repo) -> HttpResponse:
    """The newest versions for feed readers."""
    address = request.build_absolute_uri(f"{repo.path}/releases")
    atom = Atom1Feed(
        title=_("Versions of %(name)s") % {"name": repo.full_name},
        link=address,
        description=repo.description,
        feed_url=request.build_absolute_uri(),
    )
    for one in releasing.versions(repo, limit=FED)[0]:
        title = f"{one.name} – {one.release.title}" if one.release and one.release.title else one.name
        atom.add_item(
            title=_shown(title),
            link=f"{address}/tag/{quote(one.name)}",
            unique_id=f"{address}/tag/{quote(one.name)}#{one.commit.oid}",
            description=_shown(str(_html(repo, one))),
            author_name=(one.release.author.username if one.release and one.release.author else one.commit.author_name),
            pubdate=one.release.created_at if one.release else one.commit.authored_at,
            updateddate=(one.release.edited_at or one.release.created_at) if one.release else one.commit.authored_at,
        )
    response = HttpResponse(content_type=atom.content_type)
    atom.write(response, "utf-8")
    return response


def _written(
    request: HttpRequest, repo: Repo, form: ReleaseForm, save: Callable[[], str], row: Release | None = None
) -> HttpResponse:
    """Show the notes being written, or how they will look, or save them."""
    status, preview = 200, None
    if "preview" in request.POST:
        preview = _rendered(repo, request.POST.get("notes", "")[:MAX_MESSAGE], DEFAULT_BRANCH)
    elif request.method == "POST":
        status = 400
        if form.is_valid():
            try:
                return redirect(save())
            except DomainError as error:
                form.add_error(_field(error, form), error.message)
                status = status_of(error)
    return respond(
        request,
        repo,
        "models_hub/versions/release_form.html",
        tab="versions",
        page="releases",
        status=status,
        form=form,
        release=row,
        preview=preview,
        proposals=[] if row else releasing.proposals(repo),
        branches=referencing.branches(repo),
    )


def _field(error: DomainError, form: ReleaseForm) -> str | None:
    if "tag" not in form.fields:
        return None
    return "revision" if isinstance(error, RevisionNotFound) else "tag"


def _initial(request: HttpRequest, repo: Repo) -> dict[str, str]:
    """Return what a new release begins with: notes that list the commits since the version before."""
    tag = request.GET.get("tag", "")
    revision = request.GET.get("revision") or (tag if referencing.exists(repo, tag) else DEFAULT_BRANCH)
    try:
        notes = releasing.drafted_notes(repo, browsing.resolve_revision(repo, revision), tag=tag)
    except RevisionNotFound:
        notes = ""
    return {"tag": tag, "revision": revision, "notes": notes}


def _html(repo: Repo, version: Version) -> SafeString:
    return _rendered(repo, version.notes, version.name) if version.notes else SafeString("")


def _rendered(repo: Repo, notes: str, revision: str) -> SafeString:
    html = rendering.comment_html(notes, repo=repo, revision=revision)
    return SafeString(linebreaks(notes, autoescape=True)) if html is None else html


def _shown(text: str) -> str:
    """Leave out control characters, which XML cannot hold."""
    return "".join(c for c in text if c in "\n\t" or ord(c) >= 32)
