"""/api/v1/jobs/{id}/content/{sha256}: large content to and from the worker of one running job."""

from collections.abc import Iterator

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse, StreamingHttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from models_hub import contents, job_contents
from portal.errors import DomainError, InvalidInput, TooLarge, status_of

SCHEME = "job"


@csrf_exempt  # the right is in the Authorization header, which no foreign page can send
@require_http_methods(["GET", "PUT"])
def content(request: HttpRequest, job_id: int, sha256: str) -> HttpResponseBase:
    """Send or take the bytes when the header `Authorization: Job <token>` gives the right to."""
    scheme, _space, token = request.headers.get("Authorization", "").partition(" ")
    try:
        job = job_contents.bearer(job_id, token.strip() if scheme.lower() == SCHEME else "")
        if request.method == "PUT":
            job_contents.keep(_body(request), sha256=sha256, size=_length(request))
            return HttpResponse(status=201)
        blob = job_contents.find(job, sha256)
    except DomainError as error:
        return JsonResponse({"error": error.message, "code": error.code}, status=status_of(error))
    headers = {"Content-Length": str(blob.size), "Cache-Control": "private, no-store"}
    return StreamingHttpResponse(contents.stream(blob), content_type="application/octet-stream", headers=headers)


def _length(request: HttpRequest) -> int:
    length = request.headers.get("Content-Length", "")
    if not (length.isascii() and length.isdigit()):
        raise InvalidInput("Say the Content-Length.")
    if int(length) > settings.JOB_DISK_MB * 1024**2:
        raise TooLarge("A job may hand in no more than it may write.")
    return int(length)


def _body(request: HttpRequest) -> Iterator[bytes]:
    while block := request.read(contents.RECEIVE_SIZE):
        yield block
