"""Public pages of the hub for search engines: what everybody may see and lists may name."""

from django.contrib.auth.models import AnonymousUser
from django.db.models import QuerySet

from models_hub.models import Collection, Repo
from portal import sitemaps


def register() -> None:
    sitemaps.register("repositories", _repos, changed="updated_at")
    sitemaps.register("collections", _collections, changed="updated_at")


def _repos() -> QuerySet[Repo]:
    return Repo.objects.visible_to(AnonymousUser()).listed().select_related("namespace")


def _collections() -> QuerySet[Collection]:
    return Collection.objects.visible_to(AnonymousUser()).select_related("namespace")
