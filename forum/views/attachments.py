"""Pictures of conversations, for whoever knows the address."""

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_safe

from forum import attaching
from models_hub.responses import FileSpanResponse, OpenSpan
from models_hub.storage import attachment_store


@require_safe
def show(request: HttpRequest, key: str, ending: str) -> HttpResponseBase:
    """Send the picture so that a browser can take it for nothing else. Kept an hour: it may be withdrawn."""
    attachment = attaching.find(key, ending)
    file = attachment_store().open(attachment.sha256)
    response = FileSpanResponse(OpenSpan(file, 0, attachment.size), content_type=attachment.content_type)
    response["Content-Length"] = str(attachment.size)
    response["Content-Disposition"] = f'inline; filename="picture.{attachment.format}"'
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    response["X-Robots-Tag"] = "noindex"
    response["Cache-Control"] = "private, max-age=3600"
    return response
