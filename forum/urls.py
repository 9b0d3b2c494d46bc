"""Addresses of the forum."""

from django.urls import include, path

urlpatterns = [
    path("", include("forum.views.urls")),
]
