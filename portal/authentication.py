"""Who is asking: a token in a header, else the browser's session."""

import base64
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, TypeAlias

from allauth.account.decorators import reauthentication_required
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponseBase
from django.utils.translation import gettext as _
from rest_framework import exceptions
from rest_framework.authentication import BaseAuthentication
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from portal import rates
from portal.errors import NotAllowed, SignInRequired, TooOften
from portal.models import AccessToken, Asker, SshKey, User
from portal.reach import may_use

if TYPE_CHECKING:
    # At run time the framework's views import this module by its name in the settings.
    from rest_framework.views import APIView


View: TypeAlias = Callable[..., HttpResponseBase]


class BadToken(Exception):
    """A token was sent and it is not, or no longer, good."""


@dataclass(frozen=True)
class Caller:
    """The asker of one request, and the token or the SSH key used if there was one."""

    user: Asker
    token: AccessToken | None = None
    key: SshKey | None = None

    @property
    def may_write(self) -> bool:
        return (self.token is None or self.token.may_write) and (self.key is None or not self.key.read_only)

    def require_write(self) -> None:
        """Raise NotAllowed for a token or a key that may only read."""
        if self.may_write:
            return
        if self.key is not None:
            raise NotAllowed(_("This SSH key may only read: add one without this limit."))
        raise NotAllowed(_("This access token may only read: create one with the role “write”."))


def caller_from_header(header: str) -> Caller | None:
    """Return the caller that an Authorization header names, None without one; raises BadToken."""
    scheme, _space, secret = header.strip().partition(" ")
    if scheme.lower() != "bearer":
        return None
    token = AccessToken.find(secret.strip())
    if token is None:
        raise BadToken
    return Caller(user=token.user, token=token)


def caller_from_credentials(header: str) -> Caller:
    """Return the caller of a program that may send its token as a password too, as git does; raises BadToken.

    The user name is free: the token alone says who it is. Without a header the caller is nobody.
    """
    scheme, _space, value = header.strip().partition(" ")
    if scheme.lower() == "basic":
        try:
            name, _colon, password = base64.b64decode(value, validate=True).decode("utf-8").partition(":")
        except ValueError as error:
            raise BadToken from error
        header = f"Bearer {password or name}"
    return caller_from_header(header) or Caller(AnonymousUser())


def require_user(request: HttpRequest) -> User:
    """Return the signed-in person of a page; raises SignInRequired, which leads to the sign-in page and back."""
    if not isinstance(request.user, User):
        raise SignInRequired(_("Sign in to go on."))
    return request.user


def confirmed(*, allow_get: bool = False) -> Callable[[View], View]:
    """Let a page go on only for somebody who confirmed to be that person in the last minutes.

    A password or a second factor given for it counts, and so does a second factor or a passkey given to sign in. With
    `allow_get` only sending asks for it. Anonymous readers are led to sign in.
    """

    def decorate(view: View) -> View:
        guarded = reauthentication_required(view, allow_get=allow_get)

        @wraps(view)
        def ask(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
            require_user(request)
            answer: HttpResponseBase = guarded(request, *args, **kwargs)
            return answer

        return ask

    return decorate


def count_request(request: HttpRequest, name: str, user: Asker) -> None:
    """Count a request of a program, whose answer will say what is left; raises TooOften."""
    rate = rates.count(name, user=user, address=address_of(request))
    request.rate = rate  # type: ignore[attr-defined]
    if rate is not None and rate.is_over:
        raise TooOften(rate.refusal)


class CountedRequests(BaseThrottle):
    """The REST API counts the requests of each caller."""

    def allow_request(self, request: Request, view: "APIView") -> bool:
        count_request(request._request, "api", request.user)
        return True


class BearerAuthentication(BaseAuthentication):
    """`Authorization: Bearer hf_…` for the REST API."""

    def authenticate(self, request: Request) -> tuple[User, AccessToken] | None:
        try:
            caller = caller_from_header(request.META.get("HTTP_AUTHORIZATION", ""))
        except BadToken as error:
            raise exceptions.AuthenticationFailed(_("This access token is unknown or was revoked.")) from error
        if caller is None or isinstance(caller.user, AnonymousUser) or caller.token is None:
            return None
        return caller.user, caller.token

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class TokenMayWrite(BasePermission):
    """A read token may not change anything; anonymous callers may only read."""

    message = "This access token may only read: create one with the role “write”."

    def has_permission(self, request: Request, view: "APIView") -> bool:
        if request.method in SAFE_METHODS:
            return True
        # None: the verbs of the view ask themselves how far the token reaches.
        needed: str | None = getattr(view, "needs_of_token", "jobs")
        if isinstance(request.auth, AccessToken):
            allowed = needed is None or may_use(request.user, needed)
            if not (request.auth.may_write and allowed):
                return False
        return bool(request.user and request.user.is_authenticated)


def address_of(request: HttpRequest) -> str:
    """Return the address of the reader, which a proxy hands on where there is one."""
    proxies = getattr(settings, "ALLAUTH_TRUSTED_PROXY_COUNT", 0)
    forwarded = request.headers.get("X-Forwarded-For", "").split(",")
    return forwarded[-proxies].strip() if len(forwarded) >= proxies > 0 else str(request.META.get("REMOTE_ADDR", ""))
