"""Likes on the wire."""

from django.http import JsonResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _

from models_hub import liking
from models_hub.hf_api.calls import Call
from models_hub.hf_api.people import person_row
from models_hub.hf_api.shapes import page, paged, timestamp
from portal.errors import NotFound
from portal.models import User

PAGE = 500


def like(call: Call, kind: str, namespace: str, name: str) -> HttpResponseBase:
    repo = call.repo(kind, namespace, name)
    liking.like(repo, by=call.actor("discussions"))
    return JsonResponse({"likes": repo.likes})


def unlike(call: Call, kind: str, namespace: str, name: str) -> HttpResponseBase:
    repo = call.repo(kind, namespace, name)
    liking.unlike(repo, by=call.actor("discussions"))
    return JsonResponse({"likes": repo.likes})


def likers(call: Call, kind: str, namespace: str, name: str) -> HttpResponseBase:
    repo = call.repo(kind, namespace, name)
    rows, cursor = paged(call, liking.likers_of(repo, seen_by=call.user), PAGE)
    shown = [{"_id": f"{row.user_id:024x}", **person_row(call, row.user)} for row in rows]
    return page(call, shown, cursor=cursor)


def of_user(call: Call, username: str) -> HttpResponseBase:
    found = User.objects.named(username).filter(is_active=True).first()
    if found is None:
        raise NotFound(_("There is nobody with this user name."))
    rows, cursor = paged(call, liking.likes_of(found, seen_by=call.user), PAGE)
    shown = [
        {"createdAt": timestamp(row.created_at), "repo": {"name": row.repo.full_name, "type": row.repo.kind}}
        for row in rows
    ]
    return page(call, shown, cursor=cursor)
