"""The one tree of expected failures. Verbs raise; each face translates a class to a status once."""

from collections.abc import Mapping

from django.db import DataError
from django.utils.translation import gettext as _


class DomainError(Exception):
    """An expected failure, with a code for machines and a message that says what to mend."""

    code = "error"

    def __init__(self, message: str, *, code: str | None = None, data: Mapping[str, object] | None = None) -> None:
        super().__init__(str(message))
        self.message = str(message)
        self.code = code or self.code
        self.data = dict(data or {})


class InvalidInput(DomainError):
    """What was sent cannot be accepted as it is."""

    code = "invalid"


class NotFound(DomainError):
    """It does not exist, or the asker may not know that it does."""

    code = "not_found"


class NotAllowed(DomainError):
    """The asker may see it but not do this."""

    code = "not_allowed"


class SignInRequired(NotAllowed):
    """The asker is anonymous and must sign in first."""

    code = "sign_in_required"


class Conflict(DomainError):
    """Somebody else's change, or an existing thing, is in the way."""

    code = "conflict"


class StaleParent(Conflict):
    """The branch moved since the caller looked at it."""

    code = "stale_parent"


class QuotaExceeded(DomainError):
    """A limit of the owner or of the installation is reached."""

    code = "quota_exceeded"


class TooOften(DomainError):
    """The caller has used up the requests that one caller may make in a window of time."""

    code = "too_many_requests"


class Unavailable(DomainError):
    """Something that the answer depends on, such as another hub, does not respond now; another time it may."""

    code = "unavailable"


class TooLarge(InvalidInput):
    """The body or file is over a size limit."""

    code = "too_large"


STATUS: Mapping[type[DomainError], int] = {
    TooLarge: 413,
    InvalidInput: 400,
    NotFound: 404,
    SignInRequired: 401,
    NotAllowed: 403,
    StaleParent: 412,
    Conflict: 409,
    TooOften: 429,
    QuotaExceeded: 507,
    Unavailable: 503,
    DomainError: 400,
}


def status_of(error: DomainError) -> int:
    """Return the HTTP status of an error: the entry of its nearest class."""
    return next(STATUS[cls] for cls in type(error).__mro__ if cls in STATUS)


def refusal_of(error: Exception) -> DomainError | None:
    """Return an error as an expected one.

    PostgreSQL keeps no text with a NUL, and cannot even be asked for one; no database can for half a surrogate pair.
    """
    is_nul = isinstance(error, DataError) and ("NUL (0x00)" in str(error) or "\\u0000" in str(error))
    if is_nul or isinstance(error, UnicodeEncodeError):
        return InvalidInput(_("It holds a character that is not text."))
    return error if isinstance(error, DomainError) else None
