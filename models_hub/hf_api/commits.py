"""Commits on the wire: made from a stream of JSON lines, and listed."""

from typing import Any

from django.http import JsonResponse
from django.http.response import HttpResponseBase
from django.utils.html import escape

from models_hub import browsing, publishing
from models_hub.hf_api import ndjson
from models_hub.hf_api.calls import Call
from models_hub.hf_api.shapes import page, read_cursor, timestamp
from models_hub.hf_api.uploads import may_commit
from models_hub.models import Commit, PullRequest, Repo
from models_hub.models.refs import HEADS

PAGE = 100


def create(call: Call, kind: str, namespace: str, name: str, revision: str) -> HttpResponseBase:
    """Commit to a branch or a pull request; with create_pr, to a new pull request for the branch."""
    repo, branch = call.repo(kind, namespace, name), revision.removeprefix(HEADS)
    user = may_commit(call, repo, branch)
    header, changes = ndjson.read_commit(call.request)
    title, description, parent = header.title, header.description, header.parent
    if call.flag("create_pr"):
        pull, made = publishing.propose(
            repo=repo, by=user, changes=changes, title=title, description=description, base=branch, parent=parent
        )
        return _made(call, repo, made, pull)
    made = publishing.commit(
        repo=repo, by=user, changes=changes, title=title, description=description, branch=branch, parent=parent
    )
    return _made(call, repo, made)


def history(call: Call, kind: str, namespace: str, name: str, revision: str) -> HttpResponseBase:
    repo = call.repo(kind, namespace, name)
    commit = browsing.resolve_revision(repo, revision)
    size, start = call.number("limit", PAGE, PAGE), _start(call)
    rows = browsing.history(repo, commit, start, size + 1)
    formatted = "formatted" in call.words("expand")
    shown = [_shown(row, formatted=formatted) for row in rows[:size]]
    return page(call, shown, cursor=[start + size] if len(rows) > size else None)


def _made(call: Call, repo: Repo, made: Commit, pull: PullRequest | None = None) -> JsonResponse:
    shown = {
        "success": True,
        "commitUrl": f"{call.origin}{repo.path}/commit/{made.oid}",
        "commitOid": made.oid,
        "hookOutput": "",
    }
    if pull is not None:
        shown["pullRequestUrl"] = f"{call.origin}{repo.path}/discussions/{pull.number}"
    return JsonResponse(shown)


def _start(call: Call) -> int:
    cursor = read_cursor(call)
    return cursor[0] if cursor and isinstance(cursor[0], int) and 0 <= cursor[0] < 10**9 else 0


def _shown(commit: Commit, *, formatted: bool) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "id": commit.oid,
        "title": commit.title,
        "message": commit.description,
        "date": timestamp(commit.authored_at),
        "authors": [{"user": commit.author_name, "avatar": ""}],
    }
    if formatted:
        shown["formatted"] = {"title": escape(commit.title), "message": escape(commit.description)}
    return shown
