"""What every request passes: an id for the logs, and one translation of expected failures."""

import re
import uuid
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.utils.translation import gettext as _

from portal.errors import DomainError, InvalidInput, status_of
from portal.views import errors

Handler = Callable[[HttpRequest], HttpResponse]
_SAFE_ID = re.compile(r"[\w.:=;-]{1,200}")


class RequestIdMiddleware:
    """Echo the caller's request or trace id, which the clients of the Hub protocol require, or make one."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        sent = request.headers.get("X-Request-Id") or request.headers.get("X-Amzn-Trace-Id") or ""
        response = self.get_response(request)
        response["X-Request-Id"] = sent if _SAFE_ID.fullmatch(sent) else uuid.uuid4().hex
        return response


class DomainErrorMiddleware:
    """Turn a DomainError that a page let through into the error page of its status."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if isinstance(exception, UnreadablePostError):  # its sender went away, or is too slow
            exception = InvalidInput(_("The request ended before all of it had arrived. Send it again."))
        if isinstance(exception, DomainError):
            return errors.domain_error(request, exception, status_of(exception))
        return None
