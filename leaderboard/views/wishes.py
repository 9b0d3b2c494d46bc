"""What people want to see measured next, and whether idle workers take it."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from leaderboard import permissions, wishing
from leaderboard.forms import EvaluationForm
from leaderboard.models import Benchmark, IdleRule, Vote, Wish
from models_hub.models import Repo
from models_hub.views.pages import repo_page
from portal.authentication import require_user
from portal.errors import DomainError
from portal.models import User

PAGE = 50


@never_cache
@require_safe
def wishes(request: HttpRequest) -> HttpResponse:
    """The open wishes, those with most votes first."""
    rows = list(Wish.objects.open().most_wanted().after(*_place(request.GET.get("after", "")))[: PAGE + 1])
    own = Vote.objects.filter(wish__in=rows, voter_id=request.user.pk).values_list("wish_id", flat=True)
    context = {
        "wishes": rows[:PAGE],
        "next": f"{rows[PAGE - 1].votes}-{rows[PAGE - 1].pk}" if len(rows) > PAGE else "",
        "own": set(own) if request.user.is_authenticated else set(),
        "rule": IdleRule.objects.select_related("changed_by").filter(pk=IdleRule.KEY).first(),
        "may_switch": permissions.can_switch_idle_workers(request.user),
    }
    return render(request, "leaderboard/wishes/list.html", context)


@require_POST
def votes(request: HttpRequest, wish_id: int) -> HttpResponse:
    """Support a wish."""
    wish = get_object_or_404(Wish.objects.open().most_wanted(), pk=wish_id)
    _vote(request, wish.model, wish.benchmark)
    return redirect("wishes")


@require_POST
def withdrawal(request: HttpRequest, wish_id: int) -> HttpResponse:
    """Take one's vote back."""
    wishing.take_back(get_object_or_404(Wish.objects.open(), pk=wish_id), by=require_user(request))
    return redirect("wishes")


@require_POST
def idle_workers(request: HttpRequest) -> HttpResponse:
    """Let idle workers take what has most votes, or leave it."""
    wishing.let_idle_workers(take=request.POST.get("take") == "1", by=require_user(request))
    return redirect("wishes")


@repo_page
@require_POST
def of_model(request: HttpRequest, repo: Repo) -> HttpResponse:
    """Vote for measuring a model on the chosen benchmarks."""
    require_user(request)
    form = EvaluationForm(request.POST, benchmarks=Benchmark.objects.visible_to(request.user).latest())
    if not form.is_valid():
        messages.error(request, _("Choose a benchmark first."))
        return redirect(f"{repo.path}/evaluations")
    given = sum(_vote(request, repo, benchmark) for benchmark in form.cleaned_data["benchmark"])
    if given:
        text = ngettext("Your vote is counted.", "Your %(n)d votes are counted.", given) % {"n": given}
        messages.success(request, text)
    return redirect("wishes" if given else f"{repo.path}/evaluations")


def _vote(request: HttpRequest, model: Repo, benchmark: Benchmark) -> bool:
    user: User = require_user(request)
    try:
        wishing.vote(model, benchmark, by=user)
    except DomainError as error:
        messages.error(request, f"{benchmark.title}: {error.message}")
        return False
    return True


def _place(after: str) -> tuple[int, int] | tuple[()]:
    """Return the votes and the id at which the page before ended."""
    votes, _dash, number = after.partition("-")
    if votes.isdecimal() and number.isdecimal() and len(votes) < 10 and len(number) < 19:
        return int(votes), int(number)
    return ()
