"""Who the caller is."""

from typing import Any

from django.http import JsonResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _

from models_hub.hf_api.calls import Call
from models_hub.hf_api.shapes import timestamp
from portal.errors import SignInRequired
from portal.models import Membership, User


def whoami(call: Call) -> HttpResponseBase:
    user = call.user
    if not isinstance(user, User):
        raise SignInRequired(_("Sign in first."))
    memberships = Membership.objects.filter(user=user).select_related("organization").order_by("organization__name")
    return JsonResponse(
        {
            "type": "user",
            "id": f"{user.pk:024x}",
            "name": user.username,
            "fullname": user.display_name,
            "email": user.email or None,
            "isPro": False,
            "canPay": False,
            "avatarUrl": "",
            "orgs": [_organization(membership) for membership in memberships],
            "auth": _means(call),
        }
    )


def _organization(membership: Membership) -> dict[str, Any]:
    organization = membership.organization
    return {
        "type": "org",
        "id": f"{organization.pk:024x}",
        "name": organization.name,
        "fullname": organization.title or organization.name,
        "isEnterprise": False,
        "roleInOrg": membership.role,
        "avatarUrl": "",
    }


def _means(call: Call) -> dict[str, Any]:
    token = call.caller.token
    if token is None:
        return {"type": "session"}
    shown = {"displayName": token.name, "role": token.role, "createdAt": timestamp(token.created_at)}
    return {"type": "access_token", "accessToken": shown}
