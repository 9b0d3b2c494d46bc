"""The history of a repository or of one path in it, and what each commit changed."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from models_hub import browsing, comparing, history, permissions, referencing
from models_hub.addressing import split_place
from models_hub.models import Commit, Repo
from models_hub.views import committing
from models_hub.views.pages import repo_page, respond

PAGE = 30


@repo_page
@require_safe
def commits(request: HttpRequest, repo: Repo, place: str) -> HttpResponse:
    """Commits reachable from a revision, newest first, with their graph; below a path, those that changed it."""
    revision, path = split_place(repo, place)
    commit = browsing.resolve_revision(repo, revision)
    asked = history.read_ends(request.GET.get("from", ""))
    ends = asked or [commit.oid]
    walked = history.of_path(repo, ends, path, PAGE) if path else history.walk(repo, ends, PAGE)
    oldest = walked.commits[-1] if path and walked.commits and not walked.ends else None
    graph = history.graph(walked.commits, asked if not path else [])
    return respond(
        request,
        repo,
        "models_hub/versions/list.html",
        tab="versions",
        page="commits",
        revision=revision,
        path=path,
        graph=None if path else graph,
        rows=graph.rows,
        oldest=oldest,
        former_name=comparing.renamed_from(repo, oldest, path) if oldest else None,
        is_first=not asked,
        older=",".join(walked.ends if path else [oid for oid in graph.ends if oid in walked.ends]),
        branches=referencing.branches(repo),
        tags=referencing.tags(repo),
        head=commit,
        may_change=committing.may_change(request.user, repo, revision),
    )


@repo_page
@require_safe
def commit(request: HttpRequest, repo: Repo, oid: str) -> HttpResponse:
    """One commit: its message and what it changed."""
    permissions.require_download(request.user, repo)
    row = browsing.resolve_revision(repo, oid)
    parents = {one.oid: one for one in Commit.objects.filter(repo=repo, oid__in=row.parents)}
    parent = parents.get(row.parents[0]) if row.parents else None
    return respond(
        request,
        repo,
        "models_hub/versions/commit.html",
        tab="versions",
        commit=row,
        parent=parent,
        parents=[parents[one] for one in row.parents if one in parents],
        comparison=comparing.between(repo, parent, row),
        weights_changed=bool(row.weights_digest) and (parent is None or parent.weights_digest != row.weights_digest),
    )
