"""Runs as people see them: lists, one of them while it learns, several side by side."""

import csv
import io
from collections.abc import Iterable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from models_hub.adapting import aids, asking, curves, ending, following, queues, registry, seeing, texts
from models_hub.adapting.findings import described
from models_hub.models import Run
from portal import waiting
from portal.authentication import require_user
from portal.errors import DomainError, NotAllowed
from portal.models import User

PAGE = 30
STOP_POLLING = 286  # htmx's word for “nothing more will come”
MAX_COMPARED = 8
# Failures that come again unless something else is asked for.
VAIN = frozenset({"bad_data", "bad_gold", "data_refused", "label_mismatch", "unsupported_architecture"})
MAX_LABELS = 100
MAX_LOOKS = 500


@never_cache
@require_safe
def runs(request: HttpRequest) -> HttpResponse:
    """One's own runs, newest first."""
    user = require_user(request)
    rows = Run.objects.of_owner(user).filter(study=None).shown()
    before = request.GET.get("before", "")
    if before.isdecimal() and len(before) < 19:
        rows = rows.filter(pk__lt=int(before))
    page = list(rows[: PAGE + 1])
    context = {
        "runs": page[:PAGE],
        "older": page[PAGE - 1].pk if len(page) > PAGE else None,
        "is_newest": not before,
    }
    return render(request, "models_hub/runs/list.html", context)


@never_cache
@vary_on_headers("HX-Request")
@require_safe
def run(request: HttpRequest, run_id: int) -> HttpResponse:
    """A run: how it goes, its curve, and when it is done what came of it. htmx gets the part that changes."""
    row = seeing.find(run_id, request.user)
    is_own = row.owner_id == request.user.pk
    context: dict[str, Any] = {
        "run": row,
        "job": row.job,
        "is_own": is_own,
        "is_vain": row.job is not None and row.job.reason_code in VAIN,
        "explanation": waiting.explanation(row.job) if row.job and is_own and not row.is_finished else "",
    }
    if request.headers.get("HX-Request") == "true":
        answer = render(request, "models_hub/runs/run.html#state", context)
        if row.is_over:
            answer.status_code = STOP_POLLING
            answer["HX-Refresh"] = "true"
        return answer
    points = following.after(row, 0, following.MAX_POINTS)
    context |= {
        "seen": seeing.seen([row], request.user),
        "aids": [(texts.AIDS[role], aid) for role, aid in aids.of(row).items()],
        "task_label": texts.task_label(row.task),
        "told": ending.told_by_publishing(row) if is_own else [],
        "can_ask_rows": is_own and row.task in queues.HEADS and row.data_id is not None and row.result_pull is None,
        "findings": described(row.data_report),
        "recipe": _recipe(row),
        "has_curve": row.kind == Run.Kind.FINETUNE and bool(points or not row.is_over),
        "curve": curves.of(points),
        "last": curves.last(points),
        "main_metric": registry.find_task(row.task).metric if row.task in registry.tasks() else "",
        "last_seq": points[-1]["seq"] if points else -1,
        "notes": [point["text"] for point in points if point["kind"] == "note"],
        **_looks(points),
        **_labels(row),
        "points_url": f"/api/v1/runs/{row.pk}/points",
    }
    return render(request, "models_hub/runs/run.html", context)


def _looks(points: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the looks at the dev part as a table."""
    looks = [point for point in points if point["kind"] == "dev"]
    names = following.metric_names(looks)
    rows = [{**look, "values": [look["metrics"].get(name) for name in names]} for look in looks[-MAX_LOOKS:]]
    return {"looks": rows, "look_names": names}


def _labels(row: Run) -> dict[str, Any]:
    """Return how often each part has each label, the most frequent ones first."""
    counts = row.data_report.get("labels", {})
    if not isinstance(counts, dict):
        return {}
    parts = [part for part in counts if isinstance(counts[part], dict)]
    totals: dict[str, list[int]] = {}
    for place, part in enumerate(parts):
        for label, count in counts[part].items():
            totals.setdefault(label, [0] * len(parts))[place] = count
    shown = sorted(totals.items(), key=lambda item: -sum(item[1]))[:MAX_LABELS]
    return {"labels": shown, "label_parts": parts}


def _recipe(row: Run) -> list[tuple[str, str]]:
    """Return what differs from what is usual, in words."""
    if row.kind != Run.Kind.FINETUNE:
        made = row.options.get("format") or row.options.get("method", "")
        chosen = (
            [(str(_("What is made of it")), str(texts.CONVERSIONS[made].label))] if made in texts.CONVERSIONS else []
        )
        precisions = [str(texts.PRECISIONS.get(one, one)) for one in row.options.get("precisions") or []]
        return [*chosen, (str(_("Precisions")), ", ".join(precisions) or "–")]
    chosen = [(str(_("What changes")), str(texts.METHODS[row.recipe.get("method", "full")].label))]
    for name, value in {**row.recipe, **row.recipe.get("method_options", {})}.items():
        if name not in ("method", "method_options", "harden_options"):
            chosen.append((str(texts.option_text(name).label), texts.choice_label(str(value))))
    attack = str(row.recipe.get("harden", ""))
    for name, value in row.recipe.get("harden_options", {}).items():
        chosen.append((f"{texts.choice_label(attack)} · {texts.hardening_text(attack, name).label}", str(value)))
    for name, value in row.options.get("teacher", {}).items():
        chosen.append((str(texts.TEACHING[name].label), str(value)))
    return chosen + [(str(texts.SIZES[name]), str(value)) for name, value in row.architecture.items()]


@never_cache
@require_safe
def comparison(request: HttpRequest) -> HttpResponse:
    """Several runs side by side: curves in one picture, scores and what differs in one table."""
    numbers = [int(value) for value in request.GET.getlist("run") if value.isdecimal() and len(value) < 19]
    rows = [seeing.find(number, request.user) for number in dict.fromkeys(numbers[:MAX_COMPARED])]
    context = {
        "runs": rows,
        "differences": curves.differences(rows, seeing.seen(rows, request.user)),
        "curves": [{"name": f"#{row.pk} {row.title}", **curves.of(_points(row))} for row in rows],
        "metrics": curves.metric_rows(rows),
    }
    return render(request, "models_hub/runs/compare.html", context)


def _points(row: Run) -> list[dict[str, Any]]:
    return following.after(row, 0, following.MAX_POINTS)


@never_cache
@require_safe
def log(request: HttpRequest, run_id: int) -> HttpResponse:
    """The curve as CSV."""
    row = seeing.find(run_id, request.user)
    points = _points(row)
    text = io.StringIO()
    writer = csv.writer(text)
    metrics = following.metric_names(points)
    columns = ["seq", "kind", *sorted(following.NUMBERS), "best", *metrics]
    writer.writerow(columns)
    for point in _with_numbers(points):
        values = {**point, **point.get("metrics", {})}
        writer.writerow([values.get(column, "") for column in columns])
    return _file(text.getvalue().encode(), f"run-{row.pk}.csv", "text/csv; charset=utf-8")


@never_cache
@require_safe
def events(request: HttpRequest, run_id: int) -> HttpResponse:
    """The curve as a file that TensorBoard reads."""
    row = seeing.find(run_id, request.user)
    content = curves.tensorboard(_points(row), started=row.created_at)
    return _file(
        content, f"events.out.tfevents.{int(row.created_at.timestamp())}.run-{row.pk}", "application/octet-stream"
    )


def _with_numbers(points: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    return [point for point in points if point["kind"] in ("step", "dev")]


def _file(content: bytes, name: str, kind: str) -> HttpResponse:
    return HttpResponse(content, content_type=kind, headers={"Content-Disposition": f'attachment; filename="{name}"'})


@require_POST
def again(request: HttpRequest, run_id: int) -> HttpResponse:
    """Try a run again that failed; it goes on from its last checkpoint."""
    user = require_user(request)
    return _done(request, _own(run_id, user), lambda row: asking.ask_again(row, by=user), _("The run is tried again."))


@require_POST
def publication(request: HttpRequest, run_id: int) -> HttpResponse:
    """Show the result to everybody, without the names of what others cannot see where that is wished."""
    with_names = request.POST.get("names") != "leave_out"
    row = _own(run_id, require_user(request))
    return _done(request, row, lambda row: ending.publish(row, with_names=with_names), _("The result is public now."))


def _own(run_id: int, user: User) -> Run:
    row = seeing.find(run_id, user)
    if row.owner_id != user.pk:
        raise NotAllowed(_("Only its owner may do that with a run."))
    return row


def _done(request: HttpRequest, row: Run, verb: Any, said: str) -> HttpResponse:
    try:
        verb(row)
    except DomainError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, said)
    return redirect(row)
