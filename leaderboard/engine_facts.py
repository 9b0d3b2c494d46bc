"""What the web process must know of the engine, which it never imports. A test holds both equal."""

from django.conf import settings

ENGINE_VERSION = "2.0.0"
# Metrics that have an interval, so that models can be ranked by them.
RANKABLE = (
    "accuracy",
    "precision_macro",
    "recall_macro",
    "f1_macro",
    "precision_weighted",
    "recall_weighted",
    "f1_weighted",
    "mcc",
)
METRICS = (*RANKABLE, "ece", "log_loss")
MAX_LABELS = 1000


def engine_version() -> str:
    """Return the version whose scores are asked for now; the stand-in of the tests has one of its own."""
    return f"{ENGINE_VERSION}+fake" if settings.FAKE_ENGINE else ENGINE_VERSION
