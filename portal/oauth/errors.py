"""What OAuth programs are told: a code of the specification and a sentence for whoever reads the log."""

from portal.errors import DomainError


class OAuthError(DomainError):
    """The request is refused; `code` is one of RFC 6749, 7636 or 8628."""

    code = "invalid_request"

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message, code=code)


class UnsafeAddress(OAuthError):
    """Who asks, or where the answer should go, is wrong: the answer must not be sent there, but shown."""
