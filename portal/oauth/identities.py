"""Who a person is, told to an app: the claims of OpenID Connect, and the id token that carries them signed."""

import hashlib
import json
import time
from typing import Any

import jwt
from allauth.account.models import EmailAddress
from jwt.algorithms import ECAlgorithm

from portal.models import Authorization, Membership
from portal.sealing import signing_key

ALGORITHM = "ES256"
LIFE_SECONDS = 3600
PURPOSE = "portal id token"


def public_key() -> dict[str, Any]:
    """Return the key by which anybody may check an id token, as a JWK."""
    key: dict[str, Any] = json.loads(ECAlgorithm.to_jwk(signing_key(PURPOSE).public_key()))
    number = hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()[:16]
    return key | {"kid": number, "use": "sig", "alg": ALGORITHM}


def claims(authorization: Authorization, *, site: str) -> dict[str, Any]:
    """Return what an app may know of the person; `site` is the address of this portal."""
    user, scopes = authorization.user, authorization.scopes
    told: dict[str, Any] = {"sub": f"{user.pk:024x}"}
    if "profile" in scopes:
        told |= {
            "name": user.display_name,
            "preferred_username": user.username,
            "profile": f"{site}/{user.username}",
            "picture": f"{site}/avatars/{user.username}",
            "website": "",
            "isPro": False,
            "canPay": False,
            "orgs": [_organization(membership, site) for membership in _memberships(authorization)],
        }
    if "email" in scopes:
        verified = EmailAddress.objects.filter(user=user, email__iexact=user.email, verified=True).exists()
        told |= {"email": user.email, "email_verified": verified}
    return told


def id_token(authorization: Authorization, *, site: str, nonce: str) -> str:
    """Return the signed statement of who has signed in, for this app alone."""
    now = int(time.time())
    stated = claims(authorization, site=site) | {
        "iss": site,
        "aud": authorization.app.client_id,
        "iat": now,
        "auth_time": int(authorization.created_at.timestamp()),
        "exp": now + LIFE_SECONDS,
    }
    if nonce:
        stated["nonce"] = nonce
    key = signing_key(PURPOSE)
    return jwt.encode(stated, key, algorithm=ALGORITHM, headers={"kid": public_key()["kid"]})


def _memberships(authorization: Authorization) -> list[Membership]:
    rows = Membership.objects.filter(user=authorization.user).select_related("organization")
    return list(rows.order_by("organization__name"))


def _organization(membership: Membership, site: str) -> dict[str, Any]:
    organization = membership.organization
    return {
        "sub": f"{organization.pk:024x}",
        "name": organization.display_name,
        "preferred_username": organization.name,
        "picture": f"{site}/avatars/{organization.name}",
        "plan": None,
        "canPay": False,
        "roleInOrg": membership.role,
    }
