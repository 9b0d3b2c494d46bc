"""What one asked to have measured: how each stands, and the form that asks for many at once."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from leaderboard import allowance, bulk, submission_texts, submissions
from leaderboard.models import Benchmark, Evaluation, Suite
from leaderboard.submission_forms import SubmissionForm
from models_hub.models import Repo
from models_hub.searching import naming
from portal.authentication import require_user
from portal.errors import DomainError
from portal.models import User

PAGE = 30
MAX_BENCHMARKS = 200
TITLES = {
    "": gettext_lazy("All"),
    "waiting": gettext_lazy("Waiting"),
    "running": gettext_lazy("Running"),
    "done": gettext_lazy("Done"),
    "failed": gettext_lazy("Failed"),
    "cancelled": gettext_lazy("Cancelled"),
}


@never_cache
@require_safe
def listed(request: HttpRequest) -> HttpResponse:
    """The evaluations that one asked for, newest first, with how each stands."""
    user = require_user(request)
    state, before = request.GET.get("state", ""), request.GET.get("before", "")
    number = int(before) if before.isascii() and before.isdigit() and len(before) < 19 else None
    rows = submissions.of(user)
    if state in submissions.STATES:
        rows = rows.filter(submissions.STATES[state])
    if name := request.GET.get("model", "").strip()[:200]:
        rows = rows.filter(model__in=naming.narrowed(Repo.objects.visible_to(user), name))
    found = submissions.page(rows, before=number, limit=PAGE + 1)
    counts = submissions.counts(user)
    context = {
        "submissions": found[:PAGE],
        "older": found[PAGE - 1].evaluation.pk if len(found) > PAGE else None,
        "is_newest": number is None,
        "state": state if state in submissions.STATES else "",
        "model": name,
        "tabs": [(key, title, counts.get(key, sum(counts.values()))) for key, title in TITLES.items()],
        "is_moving": any(one.state in ("waiting", "running") for one in found),
        "allowance": allowance.of(user),
        "next_text": allowance.next_text(user),
    }
    return render(request, "leaderboard/submissions/list.html", context)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """Several models on a board or on benchmarks: first what asking would do, then asking."""
    user = require_user(request)
    context: dict[str, object] = {"allowance": allowance.of(user), "next_text": allowance.next_text(user)}
    status = 200
    if request.method == "POST":
        form, status = _form(user, request.POST), 400
        models = _models(form, user) if form.is_valid() else None
        if models is not None:
            chosen, status = form.cleaned_data["benchmarks"], 200
            if request.POST.get("step") == "ask":
                answers = bulk.submit_all(models, chosen, by=user)
                for level, text in submission_texts.summary(answers):
                    messages.add_message(request, level, text)
                return redirect("submissions")
            found = submissions.foresee(models, chosen, by=user)
            context |= {"foreseen": found, "totals": submissions.totals(found)}
    else:
        asked = {"models": "\n".join(request.GET.getlist("model")[:50]), "board": request.GET.get("board", "")}
        form = _form(user, initial=asked | {"benchmark": request.GET.getlist("benchmark")})
    return render(request, "leaderboard/submissions/new.html", {"form": form, **context}, status=status)


@require_POST
def cancellation(request: HttpRequest, evaluation_id: int) -> HttpResponse:
    """Stop what waits or runs."""
    user = require_user(request)
    try:
        submissions.cancel(_load(user, evaluation_id), by=user)
    except DomainError as error:
        messages.error(request, error.message)
    return redirect("submissions")


@require_POST
def again(request: HttpRequest, evaluation_id: int) -> HttpResponse:
    """Ask once more for what failed."""
    user = require_user(request)
    try:
        submissions.again(_load(user, evaluation_id), by=user)
        messages.success(request, _("It was asked for again."))
    except DomainError as error:
        messages.error(request, error.message)
    return redirect("submissions")


def _form(user: User, data: QueryDict | None = None, initial: dict[str, Any] | None = None) -> SubmissionForm:
    boards: Any = Suite.objects.current().open_first().prefetch_related("entries__benchmark__dataset__namespace")
    newest = Benchmark.objects.listed_for(user).current().latest()[:MAX_BENCHMARKS]
    benchmarks = Benchmark.objects.filter(pk__in=[one.pk for one in newest]).latest()
    return SubmissionForm(data, initial=initial, boards=boards, benchmarks=benchmarks)


def _load(user: User, evaluation_id: int) -> Evaluation:
    rows = submissions.of(user).select_related("model__namespace", "benchmark__dataset__namespace", "job")
    return get_object_or_404(rows, pk=evaluation_id)


def _models(form: SubmissionForm, user: User) -> list[Repo] | None:
    """Return the models that were named; where one is not there, the form says so."""
    found = []
    for name in form.cleaned_data["models"]:
        namespace, _slash, short = name.partition("/")
        rows = Repo.objects.visible_to(user).select_related("namespace").named(Repo.Kind.MODEL, namespace, short)
        model = rows.first()
        if model is None:
            form.add_error("models", _("There is no model “%(name)s”, or you may not see it.") % {"name": name[:200]})
        else:
            found.append(model)
    return found if not form.errors else None
