"""The Xet API for uploads (/cas/v1, /cas/v2). Downloads are plain HTTP through the resolve addresses."""

import json
import re
from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt

from models_hub.xet import receiving, tokens, xorbs
from models_hub.xet.bodies import Body
from models_hub.xet.tokens import Grant
from portal.errors import DomainError, InvalidInput, NotFound, status_of

P = ParamSpec("P")
Upload = Callable[Concatenate[Grant, Body, P], HttpResponse]
# Both formats stay below this; more than that is no honest upload and its sender may well see a broken connection.
DRAINED_BYTES = xorbs.MAX_BODY_BYTES
TELEMETRY_BYTES = 64 * 1024
_HASH = re.compile(r"[0-9a-f]{64}")


def _upload(view: Upload[P]) -> Callable[Concatenate[HttpRequest, P], HttpResponse]:
    """Let the holder of an access token post a body; translate refusals to JSON."""

    @csrf_exempt
    @wraps(view)
    def answer(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        body = _body_of(request)
        if request.method != "POST":
            return _error(_("Only POST is possible here."), "method_not_allowed", status=405)
        try:
            return view(tokens.read(request.headers.get("Authorization", "")), body, *args, **kwargs)
        except DomainError as error:
            return _error(error.message, error.code, status=status_of(error))
        finally:
            body.drain(DRAINED_BYTES)

    return answer


@_upload
def xorb(grant: Grant, body: Body, hash: str) -> HttpResponse:
    """POST v1/xorbs/default/<hash>"""
    if not _HASH.fullmatch(hash):
        raise InvalidInput(_("A xorb’s address ends with its hash: 64 hexadecimal digits."))
    return JsonResponse({"was_inserted": receiving.receive_xorb(hash, body)})


@_upload
def shard(grant: Grant, body: Body) -> HttpResponse:
    """POST v1/shards, or shards for older clients"""
    receiving.receive_shard(grant.repo, body)
    return JsonResponse({"result": 1})


@_upload
def shard_with_events(grant: Grant, body: Body) -> HttpResponse:
    """POST v2/shards: the same, told by events; ours is the one that ends the stream.

    A refusal is an event as well, since clients show its message but not the body of an error response.
    """
    try:
        receiving.receive_shard(grant.repo, body)
    except DomainError as error:
        return _event({"type": "error", "message": error.message, "retryable": False})
    return _event({"type": "result"})


@csrf_exempt
def not_offered(request: HttpRequest, rest: str) -> HttpResponse:
    """Answer everything else; clients then go on without it: no chunk is known, xorbs are posted directly."""
    _body_of(request).drain(DRAINED_BYTES)
    error = NotFound(_("The portal does not offer this part of the Xet API."))
    return _error(error.message, error.code, status=status_of(error))


@csrf_exempt
def telemetry(request: HttpRequest) -> HttpResponse:
    """POST /v1/telemetry, where clients report on their uploads whatever the API's address is; nothing is kept."""
    _body_of(request).drain(TELEMETRY_BYTES)
    return HttpResponse(status=204)


def _body_of(request: HttpRequest) -> Body:
    return Body(request.read, int(request.META.get("CONTENT_LENGTH") or 0))


def _event(event: dict[str, object]) -> HttpResponse:
    return HttpResponse(json.dumps(event) + "\n", content_type="application/x-ndjson")


def _error(message: str, code: str, *, status: int) -> HttpResponse:
    return JsonResponse({"error": message, "code": code}, status=status)
