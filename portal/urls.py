"""Addresses of the commons."""

from django.urls import include, path

from portal.views import health

urlpatterns = [
    path("healthz", health.health, name="health"),
    path("api/v1/", include("portal.api.urls")),
]
