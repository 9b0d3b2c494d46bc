"""The Xet API for uploads: what may be left out, then xorbs, then the shard that makes files of them."""

import json
from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt

from models_hub.xet import deduplicating, receiving, tokens
from models_hub.xet.answers import DRAINED_BYTES, body_of, checked_hash, failure, refusal, wrong_method
from models_hub.xet.bodies import Body
from models_hub.xet.tokens import Grant
from portal.errors import DomainError, NotFound, status_of

P = ParamSpec("P")
Upload = Callable[Concatenate[Grant, Body, P], HttpResponse]
TELEMETRY_BYTES = 64 * 1024


def _upload(view: Upload[P]) -> Callable[Concatenate[HttpRequest, P], HttpResponse]:
    """Let the holder of an access token post a body; translate refusals to JSON."""

    @csrf_exempt
    @wraps(view)
    def answer(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        body = body_of(request)
        if request.method != "POST":
            return wrong_method("POST")
        try:
            return view(tokens.read(request.headers.get("Authorization", "")), body, *args, **kwargs)
        except DomainError as error:
            return refusal(error)
        finally:
            body.drain(DRAINED_BYTES)

    return answer


@_upload
def xorb(grant: Grant, body: Body, hash: str) -> HttpResponse:
    """POST v1/xorbs/default/<hash>"""
    return JsonResponse({"was_inserted": receiving.receive_xorb(grant, checked_hash(hash), body)})


@_upload
def shard(grant: Grant, body: Body) -> HttpResponse:
    """POST v1/shards, or shards for older clients"""
    receiving.receive_shard(grant, body)
    return JsonResponse({"result": 1})


@_upload
def shard_of_hash(grant: Grant, body: Body, hash: str) -> HttpResponse:
    """POST shard/default/<hash>"""
    receiving.receive_shard(grant, body)
    return JsonResponse({"result": 1})


@_upload
def shard_with_events(grant: Grant, body: Body) -> HttpResponse:
    """POST v2/shards: the same, told by events; ours is the one that ends the stream.

    A refusal is an event as well, since clients show its message but not the body of an error response.
    """
    try:
        receiving.receive_shard(grant, body)
    except DomainError as error:
        return _event({"type": "error", "message": error.message, "retryable": False})
    return _event({"type": "result"})


@csrf_exempt
def chunk(request: HttpRequest, hash: str) -> HttpResponse:
    """GET v1/chunks/default/<hash>"""
    if request.method != "GET":
        return wrong_method("GET")
    try:
        grant = tokens.read(request.headers.get("Authorization", ""))
        told = deduplicating.shard_about(grant, checked_hash(hash))
    except DomainError as error:
        return refusal(error)
    response = HttpResponse(told, content_type="application/octet-stream")
    response["Cache-Control"] = "private, no-store"
    return response


@csrf_exempt
def not_offered(request: HttpRequest, rest: str) -> HttpResponse:
    """Answer everything else; clients then go on without it, such as posting xorbs directly."""
    body_of(request).drain(DRAINED_BYTES)
    error = NotFound(_("The portal does not offer this part of the Xet API."))
    return failure(error.message, error.code, status=status_of(error))


@csrf_exempt
def telemetry(request: HttpRequest) -> HttpResponse:
    """POST /v1/telemetry, where clients report on their uploads whatever the API's address is; nothing is kept."""
    body_of(request).drain(TELEMETRY_BYTES)
    return HttpResponse(status=204)


def _event(event: dict[str, object]) -> HttpResponse:
    return HttpResponse(json.dumps(event) + "\n", content_type="application/x-ndjson")
