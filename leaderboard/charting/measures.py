"""What a score can be drawn against: what models cost, and what they lose."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from portal.templatetags.ui import bytesize, compact

MB, GB = 10**6, 10**9


@dataclass(frozen=True)
class Measure:
    """One number of each model, of which less is better; `fact` is its name in `ranking.Places.facts`."""

    name: str
    fact: str
    title: str | Promise
    write: Callable[[float], str]
    limits: Sequence[float]  # within which the best model is named
    filter: str = ""  # of `board_views.View`, which leaves out what is beyond a limit
    is_log: bool = True


def _milliseconds(number: float) -> str:
    return f"{number:.3g} ms" if number < 1000 else f"{number / 1000:.3g} s"


def _bytes(number: float) -> str:
    return bytesize(round(number))


def _count(number: float) -> str:
    return compact(round(number))


def _share(number: float) -> str:
    digits = 0 if math.isclose(number * 100, round(number * 100), abs_tol=1e-9) else 1
    return f"{100 * number:.{digits}f} %"


MEASURES: Mapping[str, Measure] = {
    one.name: one
    for one in (
        Measure(
            "size", "parameters", _("Parameters"), _count,
            (5 * MB, 25 * MB, 100 * MB, 500 * MB, GB, 3 * GB, 7 * GB), "max_parameters",
        ),
        Measure(
            "disk", "disk", _("Size on disk"), _bytes,
            (MB, 10 * MB, 50 * MB, 200 * MB, GB, 5 * GB), "max_disk",
        ),
        Measure(
            "memory", "memory", _("Peak memory"), _bytes,
            (256 * MB, 512 * MB, GB, 2 * GB, 4 * GB, 8 * GB), "max_memory",
        ),
        Measure(
            "latency", "latency", _("Latency"), _milliseconds, (1, 5, 20, 50, 200, 1000), "max_latency",
        ),
        Measure(
            "robustness", "drop", _("Lost to changed texts"), _share, (0.02, 0.05, 0.1, 0.2), is_log=False,
        ),
        Measure(
            "calibration", "ece", _("Calibration error"), lambda number: f"{number:.3g}", (0.02, 0.05, 0.1),
            is_log=False,
        ),
    )
}  # fmt: skip
