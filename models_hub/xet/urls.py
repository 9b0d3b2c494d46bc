"""Addresses of the Xet API, below /cas/."""

from django.urls import URLPattern, path

from models_hub.xet import views

urlpatterns: list[URLPattern] = [
    path("v1/xorbs/default/<str:hash>", views.xorb),
    path("v1/shards", views.shard),
    path("shards", views.shard),  # hf_xet before 1.6
    path("v2/shards", views.shard_with_events),
    path("<path:rest>", views.not_offered),
]
