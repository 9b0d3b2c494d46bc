"""The history of a repository, and what each commit changed."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from models_hub import browsing, comparing, permissions, referencing
from models_hub.addressing import split_place
from models_hub.models import Commit, Repo
from models_hub.views.pages import repo_page, respond

PAGE = 30


@repo_page
@require_safe
def commits(request: HttpRequest, repo: Repo, place: str) -> HttpResponse:
    """Commits reachable from a revision, newest first."""
    revision, _path = split_place(repo, place)
    commit = browsing.resolve_revision(repo, revision)
    start = _start(request)
    rows = browsing.history(repo, commit, start, PAGE + 1)
    return respond(
        request,
        repo,
        "models_hub/versions/list.html",
        tab="versions",
        revision=revision,
        commits=rows[:PAGE],
        newer=None if start == 0 else max(start - PAGE, 0),
        older=start + PAGE if len(rows) > PAGE else None,
        branches=referencing.branches(repo),
        tags=referencing.tags(repo),
        head=commit,
    )


@repo_page
@require_safe
def commit(request: HttpRequest, repo: Repo, oid: str) -> HttpResponse:
    """One commit: its message and what it changed."""
    permissions.require_download(request.user, repo)
    row = browsing.resolve_revision(repo, oid)
    parent = Commit.objects.filter(repo=repo, oid__in=row.parents[:1]).first()
    return respond(
        request,
        repo,
        "models_hub/versions/commit.html",
        tab="versions",
        commit=row,
        parent=parent,
        comparison=comparing.compare(repo, row),
        weights_changed=bool(row.weights_digest) and (parent is None or parent.weights_digest != row.weights_digest),
    )


def _start(request: HttpRequest) -> int:
    start = request.GET.get("start", "")
    return int(start) if start.isdecimal() and len(start) < 9 else 0
