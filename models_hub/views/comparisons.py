"""What differs between two revisions: files and lines, and what that means for card, configuration, weights, scores."""

from typing import NamedTuple
from urllib.parse import quote

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST, require_safe

from models_hub import ancestry, browsing, comparing, meaning, permissions, referencing, tensor_diffs
from models_hub.ancestry import Distance
from models_hub.browsing import RevisionNotFound
from models_hub.models import DEFAULT_BRANCH, Commit, Repo
from models_hub.views.pages import repo_page, respond
from portal.authentication import require_user

SINCE, DIRECT = "...", ".."
MAX_COMMITS = 30


class Asked(NamedTuple):
    """Two revisions, and whether the second is compared with the first itself or with where the two parted."""

    base: str
    head: str
    dots: str = SINCE

    @property
    def place(self) -> str:
        return f"{quote(self.base)}{self.dots}{quote(self.head)}"


@repo_page
@require_safe
def choose(request: HttpRequest, repo: Repo) -> HttpResponse:
    """Choose two revisions."""
    permissions.require_download(request.user, repo)
    base, head = request.GET.get("base", "").strip(), request.GET.get("head", "").strip()
    if base and head and len(base) + len(head) < 600:
        dots = DIRECT if request.GET.get("how") == "direct" else SINCE
        return redirect(f"{repo.path}/compare/{Asked(base, head, dots).place}")
    return _page(request, repo, Asked(base or DEFAULT_BRANCH, head))


@repo_page
@require_safe
def compare(request: HttpRequest, repo: Repo, revisions: str) -> HttpResponse:
    """Compare `base...head`: what head has since the two parted; or `base..head`: all that differs."""
    permissions.require_download(request.user, repo)
    asked = _asked(revisions)
    try:
        base, head = (browsing.resolve_revision(repo, name) for name in (asked.base, asked.head))
    except RevisionNotFound as error:
        return _page(request, repo, asked, status=404, problem=error.message)
    distance = ancestry.distances(repo, base.oid, [head.oid])[head.oid]
    old = _old(repo, base, head, asked, distance)
    comparison = comparing.between(repo, old, head)
    return _page(
        request,
        repo,
        asked,
        base=base,
        commit=head,
        parent=old,
        distance=distance,
        comparison=comparison,
        meaning=meaning.of(repo, comparison.changes),
        tensors=tensor_diffs.look(tensor_diffs.between(repo, old, head)),
        commits=ancestry.newest_added(repo, base.oid, head.oid, MAX_COMMITS),
        direct=Asked(asked.base, asked.head, DIRECT).place,
        reverse=Asked(asked.head, asked.base, asked.dots).place,
    )


@repo_page
@require_POST
def tensors(request: HttpRequest, repo: Repo, revisions: str) -> HttpResponse:
    """Have all bytes of the weights compared, which takes a job."""
    user = require_user(request)
    permissions.require_download(user, repo)
    asked = _asked(revisions)
    base, head = (browsing.resolve_revision(repo, name) for name in (asked.base, asked.head))
    distance = ancestry.distances(repo, base.oid, [head.oid])[head.oid]
    old = _old(repo, base, head, asked, distance) or base
    page = f"{repo.path}/compare/{asked.place}"
    planned = tensor_diffs.between(repo, old, head)
    tensor_diffs.request(repo, by=user, before=old, after=head, planned=planned, page=f"{page}#tensors")
    return redirect(f"{page}#tensors")


def _asked(revisions: str) -> Asked:
    """Read two revisions; git allows no two dots in a row in any name."""
    dots = SINCE if SINCE in revisions else DIRECT
    base, _dots, head = revisions.partition(dots)
    return Asked(base or DEFAULT_BRANCH, head or DEFAULT_BRANCH, dots)


def _old(repo: Repo, base: Commit, head: Commit, asked: Asked, distance: Distance) -> Commit | None:
    """Return the commit with which head is compared, None for nothing at all."""
    if asked.dots == DIRECT or not distance.behind:
        return base
    oid = ancestry.merge_base(repo, base.oid, head.oid)
    return Commit.objects.filter(repo=repo, oid=oid).first() if oid else None


def _page(request: HttpRequest, repo: Repo, asked: Asked, *, status: int = 200, **context: object) -> HttpResponse:
    return respond(
        request,
        repo,
        "models_hub/versions/compare.html",
        tab="versions",
        page="compare",
        status=status,
        asked=asked,
        branches=referencing.branches(repo),
        tags=referencing.tags(repo),
        **context,
    )
