"""What programs call to sign people in: OAuth tokens, device codes, and who somebody is."""

import base64
import binascii
import json
from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import unquote

from allauth.core import ratelimit
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt

from portal.authentication import BadToken, caller_from_header
from portal.context import site_address
from portal.models import Authorization
from portal.oauth import codes, devices, exchanging, granting, identities, registering
from portal.oauth.errors import OAuthError
from portal.oauth.granting import Issued
from portal.scopes import SCOPES

DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
EXCHANGE_GRANT = "urn:ietf:params:oauth:grant-type:token-exchange"
TOKEN_TYPE = "urn:ietf:params:oauth:token-type:"  # noqa: S105
ID_TOKEN, JWT, ACCESS_TOKEN = f"{TOKEN_TYPE}id_token", f"{TOKEN_TYPE}jwt", f"{TOKEN_TYPE}access_token"
MAX_BODY = 64 * 1024

Endpoint = Callable[[HttpRequest], HttpResponse]


def endpoint(method: str) -> Callable[[Endpoint], Endpoint]:
    """For programs, those in browsers included: no cookie counts here, so any site may call. Failures are JSON."""

    def decorate(view: Endpoint) -> Endpoint:
        @csrf_exempt
        @wraps(view)
        def answer(request: HttpRequest) -> HttpResponse:
            if request.method == "OPTIONS":
                response = HttpResponse(status=204)
            elif request.method not in (method, "HEAD" if method == "GET" else method):
                response = HttpResponse(status=405, headers={"Allow": method})
            else:
                response = _answered(view, request)
            response["Access-Control-Allow-Origin"] = "*"
            response["Access-Control-Allow-Headers"] = "Authorization, Content-Type"
            response["Access-Control-Allow-Methods"] = f"{method}, OPTIONS"
            response.headers.setdefault("Cache-Control", "no-store")
            return response

        return answer

    return decorate


def _answered(view: Endpoint, request: HttpRequest) -> HttpResponse:
    try:
        return view(request)
    except OAuthError as error:
        status = 401 if error.code in {"invalid_client", "invalid_token"} else 400
        response = JsonResponse({"error": error.code, "error_description": error.message}, status=status)
        if status == 401:
            response["WWW-Authenticate"] = "Bearer" if error.code == "invalid_token" else "Basic"
        return response


@endpoint("GET")
def discovery(request: HttpRequest) -> HttpResponse:
    """Where everything is, for programs that know the address of the portal only."""
    site = site_address(request)
    response = JsonResponse(
        {
            "issuer": site,
            "authorization_endpoint": site + reverse("oauth_authorize"),
            "token_endpoint": site + reverse("oauth_token"),
            "device_authorization_endpoint": site + reverse("oauth_device"),
            "userinfo_endpoint": site + reverse("oauth_userinfo"),
            "jwks_uri": site + reverse("oauth_keys"),
            "scopes_supported": list(SCOPES),
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "grant_types_supported": ["authorization_code", "refresh_token", DEVICE_GRANT, EXCHANGE_GRANT],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "none"],
            "code_challenge_methods_supported": ["S256"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": [identities.ALGORITHM],
            "claims_supported": ["sub", "name", "preferred_username", "profile", "picture", "email", "email_verified"],
        }
    )
    response["Cache-Control"] = "public, max-age=300"
    return response


@endpoint("GET")
def keys(request: HttpRequest) -> HttpResponse:
    """The key by which id tokens are checked."""
    response = JsonResponse({"keys": [identities.public_key()]})
    response["Cache-Control"] = "public, max-age=300"
    return response


@endpoint("GET")
def userinfo(request: HttpRequest) -> HttpResponse:
    """Who the person is that an app's token speaks for."""
    try:
        caller = caller_from_header(request.headers.get("Authorization", ""))
    except BadToken:
        caller = None
    if caller is None or caller.token is None:
        raise OAuthError("invalid_token", _("The access token is missing, unknown, expired or revoked."))
    told = caller.token.authorization or Authorization(user=caller.token.user, scope=" ".join(caller.token.told))
    return JsonResponse(identities.claims(told, site=site_address(request)))


@endpoint("POST")
def token(request: HttpRequest) -> HttpResponse:
    """Exchange a code, a device code, a refresh token or an issuer's statement for tokens."""
    fields = _fields(request)
    grant = fields.get("grant_type", "")
    if grant == EXCHANGE_GRANT:
        return _exchanged(request, fields)
    if grant not in {"authorization_code", "refresh_token", DEVICE_GRANT}:
        raise OAuthError("unsupported_grant_type", _("This grant_type is not known here."))
    app = registering.prove(*_credentials(request, fields))
    if grant == "refresh_token":
        return _tokens(request, granting.refresh(app, fields.get("refresh_token", "")))
    if grant == DEVICE_GRANT:
        return _tokens(request, devices.collect(app, fields.get("device_code", "")))
    issued, nonce = codes.redeem(
        app,
        code=fields.get("code", ""),
        redirect_uri=fields.get("redirect_uri", ""),
        verifier=fields.get("code_verifier", ""),
    )
    return _tokens(request, issued, nonce)


def _exchanged(request: HttpRequest, fields: dict[str, str]) -> HttpResponse:
    """Exchange what an issuer states of a program for a token of one repository. No app is asked who it is."""
    if not ratelimit.consume(request, action="exchange_token"):
        raise OAuthError("slow_down", _("Too many tokens were asked for from this address: try again in a minute."))
    subject, resource = fields.get("subject_token", ""), fields.get("resource", "")
    if not subject or fields.get("subject_token_type", ID_TOKEN) not in (ID_TOKEN, JWT):
        raise OAuthError("invalid_request", _("Send the id token of your CI provider as subject_token."))
    if not resource:
        raise OAuthError("invalid_request", _("Name the repository in resource, such as owner/name."))
    if fields.get("requested_token_type", ACCESS_TOKEN) != ACCESS_TOKEN:
        raise OAuthError("invalid_request", _("Only access tokens are given here."))
    found = exchanging.exchange(subject, resource)
    return JsonResponse(
        {
            "access_token": found.access_token,
            "issued_token_type": ACCESS_TOKEN,
            "token_type": "bearer",
            "expires_in": found.expires_in,
        }
    )


def begin_device(request: HttpRequest) -> HttpResponse:
    """Give a program a code to show, and the address where a person types it."""
    if not ratelimit.consume(request, action="begin_device"):
        raise OAuthError("slow_down", _("Too many codes were asked for from this address: try again in an hour."))
    fields = _fields(request)
    client_id, secret = _credentials(request, fields)
    code, device_code = devices.begin(registering.prove(client_id, secret), fields.get("scope", ""))
    address = site_address(request) + reverse("oauth_device")
    return JsonResponse(
        {
            "device_code": device_code,
            "user_code": code.user_code,
            "verification_uri": address,
            "verification_uri_complete": f"{address}?user_code={code.user_code}",
            "expires_in": int(devices.LIFE.total_seconds()),
            "interval": code.interval,
        }
    )


def _tokens(request: HttpRequest, issued: Issued, nonce: str = "") -> HttpResponse:
    authorization = issued.authorization
    told: dict[str, Any] = {
        "access_token": issued.access_token,
        "token_type": "bearer",
        "expires_in": issued.expires_in,
        "refresh_token": issued.refresh_token,
        "scope": authorization.scope,
    }
    if "openid" in authorization.scopes:
        told["id_token"] = identities.id_token(authorization, site=site_address(request), nonce=nonce)
    return JsonResponse(told)


def _fields(request: HttpRequest) -> dict[str, str]:
    """Read the texts of a form, or of a JSON object."""
    if request.content_type != "application/json":
        return {name: str(value) for name, value in request.POST.items()}
    body = request.read(MAX_BODY + 1)
    try:
        read = json.loads(body) if len(body) <= MAX_BODY else None
    except (ValueError, RecursionError):
        read = None
    if not isinstance(read, dict):
        raise OAuthError("invalid_request", _("The request body must be a form or a JSON object."))
    return {name: value for name, value in read.items() if isinstance(value, str)}


def _credentials(request: HttpRequest, fields: dict[str, str]) -> tuple[str, str]:
    """Return client_id and client_secret, from the header or from the body."""
    scheme, _space, sent = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return fields.get("client_id", ""), fields.get("client_secret", "")
    try:
        name, _colon, secret = base64.b64decode(sent, validate=True).decode().partition(":")
    except (binascii.Error, ValueError) as error:
        raise OAuthError("invalid_client", _("The Authorization header cannot be read.")) from error
    return unquote(name), unquote(secret)
