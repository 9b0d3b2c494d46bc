"""The page of all results, suggestions while typing, and searches that people keep."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from models_hub.models import SavedSearch
from models_hub.searching import saving, suggesting

ON_PAGE = 8
LONGEST = 200


@never_cache
@require_safe
def search(request: HttpRequest) -> HttpResponse:
    """The best of every kind, each with the way to its whole list."""
    words = _words(request)
    found = suggesting.suggest(words, user=request.user, each=ON_PAGE) if words else None
    return render(request, "models_hub/lists/search.html", {"words": words, "found": found})


@never_cache
@require_safe
def suggestions(request: HttpRequest) -> HttpResponse:
    """What the box in the navigation offers while somebody types."""
    words = _words(request)
    found = suggesting.suggest(words, user=request.user) if words else None
    return render(request, "models_hub/lists/_suggestions.html", {"words": words, "found": found})


@require_POST
def saved_searches(request: HttpRequest) -> HttpResponse:
    """Keep a search under a name."""
    sent = request.POST
    kept = saving.save(
        by=request.user, name=sent.get("name", ""), kind=sent.get("kind", ""), query=sent.get("query", "")
    )
    return redirect(kept.address)


@require_POST
def saved_search_removal(request: HttpRequest, pk: int) -> HttpResponse:
    """Forget a saved search."""
    kept = get_object_or_404(SavedSearch, pk=pk, user__pk=request.user.pk or 0)
    saving.remove(kept.pk, by=request.user)
    return redirect(f"/{kept.kind}s")


def _words(request: HttpRequest) -> str:
    return request.GET.get("q", "").replace("\x00", "").strip()[:LONGEST]
