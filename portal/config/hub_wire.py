"""The routes of the Hugging Face wire, for the raw path. Apps are named as strings; the first match wins."""

from django.urls import include, path

urlpatterns = [
    path("", include("forum.hf_api.routes")),
    path("", include("leaderboard.hf_api.routes")),
    path("", include("models_hub.hf_api.routes")),
]
