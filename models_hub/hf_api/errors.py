"""How failures look on the wire: one table from class to status and code, one form of body."""

from collections.abc import Mapping
from typing import Any

from django.http import JsonResponse

from models_hub.browsing import EntryNotFound, RepoNotFound, RevisionNotFound
from models_hub.checking import PathRefused
from models_hub.permissions import DISABLED, DisabledRepo, GatedRepo
from models_hub.quotas import StorageFull
from portal.errors import DomainError, SignInRequired, status_of

# Clients choose their exception by the code; the status alone does not tell them enough.
CODES: Mapping[type[DomainError], str] = {
    RepoNotFound: "RepoNotFound",
    RevisionNotFound: "RevisionNotFound",
    EntryNotFound: "EntryNotFound",
    GatedRepo: "GatedRepo",
}
BAD_TOKEN = "Invalid credentials in Authorization header"  # noqa: S105 - the text by which clients know a bad token
_PLAIN = str.maketrans({"“": '"', "”": '"', "‘": "'", "’": "'", "…": "...", "–": "-"})


def answer(error: DomainError, *, anonymous: bool, origin: str) -> JsonResponse:
    """Return the answer for an expected failure."""
    status, code = status_of(error), CODES.get(type(error), "")
    if isinstance(error, PathRefused):
        status = 422
    elif isinstance(error, StorageFull):
        status = 413  # clients take 5xx for a fault that passes
    elif isinstance(error, RepoNotFound | GatedRepo) and not isinstance(error, DisabledRepo) and anonymous:
        status = 401  # as for any address that signing in might open
    response = failure(status, error.message, code=code, extra=_extra(error.data, origin))
    if "commit" in error.data:
        response["X-Repo-Commit"] = str(error.data["commit"])
    if isinstance(error, SignInRequired):
        response["WWW-Authenticate"] = "Bearer"
    return response


def failure(status: int, message: str, *, code: str = "", extra: Mapping[str, Any] | None = None) -> JsonResponse:
    """Return an error in the one form that clients read: they print header and body, but what is alike only once."""
    if status == 403 and message != DISABLED:  # clients make a sentence of it and end that themselves
        message = message.removesuffix(".")
    plain = message.translate(_PLAIN)
    header = " ".join(plain.split())
    sendable = header.isascii() and header.isprintable()
    response = JsonResponse({"error": plain if sendable else message, **(extra or {})}, status=status)
    if code:
        response["X-Error-Code"] = code
    if sendable:
        response["X-Error-Message"] = header
    return response


def _extra(data: Mapping[str, Any], origin: str) -> dict[str, Any]:
    """A conflict over a repository or a collection names it: clients that were told exist_ok go on from there."""
    if "slug" in data:
        return {"slug": data["slug"]}
    if "path" not in data:
        return {}
    return {"url": f"{origin}{data['path']}", "name": data["name"], "id": data["name"]}
