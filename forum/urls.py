"""Addresses of the forum."""

from django.urls import include, path, re_path

from forum.views import attachments
from models_hub.hf_api.dispatching import dispatch

urlpatterns = [
    path("api/v1/", include("forum.api.urls")),
    path("uploads", dispatch),
    re_path(r"^uploads/(?P<key>[A-Za-z0-9_-]{43})\.(?P<ending>png|jpg|gif|webp)$", attachments.show, name="attachment"),
    path("", include("forum.views.reading_urls")),
    path("", include("forum.views.learn_urls")),
    path("", include("forum.views.writing_urls")),
    path("", include("forum.views.urls")),
]
