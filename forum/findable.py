"""Topics and discussions for search engines, as everybody may see them."""

from django.contrib.auth.models import AnonymousUser
from django.db.models import Q, QuerySet

from forum.models import Topic
from models_hub.models import Repo
from portal import sitemaps


def register() -> None:
    sitemaps.register("topics", _topics, changed="last_post_at")


def _topics() -> QuerySet[Topic]:
    nobody = AnonymousUser()
    shown = Topic.objects.visible_to(nobody).filter(merged_into=None)
    listed = Q(repo=None) | Q(repo__in=Repo.objects.visible_to(nobody).listed())
    return shown.filter(listed).select_related("repo__namespace", "category")
