"""Discussions listed, opened and told in full."""

from typing import Any

from django.http import JsonResponse
from django.http.response import HttpResponseBase

from forum import discussing, reviewing
from forum.hf_api import shapes
from forum.models import Topic
from models_hub import permissions, proposing
from models_hub.hf_api.calls import Call, text
from models_hub.models import PullRequest, Repo
from portal.models import User

PAGE = 50
MAX_PAGE = 100_000


def listed(call: Call, kind: str, namespace: str, name: str) -> HttpResponseBase:
    """Answer one page, newest first; clients ask for the next one while `start` and its length are below `count`."""
    repo = call.repo(kind, namespace, name)
    found = _filtered(call, Topic.objects.of(repo, call.user))
    start = (call.number("p", 0, MAX_PAGE) if call.request.GET.get("p", "0") != "0" else 0) * PAGE
    rows = found.newest()[start : start + PAGE]
    return JsonResponse(
        {"count": found.count(), "start": start, "discussions": [shapes.topic(repo, row) for row in rows]}
    )


def create(call: Call, kind: str, namespace: str, name: str) -> HttpResponseBase:
    """A pull request opened without changes is a draft, which grows by commits to its reference."""
    repo, user, body = call.repo(kind, namespace, name), call.writer(), call.json()
    title = text(body.get("title"), "title")
    description = text(body.get("description"), "description", default="")
    if body.get("pullRequest") is True:
        pull = proposing.open_pull_request(repo=repo, by=user, title=title, description=description, draft=True)
        number: int | None = pull.number
    else:
        number = discussing.open_discussion(repo=repo, by=user, title=title, text=description).number
    return JsonResponse({"num": number, "url": f"{call.origin}{repo.path}/discussions/{number}"})


def details(call: Call, kind: str, namespace: str, name: str, number: int) -> HttpResponseBase:
    repo = call.repo(kind, namespace, name)
    topic = discussing.find(repo, number, call.user)
    shown = {**shapes.topic(repo, topic), "events": shapes.events(topic, call.user)}
    if topic.is_pull_request:
        shown |= _change(call, repo, proposing.find(repo, number))
    return JsonResponse(shown)


def _filtered(call: Call, rows: Any) -> Any:
    kind, status, author = (call.request.GET.get(name, "") for name in ("type", "status", "author"))
    if kind in {"discussion", "pull_request"}:
        rows = rows.filter(is_pull_request=kind == "pull_request")
    if status in {"open", "closed"}:
        rows = rows.live() if status == "open" else rows.over()
    return rows.filter(author__in=User.objects.named(author)) if author else rows


def _change(call: Call, repo: Repo, pull: PullRequest) -> dict[str, Any]:
    """Return what a pull request changes; file contents only for those who may download them."""
    review = reviewing.look(pull)
    changes = {"base": f"refs/heads/{pull.base}"} | ({"mergeCommitId": pull.merge_commit} if pull.merge_commit else {})
    shown: dict[str, Any] = {"changes": changes, "filesWithConflicts": review.conflicts}
    if call.flag("diff"):
        may_read = permissions.can_download(call.user, repo)
        shown["diff"] = shapes.git_diff(review.comparison()) if may_read else ""
    return shown
