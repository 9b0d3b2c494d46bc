"""What the templates of runs show."""

from collections.abc import Mapping
from typing import Any

from django import template

from models_hub.adapting import texts
from portal.models import Job

register = template.Library()
TINY = 1e-3  # smaller ones are written with an exponent, here and in run_curves.js


@register.filter
def trained_task(name: str) -> str:
    """Return what people read for a kind of task."""
    return texts.task_label(name)


@register.filter
def run_state(state: str) -> str:
    """Return a state in the reader's words."""
    return str(Job.State(state).label)


@register.filter
def run_value(metric: Mapping[str, Any]) -> str:
    """Return the value of a metric with its interval, which a narrow column does not break in two."""
    if "value" not in metric:
        return "–"
    low, high = metric.get("low"), metric.get("high")
    bounds = f" [{low:.3f}\u2060…\u2060{high:.3f}]" if low is not None and high is not None else ""
    return f"{metric['value']:.3f}{bounds}"


@register.filter
def signed(value: float) -> str:
    """Return a number with its sign."""
    return f"{value:+.3f}"


@register.filter
def small_number(value: Any) -> str:
    """Return a number in few digits, whatever its size; text stays text."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    if isinstance(value, int):
        return f"{value:,}"
    if 0 < abs(value) < TINY:
        digits, exponent = f"{value:.2e}".split("e")
        return f"{float(digits):g}e{int(exponent)}"
    return f"{value:.4g}"


@register.filter
def clock(seconds: float) -> str:
    """Return a stretch of time as hours, minutes and seconds: 1:02:03, 2:03."""
    minutes, rest = divmod(max(0, round(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


@register.filter
def option_label(name: str) -> str:
    """Return what people read for an option, a method's option, a size, or what else is asked for."""
    for known in (texts.SIZES, texts.ASKED, texts.AIDS):
        if name in known:
            return str(known[name])
    of, _space, own = name.partition(" ")
    if of == "teacher" and own in texts.TEACHING:
        return f"{texts.AIDS[of]} · {texts.TEACHING[own].label}"
    for attack in (texts.HARDENINGS, texts.WORST_OF_K):
        if of == "harden" and own in attack:
            return f"{texts.option_text(of).label} · {attack[own].label}"
    return str(texts.option_text(name).label)
