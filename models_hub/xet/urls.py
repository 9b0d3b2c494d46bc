"""Addresses of the Xet API, below /cas/."""

from django.urls import URLPattern, path

from models_hub.xet import download_views, views

urlpatterns: list[URLPattern] = [
    path("v1/chunks/default/<str:hash>", views.chunk),
    path("v1/chunks/default-merkledb/<str:hash>", views.chunk),  # the prefix that the specification names
    path("v1/xorbs/default/<str:hash>", views.xorb),
    path("v1/shards", views.shard),
    path("v2/shards", views.shard_with_events),
    path("v1/reconstructions/<str:hash>", download_views.reconstruction),
    path("v2/reconstructions/<str:hash>", download_views.reconstruction_of_many_ranges),
    path("v1/fetch/<str:hash>", download_views.fetch),
    # hf_xet before 1.6, tried with 1.2.0; and the first ones, tried with 1.1.3. huggingface_hub 0.36 takes any of them.
    path("chunks/default/<str:hash>", views.chunk),
    path("xorbs/default/<str:hash>", views.xorb),
    path("shards", views.shard),
    path("reconstructions/<str:hash>", download_views.reconstruction),
    path("chunk/default/<str:hash>", views.chunk),
    path("xorb/default/<str:hash>", views.xorb),
    path("shard/default/<str:hash>", views.shard_of_hash),
    path("reconstruction/<str:hash>", download_views.reconstruction),
    path("<path:rest>", views.not_offered),
]
