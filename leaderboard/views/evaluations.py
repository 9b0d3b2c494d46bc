"""One evaluation: how it goes, and when it is done everything that was found and how to find it again."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from leaderboard import (
    adapters,
    answer_rows,
    contamination,
    permissions,
    reproducing,
    results_files,
    standing_at,
)
from leaderboard.engine_facts import engine_version
from leaderboard.mistakes import first_mistakes
from leaderboard.models import Evaluation, ScoreRemoval
from leaderboard.normalising import floor_of, normalised
from leaderboard.robustness import robustness_of, slices_of
from leaderboard.views.badges import address_of
from models_hub.permissions import can_download, can_write
from portal import waiting
from portal.authentication import require_user
from portal.errors import DomainError

STOP_POLLING = 286  # htmx's word for “nothing more will come”
MAX_MATRIX = 30  # labels; a larger matrix cannot be read
EASY_MATRIX = 6  # labels; of a larger one the eye does not find what matters
CONFUSED = 12


@never_cache
@vary_on_headers("HX-Request")
@require_safe
def evaluation(request: HttpRequest, evaluation_id: int) -> HttpResponse:
    """The page; htmx gets the part that changes, and reloads the page once there is a score."""
    row = _found(request, evaluation_id)
    job = row.job
    is_over = row.is_finished or job is None or job.is_finished
    context: dict[str, object] = {
        "evaluation": row,
        "job": job,
        "is_over": is_over,
        "explanation": waiting.explanation(job) if job and not row.is_finished else "",
        "base": adapters.seen_base(row, request.user),
        "may_evaluate": permissions.can_evaluate(request.user, row.model),
        "removal": ScoreRemoval.objects.filter(evaluation=row).exists(),
        "may_see_job": job is not None and (request.user == job.owner or request.user.is_staff),
    }
    if request.headers.get("HX-Request") == "true":
        response = render(request, "leaderboard/evaluations/evaluation.html#state", context)
        if is_over:
            response.status_code = STOP_POLLING
            response["HX-Refresh"] = "true"
        return response
    if row.is_finished:
        may_see_rows = row.benchmark.test_is_public and can_download(request.user, row.benchmark.dataset)
        context |= _findings(row, may_see_rows=may_see_rows)
        context["standings"] = standing_at.of(row)
        context["row_formats"] = list(answer_rows.FORMATS)
        context["badge"] = address_of("scores", row.model, row.benchmark_id)
        context["is_public"] = not (row.model.private or row.benchmark.dataset.private)
        context["results_path"] = results_files.path_of(row)
        context["may_write"] = can_write(request.user, row.model)
        context["contamination"] = contamination.report_on(row.model, row.benchmark, request.user)
        context["may_read_answers"] = permissions.can_read_answers(request.user, row)
    return render(request, "leaderboard/evaluations/evaluation.html", context)


@require_POST
def reproductions(request: HttpRequest, evaluation_id: int) -> HttpResponse:
    """Ask for another run of the same."""
    require_user(request)
    row = _found(request, evaluation_id)
    try:
        reproducing.reproduce(row, by=request.user)
    except DomainError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, _("It is run once more. What that finds appears below."))
    return redirect(f"{row.get_absolute_url()}#runs")


def _found(request: HttpRequest, evaluation_id: int) -> Evaluation:
    rows = Evaluation.objects.visible_to(request.user).latest().select_related("predictions")
    return get_object_or_404(rows, pk=evaluation_id)


def _findings(evaluation: Evaluation, *, may_see_rows: bool) -> dict[str, object]:
    """Return what the page shows of a finished evaluation beyond its columns."""
    benchmark = evaluation.benchmark
    runs = reproducing.runs_of(evaluation)
    floor = floor_of(evaluation, benchmark.primary_metric)
    assert evaluation.value is not None  # finished evaluations have one
    declared = [benchmark.primary_metric, *benchmark.metrics]
    order = dict.fromkeys([*declared, *evaluation.metrics])
    confusion = evaluation.confusion
    rows = list(zip(confusion.get("labels", []), confusion.get("rows", []), strict=False))
    return {
        "runs": runs,
        "agreement": reproducing.agreement_of(evaluation, runs),
        "is_running_again": any(not run.is_finished and run.job and not run.job.is_finished for run in runs),
        "has_same_engine": evaluation.engine_version == engine_version(),
        "floor": floor,
        "normalised": normalised(evaluation.value, floor, benchmark.primary_metric),
        "metrics": [(name, evaluation.metric(name)) for name in order if name in declared or evaluation.metric(name)],
        "robustness": robustness_of(evaluation),
        "slices": slices_of(evaluation),
        "matrix": rows if len(rows) <= MAX_MATRIX else [],
        "confused": _confused(confusion) if len(rows) > EASY_MATRIX else [],
        "calibration": evaluation.details.get("calibration", []),
        "by_value": evaluation.details.get("by_value", []),
        "groups": evaluation.details.get("by_group", []),
        "groups_metric": benchmark.kind.default_primary,
        "may_see_rows": may_see_rows,
        "mistakes": first_mistakes(evaluation) if may_see_rows else [],
    }


def _confused(confusion: dict[str, Any]) -> list[dict[str, object]]:
    """Return which classes are taken for which others most often."""
    labels = confusion["labels"]
    found = [
        {"right": right, "given": labels[place], "count": count, "support": sum(row)}
        for right, row in zip(labels, confusion["rows"], strict=False)
        for place, count in enumerate(row)
        if count and labels[place] != right
    ]
    return sorted(found, key=lambda pair: -pair["count"])[:CONFUSED]
