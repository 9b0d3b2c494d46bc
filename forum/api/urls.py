"""Addresses of the forum's REST API."""

from django.urls import URLPattern, path

from forum.api import discussions
from models_hub.models import Repo


def _of_kind(kind: Repo.Kind) -> list[URLPattern]:
    kinds, here = {"kind": kind}, f"{kind}s/<str:namespace>/<str:name>/discussions"
    return [
        path(here, discussions.Topics.as_view(), kinds),
        path(f"{here}/<int:number>", discussions.OneTopic.as_view(), kinds),
        path(f"{here}/<int:number>/posts", discussions.Posts.as_view(), kinds),
        path(f"{here}/<int:number>/posts/<str:post>", discussions.OnePost.as_view(), kinds),
        path(f"{here}/<int:number>/reviews", discussions.Reviews.as_view(), kinds),
        path(f"{here}/<int:number>/merge", discussions.Merge.as_view(), kinds),
    ]


urlpatterns = [
    *_of_kind(Repo.Kind.MODEL),
    *_of_kind(Repo.Kind.DATASET),
    *_of_kind(Repo.Kind.SPACE),
]
