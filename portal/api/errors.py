"""One form for every error of the REST API: {"error": text, "code": code, "fields"?: {...}}."""

from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.http import Http404
from django.utils.translation import gettext as _
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import exception_handler

from portal.errors import refusal_of, status_of


def handle(error: Exception, context: dict[str, Any]) -> Response | None:
    """Translate domain and framework errors; the unexpected stays an exception."""
    if refusal := refusal_of(error):
        return Response({"error": refusal.message, "code": refusal.code, **refusal.data}, status=status_of(refusal))
    if isinstance(error, RequestDataTooBig):
        return Response({"error": _("The request is too large."), "code": "too_large"}, status=413)
    if isinstance(error, Http404):
        error = exceptions.NotFound()
    response = exception_handler(error, context)
    if response is None:
        return None
    if isinstance(error, exceptions.ValidationError):
        response.data = {"error": "Some fields need mending.", "code": "invalid", "fields": response.data}
    elif isinstance(error, exceptions.APIException):
        response.data = {"error": str(error.detail), "code": error.default_code}
    return response
