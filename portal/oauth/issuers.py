"""The keys by which issuers sign: asked of the issuer itself, kept for a while, and again when a new one is named.

An address of an issuer is something that people typed: it is called through `portal/outbound.py`, within bounds.
"""

import hashlib
import json
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.cache import cache
from django.utils.translation import gettext as _

from portal import outbound
from portal.oauth.errors import OAuthError

KEEP_SECONDS = 3600
AGAIN_SECONDS = 30  # an issuer is asked no sooner again, whatever keys are named
MAX_KEYS = 50
DISCOVERY = "/.well-known/openid-configuration"
ANY = "*"

Key = dict[str, Any]


def is_allowed(issuer: str) -> bool:
    """Return whether this portal listens to an issuer: it is named in OIDC_ISSUERS, or all that use TLS are."""
    return issuer in settings.OIDC_ISSUERS or (ANY in settings.OIDC_ISSUERS and issuer.startswith("https://"))


def key_of(issuer: str, number: str) -> Key:
    """Return the public key with this number, as a JWK; raises OAuthError."""
    name = f"oidc:{hashlib.sha256(issuer.encode()).hexdigest()}"
    keys: dict[str, Key] | None = cache.get(name)
    if keys is None or number not in keys:
        if cache.add(f"{name}:asked", 1, AGAIN_SECONDS):
            keys = _fetch(issuer)
            cache.set(name, keys, KEEP_SECONDS)
        elif keys is None:
            raise _unreachable()
    if number not in keys:
        raise OAuthError("invalid_grant", _("The issuer has no key with which this token was signed."))
    return keys[number]


def _fetch(issuer: str) -> dict[str, Key]:
    """Ask an issuer for its keys, by number."""
    found = _json(issuer.rstrip("/") + DISCOVERY)
    address = found.get("jwks_uri")
    if found.get("issuer") != issuer or not isinstance(address, str) or not _is_as_safe(address, issuer):
        raise _unreachable()
    keys = _json(address).get("keys")
    if not isinstance(keys, list) or len(keys) > MAX_KEYS:
        raise _unreachable()
    signing = (key for key in keys if isinstance(key, dict) and key.get("use", "sig") == "sig")
    return {str(key["kid"]): key for key in signing if key.get("kid") and key.get("kty") in ("RSA", "EC", "OKP")}


def _is_as_safe(address: str, issuer: str) -> bool:
    """Without TLS nobody knows whose keys they are; only an issuer that an operator named may do without."""
    return address.startswith("https://") or urlsplit(issuer).scheme == "http"


def _json(address: str) -> dict[str, Any]:
    try:
        answer = outbound.send("GET", address, headers={"Accept": "application/json"})
        read = json.loads(answer.body) if answer.status == 200 else None
    except (outbound.Unreachable, ValueError, RecursionError) as error:
        raise _unreachable() from error
    if not isinstance(read, dict):
        raise _unreachable()
    return read


def _unreachable() -> OAuthError:
    return OAuthError("temporarily_unavailable", _("The keys of the issuer could not be read: try again in a minute."))
