"""Addresses of the hub. The pages come last: they match any two names."""

from django.urls import include, path

urlpatterns = [
    path("api/v1/", include("models_hub.api.urls")),
    path("", include("models_hub.hf_api.urls")),
    path("", include("models_hub.git.urls")),
    path("cas/", include("models_hub.xet.urls")),
    path("", include("models_hub.views.urls")),
]
