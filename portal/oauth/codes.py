"""The authorization code: a browser carries it to an app's own address, where it is good once and not for long."""

import base64
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlencode

from django.db import transaction
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext as _

from portal.models import AuthorizationCode, OAuthApp, User
from portal.models.tokens import digest_of, new_secret
from portal.oauth import granting, registering
from portal.oauth.errors import OAuthError, UnsafeAddress
from portal.oauth.granting import Issued
from portal.scopes import DEFAULT, known

LIFE = timedelta(minutes=5)
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")


@dataclass(frozen=True)
class Asked:
    """What an app asks of a person, checked."""

    app: OAuthApp
    redirect_uri: str
    scopes: list[str]
    state: str
    challenge: str
    nonce: str

    def back(self, **answer: str) -> str:
        """Return the app's own address with an answer."""
        joint = "&" if "?" in self.redirect_uri else "?"
        return f"{self.redirect_uri}{joint}{urlencode(answer | ({'state': self.state} if self.state else {}))}"


def read(query: Mapping[str, str]) -> Asked:
    """Check a request for authorization.

    Raises UnsafeAddress when its sender cannot be answered, OAuthError when it can.
    """
    app = registering.find(query.get("client_id", "")[:64])
    if app is None:
        raise UnsafeAddress("invalid_client", _("No app has this client_id."))
    address = query.get("redirect_uri", "")
    if not address and len(app.redirect_uris) == 1:
        address = app.redirect_uris[0]
    if address not in app.redirect_uris:
        raise UnsafeAddress("invalid_request", _("The redirect_uri is not one of those that the app has registered."))
    return Asked(
        app=app,
        redirect_uri=address,
        scopes=known(query.get("scope", "") or DEFAULT),
        state=query.get("state", "")[:1000],
        challenge=query.get("code_challenge", ""),
        nonce=query.get("nonce", "")[:300],
    )


def check(asked: Asked, query: Mapping[str, str]) -> None:
    """Raise OAuthError, to be sent to the app, when it asks for what is not given here."""
    if query.get("response_type") != "code":
        raise OAuthError("unsupported_response_type", _("response_type must be “code”."))
    if asked.challenge and (
        query.get("code_challenge_method", "plain") != "S256" or not _CHALLENGE.fullmatch(asked.challenge)
    ):
        raise OAuthError("invalid_request", _("Use PKCE with the method S256."))
    if asked.app.is_public and not asked.challenge:
        raise OAuthError("invalid_request", _("An app without a secret must use PKCE: send a code_challenge."))
    if not asked.scopes:
        raise OAuthError("invalid_scope", _("None of the scopes exists here."))


def issue(asked: Asked, *, user: User) -> str:
    """Return a code for what `user` has just allowed."""
    secret = new_secret("")
    AuthorizationCode.objects.filter(expires_at__lt=timezone.now() - timedelta(days=1)).delete()
    AuthorizationCode.objects.create(
        digest=digest_of(secret),
        app=asked.app,
        user=user,
        scope=" ".join(asked.scopes),
        redirect_uri=asked.redirect_uri,
        challenge=asked.challenge,
        nonce=asked.nonce,
        expires_at=timezone.now() + LIFE,
    )
    return secret


def redeem(app: OAuthApp, *, code: str, redirect_uri: str, verifier: str) -> tuple[Issued, str]:
    """Exchange a code for tokens, and return them with the nonce for the id token.

    A code that comes twice was stolen: what it was exchanged for ends.
    """
    refused = OAuthError("invalid_grant", _("The code is unknown, has expired, was used or belongs to another app."))
    with transaction.atomic():
        rows = AuthorizationCode.objects.select_for_update(of=("self",)).select_related("user", "authorization__user")
        row = rows.filter(digest=digest_of(code), app=app).first()
        if row is None or (row.used_at is None and row.expires_at <= timezone.now()) or not row.user.is_active:
            raise refused
        stolen = row.authorization if row.used_at else None
        if row.used_at is None:
            if row.redirect_uri != redirect_uri and (redirect_uri or len(app.redirect_uris) != 1):
                raise OAuthError("invalid_grant", _("The redirect_uri is not the one of the request."))
            _check_verifier(row.challenge, verifier)
            issued = granting.authorize(app=app, user=row.user, scope=row.scope)
            row.used_at, row.authorization = timezone.now(), issued.authorization
            row.save(update_fields=["used_at", "authorization"])
            return issued, row.nonce
    if stolen:
        granting.revoke(stolen)
    raise refused


def _check_verifier(challenge: str, verifier: str) -> None:
    if not challenge:
        return
    digest = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
    if not _VERIFIER.fullmatch(verifier) or not constant_time_compare(digest, challenge):
        raise OAuthError("invalid_grant", _("The code_verifier does not fit the code_challenge."))
