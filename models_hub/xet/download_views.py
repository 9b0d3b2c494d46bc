"""The Xet API for downloads: how to put a file together, in both forms that clients know, and the bytes themselves."""

import secrets
from collections.abc import Callable, Iterator
from functools import wraps
from itertools import chain
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt

from models_hub.delivering import RangeOutside
from models_hub.responses import begun
from models_hub.xet import fetching, reconstructing, tokens
from models_hub.xet.answers import checked_hash, failure, refusal, wrong_method
from models_hub.xet.fetching import OpenXorb
from models_hub.xet.reconstructing import FetchRange, FileTerm, Plan, XorbName
from models_hub.xet.tokens import Grant
from portal.errors import DomainError

BINARY = "application/octet-stream"

View = Callable[..., HttpResponseBase]


def _reading(view: View) -> View:
    """Answer GET alone; translate refusals to JSON."""

    @csrf_exempt
    @wraps(view)
    def answer(request: HttpRequest, **arguments: str) -> HttpResponseBase:
        if request.method != "GET":
            return wrong_method("GET")
        try:
            response = view(request, **arguments)
        except RangeOutside:
            return failure(_("The range begins after the end of the file."), "range_outside", status=416)
        except DomainError as error:
            return refusal(error)
        response["Cache-Control"] = "private, no-store"
        return response

    return answer


@_reading
def reconstruction(request: HttpRequest, hash: str) -> HttpResponse:
    """GET v1/reconstructions/<file hash>: one address for each range."""
    grant, plan = _plan(request, hash)
    fetch_info = {
        xorb.hash: [
            {
                "range": {"start": one.first, "end": one.end},
                "url": _address(request, grant, plan, xorb, [one]),
                "url_range": {"start": one.start, "end": one.stop - 1},
            }
            for one in ranges
        ]
        for xorb, ranges in plan.fetches()
    }
    return JsonResponse({"offset_into_first_range": plan.skip, "terms": _terms(plan.terms), "fetch_info": fetch_info})


@_reading
def reconstruction_of_many_ranges(request: HttpRequest, hash: str) -> HttpResponse:
    """GET v2/reconstructions/<file hash>: one address for many ranges of a xorb, which are fetched at once."""
    grant, plan = _plan(request, hash)
    fetches = {
        xorb.hash: [
            {
                "url": _address(request, grant, plan, xorb, some),
                "ranges": [
                    {
                        "chunks": {"start": one.first, "end": one.end},
                        "bytes": {"start": one.start, "end": one.stop - 1},
                    }
                    for one in some
                ],
            }
            for some in _in_parts(ranges)
        ]
        for xorb, ranges in plan.fetches()
    }
    return JsonResponse({"offset_into_first_range": plan.skip, "terms": _terms(plan.terms), "xorbs": fetches})


@_reading
def fetch(request: HttpRequest, hash: str) -> HttpResponseBase:
    """GET v1/fetch/<xorb hash>?ranges=…&grant=…, with a Range header that asks for some of these ranges, as they are"""
    xorb, ranges = fetching.opened(
        request.GET.get("grant", ""),
        request.GET.get("ranges", ""),
        xorb_hash=checked_hash(hash),
        range_header=request.headers.get("Range", ""),
    )
    if len(ranges) == 1:
        return _one_range(xorb, ranges[0])
    return _many_ranges(xorb, ranges)


def _plan(request: HttpRequest, hash: str) -> tuple[Grant, Plan]:
    grant = tokens.read(request.headers.get("Authorization", ""))
    return grant, reconstructing.plan(grant, checked_hash(hash), request.headers.get("Range", ""))


def _terms(terms: list[FileTerm]) -> list[dict[str, Any]]:
    return [
        {
            "hash": term.xorb.hash,
            "unpacked_length": term.length,
            "range": {"start": term.first, "end": term.end},
        }
        for term in terms
    ]


def _address(request: HttpRequest, grant: Grant, plan: Plan, xorb: XorbName, ranges: list[FetchRange]) -> str:
    query = fetching.query(grant, plan.blob, xorb, ranges)
    return f"{request.scheme}://{request.get_host()}/cas/v1/fetch/{xorb.hash}?{query}"


def _in_parts(ranges: list[FetchRange]) -> Iterator[list[FetchRange]]:
    for start in range(0, len(ranges), fetching.MAX_RANGES):
        yield ranges[start : start + fetching.MAX_RANGES]


def _one_range(xorb: OpenXorb, one: FetchRange) -> StreamingHttpResponse:
    blocks = (block for _one, content in xorb.stream([one]) for block in content)
    response = StreamingHttpResponse(begun(blocks), status=206, content_type=BINARY)
    response["Content-Range"] = f"bytes {one.start}-{one.stop - 1}/{xorb.size}"
    response["Content-Length"] = str(one.stop - one.start)
    return response


def _many_ranges(xorb: OpenXorb, ranges: list[FetchRange]) -> StreamingHttpResponse:
    """Answer with the ranges one after another, each behind a header of its own (multipart/byteranges)."""
    boundary = secrets.token_hex(16)
    heads = {
        one: f"\r\n--{boundary}\r\nContent-Type: {BINARY}\r\n"
        f"Content-Range: bytes {one.start}-{one.stop - 1}/{xorb.size}\r\n\r\n".encode()
        for one in ranges
    }
    end = f"\r\n--{boundary}--\r\n".encode()
    blocks = chain.from_iterable(chain([heads[one]], content) for one, content in xorb.stream(ranges))
    response = StreamingHttpResponse(
        begun(chain(blocks, [end])), status=206, content_type=f"multipart/byteranges; boundary={boundary}"
    )
    length = sum(len(heads[one]) + one.stop - one.start for one in ranges) + len(end)
    response["Content-Length"] = str(length)
    return response
