"""Addresses of the Xet API, below /cas/."""

from django.urls import URLPattern, path

from models_hub.xet import download_views, views

urlpatterns: list[URLPattern] = [
    path("v1/chunks/default/<str:hash>", views.chunk),
    path("v1/chunks/default-merkledb/<str:hash>", views.chunk),  # the prefix that the specification names
    path("v1/xorbs/default/<str:hash>", views.xorb),
    path("v1/shards", views.shard),
    path("shards", views.shard),  # hf_xet before 1.6
    path("v2/shards", views.shard_with_events),
    path("v1/reconstructions/<str:hash>", download_views.reconstruction),
    path("reconstructions/<str:hash>", download_views.reconstruction),  # older clients
    path("v2/reconstructions/<str:hash>", download_views.reconstruction_of_many_ranges),
    path("v1/fetch/<str:hash>", download_views.fetch),
    path("<path:rest>", views.not_offered),
]
