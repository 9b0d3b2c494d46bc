"""Benchmarks for search engines, as everybody may see them."""

from django.contrib.auth.models import AnonymousUser
from django.db.models import QuerySet

from leaderboard.models import Benchmark
from portal import sitemaps


def register() -> None:
    sitemaps.register("benchmarks", _benchmarks, changed="created_at", path=Benchmark.get_absolute_url)


def _benchmarks() -> QuerySet[Benchmark]:
    return Benchmark.objects.listed_for(AnonymousUser()).select_related("dataset__namespace")
