"""Who the caller is, with which token, and what the caller's repositories hold."""

from typing import Any

from allauth.account.models import EmailAddress
from django.db.models import Sum
from django.http import JsonResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _

from models_hub.hf_api.calls import Call
from models_hub.hf_api.people import PAGE, avatar
from models_hub.hf_api.shapes import page, paged, timestamp
from models_hub.models import QuotaEntry, Repo
from portal.errors import NotFound, SignInRequired
from portal.models import AccessToken, Membership, Namespace, User
from portal.reach import Level

MAX_REPORT_BYTES = 4096
# What the Hub calls the levels of a grant.
_PERMISSIONS = {
    Level.READ: ["repo.content.read"],
    Level.WRITE: ["repo.content.read", "repo.write"],
    Level.MANAGE: ["repo.content.read", "repo.write", "repo.settings.write"],
}


def whoami(call: Call) -> HttpResponseBase:
    user, token = call.user, call.caller.token
    if not isinstance(user, User):
        raise SignInRequired(_("Sign in first."))
    scopes = token.told if token else ["profile", "email"]
    told: dict[str, Any] = {
        "type": "user",
        "id": f"{user.pk:024x}",
        "name": user.username,
        "fullname": user.display_name,
        "isPro": False,
        "canPay": False,
        "periodEnd": None,
        "avatarUrl": avatar(call, user.username),
        "orgs": _organizations(call, user) if "profile" in scopes else [],
        "auth": _means(token),
    }
    if "email" in scopes:
        verified = EmailAddress.objects.filter(user=user, email__iexact=user.email, verified=True).exists()
        told |= {"email": user.email or None, "emailVerified": verified}
    return JsonResponse(told)


def own_repositories(call: Call) -> HttpResponseBase:
    """What the caller's own repositories hold (`hf repos ls`)."""
    user = call.user
    if not isinstance(user, User):
        raise SignInRequired(_("Sign in first."))
    return _repositories(call, user.namespace)


def organization_repositories(call: Call, namespace: str) -> HttpResponseBase:
    """What the repositories of one of the caller's organizations hold."""
    if not isinstance(call.user, User):
        raise SignInRequired(_("Sign in first."))
    mine = Membership.objects.filter(user=call.user).values("organization_id")
    owner = Namespace.objects.named(namespace).filter(organization_id__in=mine).first()
    if owner is None:
        raise NotFound(_("You are in no organization of this name."))
    return _repositories(call, owner)


def report_token(call: Call) -> HttpResponseBase:
    """End a token that somebody found in public. The answer is the same whether it was one of ours or not."""
    secret = call.json(MAX_REPORT_BYTES).get("token")
    token = AccessToken.find(secret) if isinstance(secret, str) else None
    if token:
        token.revoke()
    return JsonResponse({}, status=202)


def _repositories(call: Call, owner: Namespace) -> HttpResponseBase:
    visible = Repo.objects.visible_to(call.user).filter(namespace=owner)
    rows, cursor = paged(call, visible.select_related("namespace"), PAGE)
    held = _held(QuotaEntry.objects.filter(repo__in=[row.pk for row in rows]))
    # A limited token learns no share of what it does not see.
    total = sum(_held(QuotaEntry.objects.filter(repo__in=visible.order_by())).values())
    return page(call, [_storage(row, held.get(row.pk, row.size), total) for row in rows], cursor=cursor)


def _held(entries: Any) -> dict[int, int]:
    """Return how many bytes of the ledger belong to each repository."""
    return dict(entries.values_list("repo_id").annotate(Sum("bytes")))


def _storage(repo: Repo, held: int, total: int) -> dict[str, Any]:
    return {
        "id": repo.full_name,
        "type": repo.kind,
        "updatedAt": timestamp(repo.updated_at),
        "visibility": "private" if repo.private else "public",
        "storage": held,
        "storagePercent": round(100 * held / max(total, held), 2) if held > 0 else 0,
    }


def _organizations(call: Call, user: User) -> list[dict[str, Any]]:
    memberships = Membership.objects.filter(user=user).select_related("organization").order_by("organization__name")
    return [
        {
            "type": "org",
            "id": f"{membership.organization.pk:024x}",
            "name": membership.organization.name,
            "fullname": membership.organization.display_name,
            "email": None,
            "canPay": False,
            "periodEnd": None,
            "isEnterprise": False,
            "roleInOrg": membership.role,
            "avatarUrl": avatar(call, membership.organization.name),
        }
        for membership in memberships
    ]


def _means(token: AccessToken | None) -> dict[str, Any]:
    if token is None:
        return {"type": "session"}
    shown: dict[str, Any] = {"role": token.role, "createdAt": timestamp(token.created_at)}
    if token.expires_at:
        shown["expiration"] = timestamp(token.expires_at)
    if token.authorization:
        # Clients keep such a token under the account's name: it has none of its own.
        shown["role"] = "write" if token.may_write else "read"
        return {"type": "oauth", "accessToken": shown, "scopes": token.authorization.scopes}
    shown["displayName"] = token.name
    if token.role == AccessToken.Role.FINE_GRAINED:
        shown["fineGrained"] = _given(token)
    return {"type": "access_token", "accessToken": shown}


def _given(token: AccessToken) -> dict[str, Any]:
    scoped = []
    for grant in token.grants.select_related("namespace"):
        kind = "user" if grant.namespace.user_id else "org"
        number = grant.repo_id or grant.namespace.user_id or grant.namespace.organization_id
        first, _slash, rest = grant.label.partition("/")
        if grant.repo_id:
            kind = first.removesuffix("s") if first in {"datasets", "spaces"} else "model"
        name = grant.namespace.name if not grant.repo_id else rest if kind != "model" else grant.label
        entity = {"_id": f"{number:024x}", "type": kind, "name": name}
        scoped.append({"entity": entity, "permissions": _PERMISSIONS[Level(grant.level)]})
    return {"canReadGatedRepos": bool(scoped), "global": token.permissions, "scoped": scoped}
