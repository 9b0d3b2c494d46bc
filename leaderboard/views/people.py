"""What a person had measured, as a fragment of the person's page: which scores others found again."""

from django.db.models import Count, F, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from leaderboard.models import Evaluation
from portal.models import Namespace

PAGE = 30


@require_safe
def evaluations(request: HttpRequest, name: str) -> HttpResponse:
    """The evaluations that a person asked for and the reader may see, or those alone that somebody else repeated."""
    spaces = Namespace.objects.known_as(name).filter(user__is_active=True).select_related("user")
    namespace, only = get_object_or_404(spaces), request.GET.get("only") == "reproduced"
    others = Q(reproductions__finished_at__isnull=False) & ~Q(reproductions__requested_by=namespace.user)
    same = others & Q(reproductions__prediction_digest=F("prediction_digest"))
    rows = Evaluation.objects.visible_to(request.user).finished().filter(requested_by=namespace.user)
    counted = rows.annotate(same=Count("reproductions", filter=same), runs=Count("reproductions", filter=others))
    counted = counted.filter(same__gt=0) if only else counted
    before = request.GET.get("before", "")
    if before.isascii() and before.isdigit() and len(before) < 19:
        counted = counted.filter(pk__lt=int(before))
    counted = counted.select_related("model__namespace", "benchmark__dataset__namespace").order_by("-pk")
    page = list(counted[: PAGE + 1])
    context = {
        "namespace": namespace,
        "evaluations": page[:PAGE],
        "only": only,
        "is_first": not before,
        "older": page[PAGE - 1].pk if len(page) > PAGE else None,
    }
    return render(request, "leaderboard/people/evaluations.html", context)
