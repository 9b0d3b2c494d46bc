"""The finder: a question, one model as the answer, and all that speaks for it."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from leaderboard import bulk, submission_texts
from leaderboard.finder_forms import FinderForm
from leaderboard.finding import answering, evidence, places, wording
from leaderboard.finding.answering import SHOWN, Answer
from leaderboard.models import Benchmark
from models_hub.models import Repo
from portal.authentication import require_user
from portal.models import Asker

MAX_MODELS = 20  # asked to be evaluated at once from the answer


@never_cache
@require_safe
def find(request: HttpRequest) -> HttpResponse:
    """The question as a form, and the answer beside it; the address holds the whole question."""
    form = bound_form(request.GET, request.user)
    status = 200
    context: dict[str, object] = {}
    if form.is_bound:
        if form.is_valid():
            context = shown(answering.answer(form.asked, request.user))
        else:
            status = 400
    else:
        context = {"tasks": places.tasks(request.user)}
    return render(request, "leaderboard/finder/find.html", {"form": form, **context}, status=status)


@require_POST
def evaluations(request: HttpRequest) -> HttpResponse:
    """Have models measured that a question found nothing about."""
    user = require_user(request)
    form = bound_form(QueryDict(request.POST.get("question", "")), user)
    if not form.is_bound or not form.is_valid():
        return redirect("find")
    benchmarks = evidence.benchmarks_of(form.asked, user)
    numbers = [int(key) for key in request.POST.getlist("model") if key.isdecimal() and len(key) < 19][:MAX_MODELS]
    models = Repo.objects.visible_to(user).select_related("namespace").filter(kind=Repo.Kind.MODEL, pk__in=numbers)
    answers = bulk.submit_all(models, benchmarks, by=user)
    for level, text in submission_texts.summary(answers):
        messages.add_message(request, level, text)
    return redirect(
        "submissions" if any(one.evaluation for one in answers) else f"{reverse('find')}?{form.asked.query}"
    )


def bound_form(data: QueryDict, user: Asker) -> FinderForm:
    """Return the form with what an address asks; unbound where it asks nothing."""
    task = data.get("task", "")
    if not task:
        return FinderForm(places=[])
    narrower = places.of_task(task, user)
    if data.get("on", "") not in dict(narrower):  # it belongs to the task that was chosen before
        data = data.copy()
        data.pop("on", None)
    return FinderForm(data, places=narrower)


def shown(answer: Answer) -> dict[str, object]:
    """Return what the page shows of an answer."""
    others = [one for one in answer.tied if one is not answer.chosen]
    return {
        "answer": answer,
        "chosen": answer.chosen,
        "task": Benchmark.Task(answer.asked.task).label,
        "reasons": wording.reasons(answer),
        "warnings": wording.warnings(answer.chosen) if answer.chosen else [],
        "tied": [(one, wording.behind(one) if one.difference else "") for one in others][:SHOWN],
        "behind": [(one, wording.behind(one) if one.difference else "") for one in answer.behind][:SHOWN],
        "left_out": wording.left_out(answer),
        "closest": wording.closest(answer),
        "thin": answer.thin[:SHOWN],
        "apart": answer.apart[:SHOWN],
        "short_list": [one.model for one in (*answer.tied, *answer.behind)][:5],
    }
