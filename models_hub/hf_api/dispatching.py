"""The one entrance of the wire: authenticates, finds the view, translates failures."""

from collections.abc import Callable

from django.db import DataError
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import Resolver404
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt

from models_hub.addressing import moved_address
from models_hub.browsing import RepoMoved, RepoNotFound
from models_hub.hf_api import errors, limits, routing
from models_hub.hf_api.calls import Call, View, caller_of
from portal.authentication import BadToken, count_request
from portal.errors import DomainError, refusal_of


@csrf_exempt
def dispatch(request: HttpRequest) -> HttpResponseBase:
    """Answer one call; whatever is expected to fail fails as JSON."""
    response = _respond(request)
    if request.method == "HEAD" and isinstance(response, HttpResponse) and response.content:
        response.headers.setdefault("Content-Length", str(len(response.content)))
        response.content = b""
    response.headers.setdefault("Cache-Control", "private, no-cache")
    patch_vary_headers(response, ("Authorization",))
    return response


def by_method(**views: View) -> Callable[..., HttpResponseBase]:
    """Return a view that chooses by method; HEAD is answered as GET unless it has its own."""

    def choose(call: Call, **arguments: str) -> HttpResponseBase:
        method = call.request.method or ""
        view = views.get(method) or (views.get("GET") if method == "HEAD" else None)
        if view is None:
            response = errors.failure(405, _("This address does not answer to this method."))
            response["Allow"] = ", ".join(sorted(views))
            return response
        return view(call, **arguments)

    return choose


def _respond(request: HttpRequest) -> HttpResponseBase:
    anonymous = True
    origin = f"{request.scheme}://{request.get_host()}"
    try:
        found = routing.match(request)
        caller = caller_of(request)
        anonymous = not caller.user.is_authenticated
        call = Call(request, caller)
        count_request(request, "resolvers" if "/resolve/" in found.route else "api", caller.user)
        limits.refuse_beyond_reach(call, found)
        response: HttpResponse = found.func(call, **found.kwargs)
    except Resolver404:
        return errors.failure(404, _("There is no such address in this API."))
    except BadToken:
        response = errors.failure(401, errors.BAD_TOKEN)
        response["WWW-Authenticate"] = "Bearer"
    except RepoMoved as moved:
        return _led_on(request, moved, anonymous=anonymous, origin=origin)
    except (DomainError, DataError, UnicodeEncodeError) as error:
        refusal = refusal_of(error)
        if refusal is None:
            raise
        return errors.answer(refusal, anonymous=anonymous, origin=origin)
    return response


def _led_on(request: HttpRequest, moved: RepoMoved, *, anonymous: bool, origin: str) -> HttpResponse:
    """Lead from a former name to the one of today, with method and body; the address must be relative for clients."""
    query = request.META.get("QUERY_STRING", "")
    address = moved_address(routing.raw_path(request) + (f"?{query}" if query else ""), moved)
    if address is None:
        return errors.answer(RepoNotFound(moved.message), anonymous=anonymous, origin=origin)
    return HttpResponse(status=307, headers={"Location": address})
