"""Lists of models and data sets, and the short lists that other pages show."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from models_hub import listing
from models_hub.listing import Query
from models_hub.models import Repo, SavedSearch
from models_hub.searching import saving, suggesting

LATEST = 6
SHORT = 50
FOLDED = ("library", "architecture", "precision", "license")  # facets that are shut until somebody opens them


@never_cache
@require_safe
def repos(request: HttpRequest, kind: str) -> HttpResponse:
    """Search and filter the repositories of one kind."""
    query = Query.read(kind, request.GET)
    page = listing.page_of(query, user=request.user, with_facets=True)
    context = {
        "kind": kind,
        "query": query,
        "page": page,
        "folded": FOLDED,
        "orders": listing.orders_for(query),
        "saved": _saved(request, kind, query),
        "nearest": suggesting.nearest(query.search, kind, user=request.user) if query.search and not page.count else "",
    }
    return render(request, "models_hub/lists/list.html", context)


def _saved(request: HttpRequest, kind: str, query: Query) -> list[tuple[SavedSearch, int]]:
    """Return the asker's searches; the one that is looked at has nothing new from then on."""
    kept = saving.of(request.user, kind)
    asked = request.GET.urlencode()
    if asked and not query.cursor and any(search.query == asked for search, _fresh in kept):
        saving.seen(request.user, kind, asked)
    return kept


@never_cache
@require_safe
def latest(request: HttpRequest) -> HttpResponse:
    """The newest models, for the home page."""
    rows = Repo.objects.visible_to(request.user).listed().filter(kind=Repo.Kind.MODEL).latest()[:LATEST]
    return render(request, "models_hub/lists/_latest.html", {"repos": rows})


@never_cache
@require_safe
def of_author(request: HttpRequest) -> HttpResponse:
    """The repositories of one person or organization, for the profile page."""
    author = request.GET.get("author", "")
    is_own = request.user.is_authenticated and request.user.get_username().lower() == author.lower()
    seen = Repo.objects.visible_to(request.user)
    visible = (seen if is_own else seen.listed()).owned_by(author).latest()
    wanted = request.GET.get("kind", "")
    kinds = [wanted] if wanted in Repo.Kind.values else Repo.Kind.values
    lists = [(kind, list(visible.filter(kind=kind)[: SHORT + 1])) for kind in kinds]
    context = {
        "author": author,
        "lists": [(kind, rows[:SHORT], len(rows) > SHORT) for kind, rows in lists],
        "is_own": is_own,
    }
    return render(request, "models_hub/lists/_of_author.html", context)
