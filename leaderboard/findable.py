"""Benchmarks for search engines, as everybody may see them."""

from django.contrib.auth.models import AnonymousUser
from django.db.models import QuerySet

from leaderboard.models import Benchmark, Challenge
from portal import sitemaps


def register() -> None:
    sitemaps.register("challenges", _challenges, changed="created_at", path=Challenge.get_absolute_url)
    sitemaps.register("benchmarks", _benchmarks, changed="created_at", path=Benchmark.get_absolute_url)


def _benchmarks() -> QuerySet[Benchmark]:
    return Benchmark.objects.listed_for(AnonymousUser()).select_related("dataset__namespace")


def _challenges() -> QuerySet[Challenge]:
    return Challenge.objects.visible_to(AnonymousUser())
