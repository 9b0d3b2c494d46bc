"""Searches for good options: their editor, and how one goes."""

from typing import Any

from django.contrib import messages
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from models_hub.adapting import asking, ending, pictures, seeing, studies, texts, wishes
from models_hub.adapting.wishes import Wish
from models_hub.models import Run, Study
from models_hub.study_forms import StudyForm
from portal.authentication import require_user
from portal.errors import DomainError, InvalidInput, NotAllowed, status_of
from portal.models import User

SALT = "study-wish"
MAX_AGE = 24 * 3600
PAGE = 30
STOP_POLLING = 286  # htmx's word for “nothing more will come”


def sealed(wish: Wish) -> str:
    """Return a wish for the editor's form, which nobody may change on the way."""
    return signing.dumps(wish.as_json(), salt=SALT, compress=True)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def new_study(request: HttpRequest) -> HttpResponse:
    """The editor of a search; begins from the form of a run, or from a run that was."""
    user = require_user(request)
    wish = _wish(request, user)
    is_sent = request.method == "POST" and "trials" in request.POST
    form = StudyForm(request.POST if is_sent else None, wish=wish)
    status = 200
    if is_sent:
        status = 400
        if form.is_valid():
            try:
                study = studies.ask(wish, form.space(), form.plan(), by=user)
            except DomainError as error:
                form.add_error(None, error.message)
                status = status_of(error)
            else:
                return redirect(study)
    context = {"form": form, "wish": wish, "sealed": sealed(wish), "task_label": texts.task_label(wish.task)}
    return render(request, "models_hub/runs/study_form.html", context, status=status)


def _wish(request: HttpRequest, user: User) -> Wish:
    if request.method == "POST":
        try:
            return wishes.read(signing.loads(request.POST.get("wish", ""), salt=SALT, max_age=MAX_AGE))
        except signing.BadSignature:
            raise InvalidInput(_("This form is too old. Begin again from the form of a run.")) from None
    number = request.GET.get("like", "")
    if not number.isdecimal() or len(number) > 18:
        raise InvalidInput(_("A search begins from the form of a run."))
    run = seeing.find(int(number), user)
    if run.owner_id != user.pk or run.kind != Run.Kind.FINETUNE:
        raise NotAllowed(_("Only its owner may do that with a run."))
    return wishes.read({**asking.wish_of(run).as_json(), "only_check": False})


@never_cache
@require_safe
def listed(request: HttpRequest) -> HttpResponse:
    """One's own studies, newest first."""
    user = require_user(request)
    rows = Study.objects.visible_to(user).order_by("-id")
    before = request.GET.get("before", "")
    if before.isdecimal() and len(before) < 19:
        rows = rows.filter(pk__lt=int(before))
    page = list(rows[: PAGE + 1])
    context = {
        "studies": page[:PAGE],
        "older": page[PAGE - 1].pk if len(page) > PAGE else None,
        "is_newest": not before,
    }
    return render(request, "models_hub/runs/studies.html", context)


@never_cache
@vary_on_headers("HX-Request")
@require_safe
def study(request: HttpRequest, study_id: int) -> HttpResponse:
    """A study and its trials; htmx gets it anew while trials run."""
    row = _own(request, study_id)
    trials = list(Run.objects.filter(study=row).shown().order_by("number"))
    best = studies.best_of(row)
    down = studies.lower_is_better(row)
    scored = [run for run in trials if run.value is not None]
    scored.sort(key=lambda run: (run.value if down else -(run.value or 0), run.number))
    is_over = row.state != Study.State.RUNNING and all(run.is_over for run in trials)
    context: dict[str, Any] = {
        "study": row,
        "trials": [*scored, *(run for run in trials if run.value is None)],
        "best": best,
        "metric": studies.metric_of(row),
        "over": sum(run.is_over for run in trials),
        "planned": row.plan["trials"],
        "is_over": is_over,
        "params": list(row.space),
        "picture": pictures.coordinates(row.space, trials, lower_is_better=down),
        "importances": sorted(row.importances.items(), key=lambda item: -item[1]),
    }
    if request.headers.get("HX-Request") == "true":
        return render(request, "models_hub/runs/study.html#state", context, status=STOP_POLLING if is_over else 200)
    return render(request, "models_hub/runs/study.html", context)


def _own(request: HttpRequest, study_id: int) -> Study:
    return get_object_or_404(Study.objects.visible_to(require_user(request)).select_related("owner"), pk=study_id)


@require_POST
def end(request: HttpRequest, study_id: int) -> HttpResponse:
    """Ask for no further trials, and cancel those that run."""
    row = _own(request, study_id)
    try:
        studies.stop(row, by=row.owner)
        messages.success(request, _("The search is being stopped; what it found stays."))
    except DomainError as error:
        messages.error(request, error.message)
    return redirect(row)


@require_POST
def publication(request: HttpRequest, study_id: int) -> HttpResponse:
    """Make a version of the model of the best trial."""
    row = _own(request, study_id)
    best = studies.best_of(row)
    if best is None:
        messages.error(request, _("No trial has a score yet."))
        return redirect(row)
    try:
        ending.publish_trial(best)
    except DomainError as error:
        messages.error(request, error.message)
        return redirect(row)
    messages.success(request, _("The model of the best trial becomes a version; this page shows where."))
    return redirect(best)
