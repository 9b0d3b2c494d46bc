"""Addresses of the hub. The pages come last: they match any two names."""

from django.urls import include, path

from models_hub.xet import views

urlpatterns = [
    path("api/v1/", include("models_hub.api.urls")),
    path("", include("models_hub.hf_api.urls")),
    path("", include("models_hub.git.urls")),
    path("cas/", include("models_hub.xet.urls")),
    path("v1/telemetry", views.telemetry),
    path("", include("models_hub.views.urls")),
]
