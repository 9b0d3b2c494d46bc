"""Badges of scores and ranks for READMEs elsewhere: computed from rows, kept for minutes, without a cookie."""

from collections.abc import Callable

from django.core.cache import caches
from django.db.models import F
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import translation
from django.views.decorators.http import require_safe

from leaderboard import score_badges
from leaderboard.models import Benchmark, Suite
from leaderboard.score_badges import Badge
from models_hub.models import Repo

SECONDS = 300


@require_safe
def score(request: HttpRequest, kind: str, namespace: str, name: str, benchmark_id: int) -> HttpResponse:
    """A model’s score of a benchmark."""
    model = _public(kind, namespace, name)
    benchmark = get_object_or_404(Benchmark.objects.filter(dataset__private=False), pk=benchmark_id)
    return _drawn(request, f"score:{model.pk}:{benchmark.pk}", lambda: score_badges.of_score(model, benchmark))


@require_safe
def rank(request: HttpRequest, kind: str, namespace: str, name: str, slug: str) -> HttpResponse:
    """A model’s place on a board."""
    model = _public(kind, namespace, name)
    suite = get_object_or_404(Suite.objects.approved(), slug=slug, version=F("newest"))
    return _drawn(request, f"rank:{model.pk}:{suite.pk}", lambda: score_badges.of_rank(model, suite))


def spoken() -> str:
    """Return the query that asks for a badge or a frame in the language of the page that offers it."""
    return "lang=zh" if (translation.get_language() or "").startswith("zh") else ""


def address_of(kind: str, model: Repo, about: object) -> str:
    """Return where a badge is, of “scores” by the id of a benchmark or of “ranks” by a board, as the reader speaks."""
    asked = spoken()
    return f"/badges/{kind}{model.path}/{about}.svg{asked and '?'}{asked}"


def _public(kind: str, namespace: str, name: str) -> Repo:
    """Return a public model, whoever asks: the same picture is for everybody."""
    public = Repo.objects.filter(private=False, deleted_at__isnull=True).listed()
    return get_object_or_404(public.named(kind, namespace, name))


def _drawn(request: HttpRequest, what: str, find: Callable[[], Badge | None]) -> HttpResponse:
    language = "zh-hans" if request.GET.get("lang", "").startswith("zh") else "en"
    key = f"score-badge:{what}:{language}"
    drawn: str | None = caches["rendered"].get(key)
    if drawn is None:
        with translation.override(language):
            badge = find()
            if badge is None:
                raise Http404
            drawn = score_badges.picture(badge)
        caches["rendered"].set(key, drawn, SECONDS)
    response = HttpResponse(drawn, content_type="image/svg+xml; charset=utf-8")
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["Cache-Control"] = f"public, max-age={SECONDS}"
    response["X-Content-Type-Options"] = "nosniff"
    response["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response
