"""What an issuer states of a program that it runs: a signed token (JWT) that is good for some minutes."""

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
from django.utils.translation import gettext as _

from portal.models import TrustedPublisher
from portal.oauth import issuers
from portal.oauth.errors import OAuthError

# Signatures by a private key alone: with a shared one, or none, anybody could make a statement.
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
MAX_LENGTH = 16 * 1024
MAX_LIFE = timedelta(days=1)
LEEWAY = timedelta(seconds=60)
REQUIRED = ("iss", "sub", "aud", "exp", "iat")


@dataclass(frozen=True)
class Statement:
    """A statement whose signature and times were checked; `digest` tells it from all others."""

    issuer: str
    audience: str
    claims: dict[str, Any]
    digest: str
    expires_at: datetime

    def text(self, name: str) -> str:
        """Return a claim as text, "" without it."""
        value = self.claims.get(name, "")
        return str(value) if isinstance(value, (str, int)) else ""


def read(token: str) -> Statement:
    """Return what a token states once its signature is proved; raises OAuthError. For whom it is, callers check."""
    issuer, number, algorithm = _unproved(token)
    # Nobody can make the portal call an address that nobody here trusts.
    if not issuers.is_allowed(issuer) or not TrustedPublisher.objects.filter(issuer=issuer).exists():
        raise OAuthError("invalid_grant", _("No trusted publisher accepts this token."))
    claims = _proved(token, issuers.key_of(issuer, number), algorithm, issuer)
    audience = claims["aud"][0] if isinstance(claims["aud"], list) and len(claims["aud"]) == 1 else claims["aud"]
    if not isinstance(audience, str):
        raise OAuthError(
            "invalid_grant", _("The token is for several audiences; ask your provider for one of its own.")
        )
    if claims["exp"] - claims["iat"] > MAX_LIFE.total_seconds():
        raise OAuthError("invalid_grant", _("The token is good for more than a day, which is too long."))
    expires_at = datetime.fromtimestamp(claims["exp"], UTC)
    return Statement(issuer, audience, claims, _digest(issuer, claims, token), expires_at)


def _unproved(token: str) -> tuple[str, str, str]:
    """Return issuer, number of the key, and algorithm as the token itself has them."""
    refused = OAuthError("invalid_request", _("The subject_token is not a signed token (JWT) of an issuer."))
    if len(token) > MAX_LENGTH or not token.isascii():
        raise refused
    try:
        header = jwt.get_unverified_header(token)
        claims = jwt.decode(token, options={"verify_signature": False})
    except (jwt.PyJWTError, ValueError, RecursionError) as error:
        raise refused from error
    issuer, number, algorithm = claims.get("iss"), header.get("kid"), header.get("alg")
    if not isinstance(issuer, str) or not isinstance(number, str) or algorithm not in ALGORITHMS:
        raise refused
    return issuer, number, str(algorithm)


def _proved(token: str, key: issuers.Key, algorithm: str, issuer: str) -> dict[str, Any]:
    refused = OAuthError("invalid_grant", _("The signature or the times of the token are not right."))
    if key.get("alg", algorithm) != algorithm:
        raise refused
    try:
        public = jwt.PyJWK(key, algorithm=algorithm)
        claims: dict[str, Any] = jwt.decode(
            token,
            public,
            algorithms=[algorithm],
            issuer=issuer,
            leeway=LEEWAY,
            options={"require": list(REQUIRED), "verify_aud": False, "enforce_minimum_key_length": True},
        )
    except (jwt.PyJWTError, ValueError, TypeError, KeyError, OverflowError) as error:
        raise refused from error
    if not all(isinstance(claims[name], (int, float)) for name in ("exp", "iat")):
        raise refused
    return claims


def _digest(issuer: str, claims: dict[str, Any], token: str) -> str:
    """Return what is kept of a statement that was used: of its number, or of all that was signed."""
    number = claims.get("jti")
    known = json.dumps([issuer, number]) if isinstance(number, str) and number else token.rpartition(".")[0]
    return hashlib.sha256(known.encode()).hexdigest()
