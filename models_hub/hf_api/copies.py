"""A repository or a branch is made anew from what is there."""

from django.http import JsonResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _

from models_hub import copying, squashing
from models_hub.hf_api.calls import Call, text
from models_hub.hf_api.repos import refuse_unkept, wants_private
from portal.errors import InvalidInput


def duplicate(call: Call, kind: str, namespace: str, name: str) -> HttpResponseBase:
    source, body = call.repo(kind, namespace, name), call.json()
    user = call.writer()
    refuse_unkept(body)
    owner, slash, to = text(body.get("repository"), "repository").partition("/")
    if not slash:
        raise InvalidInput(_("“repository” must be a full name: namespace/name."))
    made = copying.duplicate(source, by=user, namespace=owner, name=to, private=wants_private(body))
    return JsonResponse(
        {"url": f"{call.origin}{made.path}", "name": made.full_name, "id": made.full_name, "filesCopyPending": False}
    )


def super_squash(call: Call, kind: str, namespace: str, name: str, branch: str) -> HttpResponseBase:
    repo = call.writable_repo(kind, namespace, name)
    message = text(call.json().get("message"), "message", default=f"Super-squash branch '{branch}'")
    made = squashing.super_squash(repo, by=call.user, branch=branch, message=message)
    return JsonResponse({"commitOid": made.oid})
