"""The routes of the Hugging Face wire, matched against the raw path. Apps are named as strings; the first match counts."""

from django.urls import include, path

urlpatterns = [
    path("", include("forum.hf_api.routes")),
    path("", include("models_hub.hf_api.routes")),
]
