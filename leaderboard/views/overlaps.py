"""Comparisons of a benchmark's rows with data sets of this hub."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from leaderboard import overlapping
from leaderboard.models import Benchmark
from models_hub import browsing
from models_hub.models import Repo
from portal.authentication import require_user
from portal.errors import DomainError


@require_POST
def overlaps(request: HttpRequest, benchmark_id: int) -> HttpResponse:
    """Ask how many rows of a benchmark are in a data set."""
    user = require_user(request)
    rows = Benchmark.objects.visible_to(user).select_related("dataset__namespace")
    benchmark = get_object_or_404(rows, pk=benchmark_id)
    owner, _slash, name = request.POST.get("dataset", "").strip()[:200].partition("/")
    try:
        dataset = browsing.visible_repo(user, kind=Repo.Kind.DATASET, namespace=owner, name=name)
        overlapping.request(benchmark, dataset, by=user)
    except DomainError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, _("The rows are compared by a worker; the count appears below."))
    return redirect(f"{benchmark.get_absolute_url()}#overlaps")
