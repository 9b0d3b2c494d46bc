"""Lists of models and data sets, and the short lists that other pages show."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from models_hub import listing
from models_hub.listing import Query
from models_hub.models import Repo

LATEST = 6
SHORT = 50
FACET_TITLES = {
    "task": _("Task"),
    "language": _("Language"),
    "library": _("Library"),
    "license": _("Licence"),
}


@never_cache
@require_safe
def repos(request: HttpRequest, kind: str) -> HttpResponse:
    """Search and filter the repositories of one kind."""
    query = Query.read(kind, request.GET)
    values = listing.facets(kind)
    context = {
        "kind": kind,
        "query": query,
        "page": listing.page_of(query, user=request.user),
        "facets": [
            (name, title, values[name], query.filters.get(name)) for name, title in FACET_TITLES.items() if values[name]
        ],
        "orders": [(name, order.label) for name, order in listing.ORDERS.items()],
    }
    return render(request, "models_hub/lists/list.html", context)


@never_cache
@require_safe
def latest(request: HttpRequest) -> HttpResponse:
    """The newest models, for the home page."""
    rows = Repo.objects.visible_to(request.user).filter(kind=Repo.Kind.MODEL).latest()[:LATEST]
    return render(request, "models_hub/lists/_latest.html", {"repos": rows})


@never_cache
@require_safe
def of_author(request: HttpRequest) -> HttpResponse:
    """The repositories of one person or organization, for the profile page."""
    author = request.GET.get("author", "")
    visible = Repo.objects.visible_to(request.user).owned_by(author).latest()
    lists = [(kind, list(visible.filter(kind=kind)[: SHORT + 1])) for kind in Repo.Kind.values]
    context = {
        "author": author,
        "lists": [(kind, rows[:SHORT], len(rows) > SHORT) for kind, rows in lists],
        "is_own": request.user.is_authenticated and request.user.get_username().lower() == author.lower(),
    }
    return render(request, "models_hub/lists/_of_author.html", context)
