"""How the Xet API answers: refusals as JSON, by one table, for those who send and those who fetch."""

import re

from django.http import HttpRequest, JsonResponse
from django.utils.translation import gettext as _

from models_hub.quotas import StorageFull
from models_hub.xet import xorbs
from models_hub.xet.bodies import Body
from portal.errors import DomainError, InvalidInput, status_of

# Both formats stay below this; more than that is no honest upload and its sender may well see a broken connection.
DRAINED_BYTES = xorbs.MAX_BODY_BYTES
_HASH = re.compile(r"[0-9a-f]{64}")


def body_of(request: HttpRequest) -> Body:
    return Body(request.read, int(request.META.get("CONTENT_LENGTH") or 0))


def refusal(error: DomainError) -> JsonResponse:
    # Clients repeat for minutes what was answered with 5xx; a full storage is not full for minutes.
    status = 413 if isinstance(error, StorageFull) else status_of(error)
    return failure(error.message, error.code, status=status)


def wrong_method(allowed: str) -> JsonResponse:
    response = failure(_("This address does not answer to this method."), "method_not_allowed", status=405)
    response["Allow"] = allowed
    return response


def failure(message: str, code: str, *, status: int) -> JsonResponse:
    response = JsonResponse({"error": message, "code": code}, status=status)
    response["Cache-Control"] = "private, no-store"
    return response


def checked_hash(text: str) -> str:
    """Return a hash out of an address; raises InvalidInput."""
    if not _HASH.fullmatch(text):
        raise InvalidInput(_("This address ends with a hash: 64 hexadecimal digits in lower case."))
    return text
