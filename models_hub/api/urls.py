"""Addresses of the hub's REST API."""

from django.urls import path

from models_hub.api import job_contents

urlpatterns = [
    path("jobs/<int:job_id>/content/<str:sha256>", job_contents.content, name="job_content"),
]
