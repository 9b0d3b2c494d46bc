"""Comments of a discussion: added, edited, hidden."""

from django.http import JsonResponse
from django.http.response import HttpResponseBase

from forum import discussing
from forum.hf_api import shapes
from models_hub.hf_api.calls import Call, text


def add(call: Call, kind: str, namespace: str, name: str, number: int) -> HttpResponseBase:
    topic = discussing.find(call.repo(kind, namespace, name), number, call.user)
    post = discussing.comment(topic, by=call.writer(), text=text(call.json().get("comment"), "comment"))
    return JsonResponse({"newMessage": shapes.event(post)})


def edit(call: Call, kind: str, namespace: str, name: str, number: int, comment: str) -> HttpResponseBase:
    topic = discussing.find(call.repo(kind, namespace, name), number, call.user)
    post = discussing.find_comment(topic, comment, call.user)
    discussing.edit(post, by=call.writer(), text=text(call.json().get("content"), "content"))
    return JsonResponse({"updatedComment": shapes.event(post)})


def hide(call: Call, kind: str, namespace: str, name: str, number: int, comment: str) -> HttpResponseBase:
    topic = discussing.find(call.repo(kind, namespace, name), number, call.user)
    post = discussing.find_comment(topic, comment, call.user)
    discussing.hide(post, by=call.writer())
    return JsonResponse({"updatedComment": shapes.event(post)})
