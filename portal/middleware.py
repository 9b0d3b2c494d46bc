"""What every request passes: an id for the logs, and one translation of expected failures."""

import re
import uuid
from collections.abc import Callable
from datetime import timedelta

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.utils import timezone
from django.utils.translation import gettext as _

from portal import database, origin
from portal.authentication import address_of
from portal.errors import InvalidInput, refusal_of, status_of
from portal.models import User
from portal.rates import Rate
from portal.views import errors

Handler = Callable[[HttpRequest], HttpResponse]
LARGE = 8 * 1024 * 1024
SEEN_EVERY = timedelta(minutes=10)
SEEN_AT = "seen_at"  # in a session
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


class TransferMiddleware:
    """Let go of the database once a large body has come, and before a large answer leaves.

    Each thread keeps its connection, and one to SQLite takes up to 3 MB: its own copy of the schema, and pages. What
    carries gigabytes needs none for minutes, and takes no longer for opening one.
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        sent = response.get("Content-Length") if response.streaming and request.method != "HEAD" else None
        if any(
            size and size.isdecimal() and int(size) >= LARGE for size in (request.headers.get("Content-Length"), sent)
        ):
            database.let_go()
        return response


class RateMiddleware:
    """Tell a program whose requests are counted how many are left, and when to come back after the last."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        rate: Rate | None = getattr(request, "rate", None)
        if rate is not None:
            for name, value in rate.headers.items():
                response[name] = value
            if rate.is_over:
                response["Retry-After"] = str(rate.seconds)
        return response


class OriginMiddleware:
    """Let the audit list know where a request comes from: see portal/origin.py."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with origin.coming_from(address_of(request), request.headers.get("User-Agent", "")):
            return self.get_response(request)


class LastSeenMiddleware:
    """Note when a browser's session was last used, once in some minutes."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        session = request.session
        # Whoever comes without a session costs nothing here; signing in has noted the first sight itself.
        if request.COOKIES.get(settings.SESSION_COOKIE_NAME) and isinstance(user := _user_of(request), User):
            now = timezone.now()
            if user.last_login and now - user.last_login > SEEN_EVERY and _is_long_ago(session, now.timestamp()):
                session[SEEN_AT] = int(now.timestamp())
                UserSession.objects.create_from_request(request)
        return self.get_response(request)


def _user_of(request: HttpRequest) -> object:
    # `request.user` is lazy: asking for its key loads it, and what is behind it is what counts.
    return request.user if request.user.is_authenticated else None


def _is_long_ago(session: SessionBase, now: float) -> bool:
    return now - float(session.get(SEEN_AT, 0)) > SEEN_EVERY.total_seconds()


class DomainErrorMiddleware:
    """Turn a DomainError that a page let through into the error page of its status."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if isinstance(exception, UnreadablePostError):  # its sender went away, or is too slow
            exception = InvalidInput(_("The request ended before all of it had arrived. Send it again."))
        refusal = refusal_of(exception)
        return errors.domain_error(request, refusal, status_of(refusal)) if refusal else None
