"""The frame in which diagrams of cards are drawn."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import cache_control
from django.views.decorators.clickjacking import xframe_options_exempt
from django.views.decorators.http import require_safe

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src data:; font-src data:; "
    "sandbox allow-scripts; frame-ancestors 'self'"
)


@require_safe
@xframe_options_exempt
@cache_control(max_age=3600)
def frame(request: HttpRequest) -> HttpResponse:
    """A document without an origin, by its own policy too when it is opened outside of a frame.

    Its styles may be written by scripts, which the library does and the policy of our pages forbids.
    """
    response = render(request, "models_hub/viewers/diagram_frame.html")
    response["Content-Security-Policy"] = POLICY
    return response
