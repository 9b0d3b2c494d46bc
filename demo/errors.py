"""Expected failures of building and publishing the demo."""

from portal.errors import DomainError


class DemoFailed(DomainError):
    """The demo cannot be built or published as things stand; the message says what to mend."""

    code = "demo_failed"
