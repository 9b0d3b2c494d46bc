"""Looking into a revision: folders and files."""

from typing import Any, NamedTuple
from urllib.parse import quote

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_safe

from models_hub import browsing, permissions, referencing, tracing
from models_hub.addressing import split_place
from models_hub.browsing import Entry
from models_hub.models import Commit, Repo
from models_hub.viewers import choosing
from models_hub.viewers.shown import Place, Shown
from models_hub.views import committing
from models_hub.views.pages import repo_page, respond

MAX_ENTRIES = 1000
README = "README.md"


class Crumb(NamedTuple):
    """One folder on the way to a file."""

    name: str
    path: str


@repo_page
@require_safe
def folder(request: HttpRequest, repo: Repo, place: str) -> HttpResponse:
    """The files of a folder, with the commit that last changed each."""
    revision, path = split_place(repo, place)
    commit = browsing.resolve_revision(repo, revision)
    if path and not browsing.find_item(repo, commit, path).is_folder:
        return redirect(f"{repo.path}/blob/{quote(revision)}/{quote(path)}")
    items = sorted(browsing.items_below(repo, commit, path).items(), key=lambda item: not item[1].is_folder)
    shown = browsing.entries(repo, dict(items[:MAX_ENTRIES]))
    changed = tracing.last_commits(repo, commit, [entry.path for entry in shown])
    return respond(
        request,
        repo,
        "models_hub/files/folder.html",
        tab="files",
        rows=[(entry, changed.get(entry.path)) for entry in shown],
        count=len(items),
        **_place(request, repo, commit, revision, path),
    )


@repo_page
@require_safe
def file(request: HttpRequest, repo: Repo, place: str) -> HttpResponse:
    """One file: what it holds, as far as a page can show it, and its facts."""
    revision, path = split_place(repo, place)
    permissions.require_download(request.user, repo)
    commit = browsing.resolve_revision(repo, revision)
    entry = browsing.find(repo, commit, path)
    if entry.is_folder:
        return redirect(f"{repo.path}/tree/{quote(revision)}/{quote(path)}")
    shown = choosing.shown(Place(repo, commit, revision, entry, request.GET))
    place_of_file = _place(request, repo, commit, revision, path)
    return respond(
        request,
        repo,
        "models_hub/files/file.html",
        tab="files",
        entry=entry,
        shown=shown,
        viewer=f"models_hub/viewers/_{shown.kind}.html",
        runs_code=choosing.runs_code(path),
        has_tokenizer=path.rpartition("/")[2] == "tokenizer.json",
        last=tracing.last_commits(repo, commit, [path]).get(path),
        may_edit=place_of_file["may_change"] and _is_small_text(entry, shown),
        **place_of_file,
    )


def _place(request: HttpRequest, repo: Repo, commit: Commit, revision: str, path: str) -> dict[str, Any]:
    """Where the reader is: revision, folders on the way, and the revisions to choose from."""
    parts = path.split("/") if path else []
    branches, tags = referencing.branches(repo), referencing.tags(repo)
    return {
        "revision": revision,
        "commit": commit,
        "path": path,
        "crumbs": [Crumb(part, "/".join(parts[: index + 1])) for index, part in enumerate(parts)],
        "branches": branches,
        "tags": tags,
        "may_change": committing.may_change(request.user, repo, revision),
    }


def _is_small_text(entry: Entry, shown: Shown) -> bool:
    return entry.blob is None and shown.is_text
