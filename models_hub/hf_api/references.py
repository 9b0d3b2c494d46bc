"""Branches and tags on the wire."""

from typing import Any

from django.http import JsonResponse
from django.http.response import HttpResponseBase

from models_hub import referencing
from models_hub.hf_api.calls import Call, text
from models_hub.models import DEFAULT_BRANCH, Ref
from models_hub.models.pull_requests import PULLS


def refs(call: Call, kind: str, namespace: str, name: str) -> HttpResponseBase:
    repo = call.repo(kind, namespace, name)
    shown: dict[str, Any] = {
        "branches": [_shown(ref) for ref in referencing.branches(repo)],
        "converts": [],
        "tags": [_shown(ref) for ref in referencing.tags(repo)],
    }
    if call.flag("include_prs"):
        shown["pullRequests"] = [
            {"name": ref.name.removeprefix(PULLS), "ref": ref.name, "targetCommit": ref.oid}
            for ref in referencing.pull_requests(repo)
        ]
    return JsonResponse(shown)


def create_branch(call: Call, kind: str, namespace: str, name: str, branch: str) -> HttpResponseBase:
    repo = call.writable_repo(kind, namespace, name)
    start = text(call.json().get("startingPoint"), "startingPoint", default=DEFAULT_BRANCH)
    referencing.create_branch(repo, by=call.user, name=branch, start=start)
    return JsonResponse({}, status=201)


def delete_branch(call: Call, kind: str, namespace: str, name: str, branch: str) -> HttpResponseBase:
    referencing.delete_branch(call.writable_repo(kind, namespace, name), by=call.user, name=branch)
    return JsonResponse({})


def create_tag(call: Call, kind: str, namespace: str, name: str, revision: str) -> HttpResponseBase:
    repo, body = call.writable_repo(kind, namespace, name), call.json()
    referencing.create_tag(
        repo,
        by=call.user,
        name=text(body.get("tag"), "tag"),
        revision=revision,
        message=text(body.get("message"), "message", default=""),
    )
    return JsonResponse({}, status=201)


def delete_tag(call: Call, kind: str, namespace: str, name: str, revision: str) -> HttpResponseBase:
    referencing.delete_tag(call.writable_repo(kind, namespace, name), by=call.user, name=revision)
    return JsonResponse({})


def _shown(ref: Ref) -> dict[str, str]:
    return {"name": ref.short_name, "ref": ref.name, "targetCommit": ref.oid}
