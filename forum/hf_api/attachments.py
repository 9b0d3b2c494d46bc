"""Pictures sent for a comment."""

from django.http import HttpResponse
from django.http.response import HttpResponseBase

from forum import attaching
from models_hub.hf_api.calls import Call


def add(call: Call) -> HttpResponseBase:
    """Answer with the address to write into a comment, as plain text."""
    user = call.actor("discussions")
    attachment = attaching.attach(call.request.read(attaching.MAX_BYTES + 1), by=user)
    return HttpResponse(f"{call.origin}{attachment.path}", content_type="text/plain; charset=utf-8")
