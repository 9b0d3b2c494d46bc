"""A model’s scores for other places: the text for its card, files for other hubs, and badges."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from leaderboard import model_index
from leaderboard.models import BoardRow, ResultsOrder
from leaderboard.views.badges import address_of
from models_hub.models import Repo
from models_hub.views.pages import repo_page, respond
from portal.context import site_address

MOST_BOARDS = 20


@repo_page
@require_safe
def export(request: HttpRequest, repo: Repo) -> HttpResponse:
    """All ways out of a model’s scores at one place; what is given out is what everybody may see."""
    base = site_address(request)
    found = model_index.current(repo)
    rows = BoardRow.objects.public().filter(model=repo, score__isnull=False).select_related("suite")
    boards = [row.suite for row in rows.order_by("suite_id")[:MOST_BOARDS] if row.suite.is_approved]
    badges = [
        (suite.name, base + address_of("ranks", repo, suite.slug), base + suite.get_absolute_url()) for suite in boards
    ]
    badges += [
        (one.benchmark.title, base + address_of("scores", repo, one.benchmark_id), base + one.get_absolute_url())
        for one in found
    ]
    return respond(
        request,
        repo,
        "leaderboard/models/export.html",
        tab="evaluations",
        evaluations=found,
        index=model_index.text_of(repo, found, endpoint=base) if found else "",
        badges=badges,
        results_order=ResultsOrder.objects.select_related("asked_by").filter(model=repo).first(),
    )
