"""Pages for what went wrong. Programs that ask for JSON get JSON."""

from django.conf import settings
from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from portal.errors import DomainError, NotFound


def _answer(request: HttpRequest, status: int, title: str, message: str) -> HttpResponse:
    if request.path.startswith("/api/") or request.path.startswith("/cas/"):
        return JsonResponse({"error": message}, status=status)
    return render(request, "portal/error.html", {"status": status, "title": title, "message": message}, status=status)


def domain_error(request: HttpRequest, error: DomainError, status: int) -> HttpResponse:
    """An expected failure that a page let through."""
    if isinstance(error, NotFound):
        return page_not_found(request, error)
    if status == 401 and not request.path.startswith("/api/"):
        return _to_sign_in(request)
    titles = {403: _("Not allowed"), 409: _("Conflict"), 413: _("Too large"), 507: _("No space left")}
    return _answer(request, status, titles.get(status, _("This cannot be done")), error.message)


def _to_sign_in(request: HttpRequest) -> HttpResponse:
    """Lead to the sign-in page and back. htmx would put that page into a fragment, so it is told to go there."""
    back = request.headers.get("HX-Current-URL") or request.get_full_path()
    target = f"/accounts/login/?{urlencode({'next': back})}"
    if request.headers.get("HX-Request") == "true":
        return HttpResponse(status=401, headers={"HX-Redirect": target})
    return redirect(target)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """For what never reached a view; a form over a limit hears which one."""
    if isinstance(exception, TooManyFilesSent):
        text = _("At most %(max)d files can be sent at once. Choose fewer, or send them with “hf upload”.")
        return _answer(request, 413, _("Too many files"), text % {"max": settings.DATA_UPLOAD_MAX_NUMBER_FILES})
    if isinstance(exception, RequestDataTooBig | TooManyFieldsSent):
        text = _("The form is larger than the portal takes at once. Send less of it, and large files with “hf upload”.")
        return _answer(request, 413, _("Too large"), text)
    return _answer(request, 400, _("Bad request"), _("The request could not be understood."))


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _answer(request, 403, _("Not allowed"), _("You may see this but not do that."))


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """One text for what does not exist and for what is private."""
    return _answer(
        request, 404, _("Page not found"), _("This page does not exist, or it is private and you are not signed in.")
    )


def too_many_requests(request: HttpRequest) -> HttpResponse:
    """For the limits on signing in, signing up and mail."""
    return _answer(request, 429, _("Too many tries"), _("Please wait a few minutes, then try again."))


def server_error(request: HttpRequest) -> HttpResponse:
    """Without the database or the session: they may be what broke."""
    text = _("Something broke on our side. It has been logged; please try again in a minute.")
    if request.path.startswith("/api/"):
        return JsonResponse({"error": text}, status=500)
    return HttpResponse(text, status=500, content_type="text/plain; charset=utf-8")


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return _answer(request, 403, _("This form has expired"), _("Go back, reload the page and send the form again."))
