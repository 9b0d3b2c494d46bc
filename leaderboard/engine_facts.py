"""What the web process must know of the engine, which it never imports. A test holds both equal."""

from django.conf import settings

ENGINE_VERSION = "2.2.0"
MAX_LABELS = 1000
MAX_ROBUSTNESS_ROWS = 500
MAX_SLICE_COLUMNS = 5


def engine_version() -> str:
    """Return the version whose scores are asked for now; the stand-in of the tests has one of its own."""
    return f"{ENGINE_VERSION}+fake" if settings.FAKE_ENGINE else ENGINE_VERSION
