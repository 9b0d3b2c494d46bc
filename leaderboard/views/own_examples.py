"""Own examples: taken in, tried on models, answered and deleted. Nobody but who gave them ever sees these pages."""

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from leaderboard import allowance
from leaderboard.example_forms import ExamplesForm
from leaderboard.finding import example_pages, trying
from leaderboard.finding.example_tasks import TASKS
from leaderboard.finding.reading import ExamplesRefused
from leaderboard.models import ExampleSet
from models_hub.models import Repo
from portal.authentication import require_user
from portal.errors import DomainError, status_of
from portal.models import Asker, User

STOP_POLLING = 286  # htmx's word for “nothing more will come”


@never_cache
@require_safe
def listed(request: HttpRequest) -> HttpResponse:
    """One's own sets of examples, newest first; there are never more than a few."""
    user = require_user(request)
    rows = ExampleSet.objects.visible_to(user).defer("rows").order_by("-id")
    context = {"sets": rows.prefetch_related("contenders__job"), "days": settings.OWN_EXAMPLES_DAYS}
    return render(request, "leaderboard/finder/examples.html", context)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """The form that takes examples in, with the short list that the finder gave."""
    user = require_user(request)
    status = 200
    if request.method == "POST":
        form = ExamplesForm(request.POST, request.FILES)
        if form.is_valid():
            try:
                return redirect(_begin(form, user))
            except ExamplesRefused as error:
                form.errors.setdefault("__all__", form.error_class()).extend(error.lines)
                status = status_of(error)
            except DomainError as error:
                form.add_error(None, error.message)
                status = status_of(error)
        else:
            status = 400
    else:
        task = request.GET.get("task", "")
        asked = request.GET.copy()
        names = asked.pop("model", [])
        initial = {"models": "\n".join(map(str, names[: trying.MAX_MODELS])), "question": asked.urlencode()}
        form = ExamplesForm(initial=initial | ({"task": task} if task in TASKS else {}))
    context = {"form": form, "allowance": allowance.of(user), "days": settings.OWN_EXAMPLES_DAYS}
    return render(request, "leaderboard/finder/new_examples.html", context, status=status)


@never_cache
@vary_on_headers("HX-Request")
@require_safe
def examples(request: HttpRequest, examples_id: int) -> HttpResponse:
    """What the models said. htmx gets the part that changes, and is told to stop when nothing will."""
    found = _load(request.user, examples_id)
    context = example_pages.shown(found, only_disagreed=request.GET.get("rows") != "all")
    if request.headers.get("HX-Request") != "true":
        return render(request, "leaderboard/finder/own.html", context)
    status = STOP_POLLING if context["is_over"] else 200
    return render(request, "leaderboard/finder/own.html#results", context, status=status)


@require_POST
def deletion(request: HttpRequest, examples_id: int) -> HttpResponse:
    """Delete one's examples now, with all that models said to them."""
    trying.forget(_load(request.user, examples_id), by=require_user(request))
    messages.success(request, _("The examples and all answers to them are deleted."))
    return redirect("own_examples")


@require_POST
def cancellation(request: HttpRequest, examples_id: int) -> HttpResponse:
    """Stop what waits or runs."""
    found = _load(request.user, examples_id)
    trying.cancel(found, by=require_user(request))
    return redirect(found)


@require_POST
def again(request: HttpRequest, examples_id: int, contender_id: int) -> HttpResponse:
    """Try one model once more."""
    found = _load(request.user, examples_id)
    contender = get_object_or_404(found.contenders.select_related("model__namespace", "job"), pk=contender_id)
    try:
        trying.again(contender, by=require_user(request))
    except DomainError as error:
        messages.error(request, error.message)
    return redirect(found)


def _begin(form: ExamplesForm, user: User) -> ExampleSet:
    values = form.cleaned_data
    return trying.begin(
        by=user,
        title=values["title"],
        task=values["task"],
        text=values["text"],
        models=_models(values["models"], user),
        columns=form.column_names,
        label_map=values["label_map"],
        question=values["question"],
    )


def _models(names: list[str], user: Asker) -> list[Repo]:
    found = []
    for name in names:
        namespace, _slash, short = name.partition("/")
        rows = Repo.objects.visible_to(user).select_related("namespace").named(Repo.Kind.MODEL, namespace, short)
        model = rows.first()
        if model is None:
            raise ExamplesRefused(_("There is no model “%(name)s”, or you may not see it.") % {"name": name[:200]})
        found.append(model)
    return found


def _load(user: Asker, examples_id: int) -> ExampleSet:
    return get_object_or_404(ExampleSet.objects.visible_to(user), pk=examples_id)
