"""All that a model got wrong on the rows of a public test, a page at a time, by label, confidence and words."""

import math

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from leaderboard import permissions
from leaderboard.leafing import GRADED, ROW_BY_ROW, STRETCH, SURE, Place, Wanted, labels_of, leaf
from leaderboard.models import Evaluation

MAX_WORDS = 100


@never_cache
@require_safe
def examples(request: HttpRequest, evaluation_id: int) -> HttpResponse:
    """Wrong answers from `after` on; of a withheld test nobody sees any."""
    rows = Evaluation.objects.visible_to(request.user).finished().latest().select_related("predictions")
    evaluation = get_object_or_404(rows, pk=evaluation_id)
    permissions.require_rows(request.user, evaluation)
    benchmark, wanted = evaluation.benchmark, _wanted(request, evaluation.benchmark.task)
    page = leaf(evaluation, Place.of(request.GET.get("after", "")), wanted)
    context = {
        "evaluation": evaluation,
        "page": page,
        "mistakes": page.mistakes,
        "wanted": wanted,
        "labels": labels_of(benchmark),
        "has_confidence": benchmark.task in SURE,
        "stretch": STRETCH if benchmark.task in GRADED and not wanted.each else None,
        "has_each": benchmark.task in ROW_BY_ROW,
        "is_first": page.first == 1,
        "is_filtered": wanted != Wanted(),
    }
    return render(request, "leaderboard/evaluations/examples.html", context)


def _wanted(request: HttpRequest, task: str) -> Wanted:
    right, given = (request.GET.get(name, "")[:200] for name in ("right", "given"))
    least, most = (_share(request.GET.get(name, "")) for name in ("least", "most"))
    text = request.GET.get("q", "").strip()[:MAX_WORDS]
    return Wanted(right, given, least, most, text=text, each=task in ROW_BY_ROW and request.GET.get("each") == "1")


def _share(text: str) -> float | None:
    """Return a confidence that was given in per cent."""
    try:
        number = float(text)
    except ValueError:
        return None
    return min(max(number, 0), 100) / 100 if math.isfinite(number) else None
