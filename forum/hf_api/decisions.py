"""What is decided about a discussion or a pull request: title, status, merge."""

from django.http import JsonResponse
from django.http.response import HttpResponseBase

from forum import discussing
from forum.hf_api import shapes
from models_hub import merging, proposing
from models_hub.hf_api.calls import Call, text
from models_hub.merging import Method


def rename(call: Call, kind: str, namespace: str, name: str, number: int) -> HttpResponseBase:
    topic = discussing.find(call.repo(kind, namespace, name), number, call.user)
    note = discussing.rename(topic, by=call.writer(), title=text(call.json().get("title"), "title"))
    return JsonResponse({"newTitle": shapes.event(note)})


def change_status(call: Call, kind: str, namespace: str, name: str, number: int) -> HttpResponseBase:
    topic = discussing.find(call.repo(kind, namespace, name), number, call.user)
    user, body = call.writer(), call.json()
    note = discussing.change_status(
        topic,
        by=user,
        status=text(body.get("status"), "status"),
        comment=text(body.get("comment"), "comment", default=""),
    )
    return JsonResponse({"newStatus": shapes.event(note)})


def merge(call: Call, kind: str, namespace: str, name: str, number: int) -> HttpResponseBase:
    """Clients send a comment or nothing; `method` and `head`, the commit that was looked at, are ours."""
    repo, user, body = call.repo(kind, namespace, name), call.writer(), call.json()
    pull = proposing.find(repo, number)
    made = merging.merge(
        pull,
        by=user,
        method=text(body.get("method"), "method", default=Method.MERGE),
        head=text(body.get("head"), "head", default="") or None,
        comment=text(body.get("comment"), "comment", default=""),
    )
    return JsonResponse({"status": pull.status, "mergeCommitId": made.oid})
