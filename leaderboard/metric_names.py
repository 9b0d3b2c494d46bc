"""What readers call the metrics, and how their numbers are written."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

NAMES: dict[str, str | Promise] = {
    "accuracy": _("Accuracy"),
    "precision_macro": _("Precision, macro"),
    "recall_macro": _("Recall, macro"),
    "f1_macro": _("F1, macro"),
    "precision_weighted": _("Precision, weighted"),
    "recall_weighted": _("Recall, weighted"),
    "f1_weighted": _("F1, weighted"),
    "mcc": _("Matthews correlation"),
    "ece": _("Calibration error"),
    "log_loss": _("Log loss"),
}
# Metrics that are no share of something, so that a percentage would mislead.
PLAIN = frozenset({"mcc", "ece", "log_loss"})
LOWER_IS_BETTER = frozenset({"ece", "log_loss"})


def metric_label(name: str) -> str:
    return str(NAMES.get(name, name))


def metric_text(value: object, name: str) -> str:
    """Return 83.1 for a share of 0.831, 0.662 for a metric that is no share, and a dash for what is no number."""
    if not isinstance(value, int | float):
        return "–"
    return f"{value:.3f}" if name in PLAIN else f"{100 * value:.1f}"
