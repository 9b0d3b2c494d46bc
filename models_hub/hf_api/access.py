"""Requests for access to gated repositories on the wire."""

from typing import Any

from django.http import JsonResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _

from models_hub import gating
from models_hub.hf_api.calls import Call, text
from models_hub.hf_api.shapes import page, paged, timestamp
from models_hub.models import AccessRequest
from portal.errors import InvalidInput, NotFound

PAGE = 500


def ask(call: Call, kind: str, namespace: str, name: str) -> HttpResponseBase:
    """Ask for access as the box on the repository's page does."""
    repo = call.repo(kind, namespace, name)
    made = gating.ask(repo, by=call.actor("discussions"), answers=call.json())
    return JsonResponse({"status": made.status, "requestId": _id(made)})


def listed(call: Call, kind: str, namespace: str, name: str, status: str) -> HttpResponseBase:
    repo = call.writable_repo(kind, namespace, name)
    gating.require_gated(repo)
    if status not in AccessRequest.Status.values:
        raise NotFound(_("There is no such list: ask for pending, accepted or rejected."))
    rows, cursor = paged(call, AccessRequest.objects.filter(repo=repo, status=status).select_related("user"), PAGE)
    return page(call, [_shown(row) for row in gating.in_order(repo, rows)], cursor=cursor)


def handle(call: Call, kind: str, namespace: str, name: str) -> HttpResponseBase:
    repo, body = call.writable_repo(kind, namespace, name), call.json()
    user, request_id = body.get("user"), body.get("requestId")
    if (user is None) == (request_id is None):
        raise InvalidInput(_("Name either “user” or “requestId”."))
    row = gating.find(
        repo,
        by=call.user,
        username=None if user is None else text(user, "user"),
        request_id=None if request_id is None else text(request_id, "requestId"),
    )
    reason = text(body.get("rejectionReason"), "rejectionReason", default="")
    gating.decide(row, by=call.user, status=text(body.get("status"), "status"), reason=reason)
    return JsonResponse({"status": row.status})


def grant(call: Call, kind: str, namespace: str, name: str) -> HttpResponseBase:
    repo = call.writable_repo(kind, namespace, name)
    row = gating.grant(repo, by=call.user, username=text(call.json().get("user"), "user"))
    return JsonResponse({"status": row.status, "requestId": _id(row)})


def _id(row: AccessRequest) -> str:
    return f"{row.pk:024x}"


def _shown(row: AccessRequest) -> dict[str, Any]:
    user = {"_id": f"{row.user_id:024x}", "user": row.user.username, "fullname": row.user.display_name, "type": "user"}
    if row.granted_by_id is None:  # who asked knows that the owner learns the address; who was let in does not
        user["email"] = row.user.email
    shown: dict[str, Any] = {
        "requestId": _id(row),
        "user": user,
        "timestamp": timestamp(row.created_at),
        "status": row.status,
    }
    if row.fields:
        shown["fields"] = row.fields
    if row.rejection_reason:
        shown["rejectionReason"] = row.rejection_reason
    return shown
