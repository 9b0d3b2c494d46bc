"""The rows of data sets: a split of one, or a single file of any repository, as a table to page, search and count."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods
from django.views.decorators.vary import vary_on_headers

from models_hub import browsing, permissions, referencing
from models_hub.addressing import split_place
from models_hub.models import Commit, Repo
from models_hub.tables import looking, reading, splits, whole
from models_hub.tables.formats import format_of
from models_hub.tables.reading import Source
from models_hub.tables.showing import ClassNames
from models_hub.tables.splits import Config
from models_hub.tables.texts import TableUnreadable
from models_hub.views import table_context
from models_hub.views.pages import repo_page, respond
from portal.errors import Conflict, SignInRequired

TABLE = "models_hub/data/_table.html"
PREVIEW_TEMPLATE = "models_hub/data/_preview.html"
READING_TEMPLATE = "models_hub/data/_reading.html"
READING = "table-reading"  # the element that asks again and again how a job goes


@repo_page
@vary_on_headers("HX-Request")
@require_http_methods(["GET", "HEAD", "POST"])
def data(request: HttpRequest, repo: Repo, place: str) -> HttpResponse:
    """GET: the rows of a split of a data set. POST: have all of them read, where that takes long."""
    revision, path = split_place(repo, place)
    permissions.require_download(request.user, repo)
    commit = browsing.resolve_revision(repo, revision)
    configs = splits.configs_of(repo, commit)
    config = _chosen(configs, request.GET.get("config"))
    split = config.split(request.GET.get("split")) if config else None
    if path or (configs and split is None):
        raise Http404
    about = {"revision": revision, "configs": configs, "config": config, "split": split, **_revisions(repo)}
    if config is None or split is None:
        if _is_preview(request) and _wants_fragment(request):
            return HttpResponse()  # the card's page shows nothing then
        return respond(request, repo, "models_hub/data/data.html", tab="data", **about)
    source = Source(repo, splits.entries_of(repo, commit, split), config.delimiter)
    return _answer(request, source, commit, config.class_names, "models_hub/data/data.html", tab="data", **about)


@repo_page
@vary_on_headers("HX-Request")
@require_http_methods(["GET", "HEAD", "POST"])
def file_table(request: HttpRequest, repo: Repo, place: str) -> HttpResponse:
    """The rows of one file: a fragment of its page, or a page of its own."""
    revision, path = split_place(repo, place)
    permissions.require_download(request.user, repo)
    commit = browsing.resolve_revision(repo, revision)
    entry = browsing.find(repo, commit, path)
    if entry.is_folder or format_of(path) is None:
        raise Http404
    source = Source(repo, [entry])
    parts = path.split("/")
    crumbs = [{"name": part, "path": "/".join(parts[: index + 1])} for index, part in enumerate(parts)]
    about = {"revision": revision, "path": path, "entry": entry, "crumbs": crumbs, **_revisions(repo)}
    return _answer(request, source, commit, {}, "models_hub/data/file.html", tab="files", **about)


def _revisions(repo: Repo) -> dict[str, Any]:
    return {"branches": referencing.branches(repo), "tags": referencing.tags(repo)}


def _chosen(configs: list[Config], name: str | None) -> Config | None:
    return next((config for config in configs if name is None or config.name == name), None)


def _answer(
    request: HttpRequest, source: Source, commit: Commit, names: ClassNames, template: str, *, tab: str, **about: Any
) -> HttpResponse:
    if request.method == "POST":
        return _have_read(request, source, commit)
    if "image" in request.GET:
        return _image(request, source)
    if request.headers.get("HX-Target") == READING:
        return respond(request, source.repo, READING_TEMPLATE, tab=tab, **_progress(request, source))
    shown = table_context.context(request, source, commit, names)
    shown["may_ask"] = table_context.may_ask(request, source.repo)
    shown["sees_job"] = table_context.may_see_job(request, shown.get("job"))
    if _wants_fragment(request):
        template = PREVIEW_TEMPLATE if _is_preview(request) else TABLE
    return respond(request, source.repo, template, tab=tab, **{**about, **shown})


def _wants_fragment(request: HttpRequest) -> bool:
    return request.headers.get("HX-Request") == "true" and "HX-History-Restore-Request" not in request.headers


def _is_preview(request: HttpRequest) -> bool:
    return request.GET.get("view") == table_context.PREVIEW


def _progress(request: HttpRequest, source: Source) -> dict[str, Any]:
    job = whole.job_of(source)
    return {
        "job": job,
        "may_read_all": True,
        "sees_job": table_context.may_see_job(request, job),
        "may_ask": table_context.may_ask(request, source.repo),
    }


def _have_read(request: HttpRequest, source: Source, commit: Commit) -> HttpResponse:
    back = redirect(request.get_full_path())
    try:
        whole.request(source, commit, by=request.user, page=request.get_full_path())
    except SignInRequired:
        return redirect(f"/accounts/login/?{urlencode({'next': request.get_full_path()})}")
    except Conflict as error:
        messages.error(request, error.message)
    return back


def _image(request: HttpRequest, source: Source) -> HttpResponse:
    """Answer with an image out of a row; its format was told by its first bytes, never by its author."""
    number, _point, index = request.GET["image"].partition(".")
    try:
        with looking.opened(reading.table_of(source)) as table:
            found = table.image(table_context.whole_number(number, 0), table_context.whole_number(index, 0))
    except TableUnreadable:
        found = None
    if found is None:
        raise Http404
    kind, body = found
    return HttpResponse(body, content_type=f"image/{kind}", headers={"Content-Disposition": "inline"})
