"""Locks on the wire of git-lfs: https://github.com/git-lfs/git-lfs/blob/main/docs/api/locking.md"""

from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from models_hub import browsing, locking, permissions
from models_hub.git import lfs
from models_hub.locking import Locked
from models_hub.models import FileLock
from portal.errors import InvalidInput

PAGE = 100


@lfs.face
@require_http_methods(["GET", "HEAD", "POST"])
def locks(request: HttpRequest, kind: str, namespace: str, name: str) -> HttpResponseBase:
    """List locks, or lock a file."""
    caller = lfs.caller_of(request, kind, namespace, name)
    repo = browsing.visible_repo(caller.user, kind=kind, namespace=namespace, name=name)
    if request.method == "POST":
        lfs.require_writer(caller, repo)
        path = lfs.json_of(request).get("path")
        if not isinstance(path, str):
            raise InvalidInput(_("“%(field)s” must be given as text.") % {"field": "path"})
        try:
            made = locking.lock(repo, by=caller.user, path=path)
        except Locked as error:
            return lfs.answer({"lock": _shown(error.lock), "message": error.message}, status=409)
        return lfs.answer({"lock": _shown(made)}, status=201)
    permissions.require_download(caller.user, repo)
    asked = request.GET
    wanted = _number(asked["id"], "id") if "id" in asked else None
    page = locking.listed(
        repo,
        path=asked.get("path", ""),
        number=wanted,
        start=_start(asked.get("cursor")),
        limit=_limit(asked.get("limit")),
    )
    return lfs.answer({"locks": [_shown(row) for row in page.locks], **_next(page.next)})


@lfs.face
@require_POST
def verify(request: HttpRequest, kind: str, namespace: str, name: str) -> HttpResponseBase:
    """Tell whose locks stand before a push: git-lfs refuses it for files that others have locked."""
    caller = lfs.caller_of(request, kind, namespace, name)
    repo = browsing.visible_repo(caller.user, kind=kind, namespace=namespace, name=name)
    lfs.require_writer(caller, repo)
    body = lfs.json_of(request)
    page = locking.listed(repo, start=_start(body.get("cursor")), limit=_limit(body.get("limit")))
    mine = [row.owner_id == caller.user.pk for row in page.locks]
    sides: dict[str, list[Any]] = {"ours": [], "theirs": []}
    for row, own in zip(page.locks, mine, strict=True):
        sides["ours" if own else "theirs"].append(_shown(row))
    return lfs.answer({**sides, **_next(page.next)})


@lfs.face
@require_POST
def unlock(request: HttpRequest, kind: str, namespace: str, name: str, number: int) -> HttpResponseBase:
    """Give a file free."""
    caller = lfs.caller_of(request, kind, namespace, name)
    repo = browsing.visible_repo(caller.user, kind=kind, namespace=namespace, name=name)
    lfs.require_writer(caller, repo)
    force = lfs.json_of(request).get("force") is True
    return lfs.answer({"lock": _shown(locking.unlock(repo, by=caller.user, number=number, force=force))})


def _shown(row: FileLock) -> dict[str, Any]:
    return {
        "id": str(row.pk),
        "path": row.path,
        "locked_at": row.locked_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "owner": {"name": row.owner.username},
    }


def _next(start: int | None) -> dict[str, str]:
    return {} if start is None else {"next_cursor": str(start)}


def _start(value: Any) -> int:
    return _number(value, "cursor") if value else 0


def _limit(value: Any) -> int:
    return min(max(_number(value, "limit"), 1), PAGE) if value else PAGE


def _number(value: Any, what: str) -> int:
    text = str(value)
    if not (text.isascii() and text.isdigit() and len(text) < 18):
        raise InvalidInput(_("“%(field)s” must be a number.") % {"field": what})
    return int(text)
