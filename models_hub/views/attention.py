"""What attention a repository got: its downloads as a picture and as tables, and how they are counted."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from models_hub import attention
from models_hub.models import Repo
from models_hub.views.pages import repo_page, respond


@repo_page
@require_safe
def downloads(request: HttpRequest, repo: Repo) -> HttpResponse:
    """The downloads of the last 90 days."""
    found = attention.of(repo)
    busy = [bar for bar in reversed(found.bars) if bar.count]
    return respond(
        request, repo, "models_hub/repos/downloads.html", tab="card", attention=found, busy=busy, days=attention.DAYS
    )


@repo_page
@require_safe
def sparkline(request: HttpRequest, repo: Repo) -> HttpResponse:
    """The fragment with the downloads of the last 30 days in small."""
    found = attention.of(repo, days=attention.SHORT)
    return respond(request, repo, "models_hub/repos/_sparkline.html", tab="card", attention=found)
