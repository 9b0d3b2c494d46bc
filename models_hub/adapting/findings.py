"""What the check of training data found, in the reader's words. The engine names codes and numbers."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

MAX_FINDINGS = 50
MAX_LINES = 10


class Described(NamedTuple):
    """One finding."""

    severity: str  # error, warning or info
    text: str
    lines: list[Any]


# Filled with the numbers of the finding; a code that is not here is shown as it is.
TEXTS = {
    "duplicates": gettext_lazy("Rows whose text another row of the same part has too: %(count)s."),
    "near_duplicates": gettext_lazy(
        "Rows with the text of another one but for case, spaces or punctuation: %(count)s."
    ),
    "leaks": gettext_lazy(
        "Rows of %(part)s whose text is also learned from, so that scores would be too good: %(count)s."
    ),
    "empty_texts": gettext_lazy("Rows without text, which are left out: %(count)s."),
    "empty_labels": gettext_lazy("Rows without an answer, which are left out: %(count)s."),
    "unreadable": gettext_lazy("Rows that cannot be read and are left out: %(count)s. %(example)s"),
    "too_many_empty": gettext_lazy("More than half of the rows have no text or no answer."),
    "imbalance": gettext_lazy("The most frequent label is %(ratio)s times as frequent as the rarest one."),
    "rare_labels": gettext_lazy("Labels with fewer than %(least)s rows: %(count)s."),
    "missing_labels": gettext_lazy("%(part)s lacks labels that are learned: %(labels)s."),
    "unknown_labels": gettext_lazy("%(part)s has labels that are never learned: %(labels)s."),
    "long_texts": gettext_lazy("Texts longer than %(limit)s characters, which models will cut: %(count)s."),
    "conflicting_labels": gettext_lazy("Texts that stand there with different answers: %(count)s."),
    "few_rows": gettext_lazy("Rows to learn from: only %(count)s."),
    "one_label": gettext_lazy("All rows have the same label: there is nothing to tell apart."),
}


def described(report: Mapping[str, Any]) -> list[Described]:
    """Return the findings of a report, errors first; what a child wrote is not believed beyond its shape."""
    found = report.get("findings", [])
    rows = [one for one in found if isinstance(one, dict)][:MAX_FINDINGS] if isinstance(found, list) else []
    order = {"error": 0, "warning": 1}
    return [_described(one) for one in sorted(rows, key=lambda one: order.get(str(one.get("severity")), 2))]


def _described(finding: Mapping[str, Any]) -> Described:
    code, severity = str(finding.get("code", "")), str(finding.get("severity", "info"))
    values = {key: _shown(value) for key, value in finding.items()}
    text = str(TEXTS.get(code, "")) or code.replace("_", " ")
    try:
        text %= values
    except (KeyError, ValueError, TypeError):
        text = code.replace("_", " ")
    lines = finding.get("lines", [])
    return Described(severity, text, lines[:MAX_LINES] if isinstance(lines, list) else [])


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(str(one)[:40] for one in value[:MAX_LINES]) or str(_("none"))
    return f"{value:.3g}" if isinstance(value, float) else str(value)[:200]
