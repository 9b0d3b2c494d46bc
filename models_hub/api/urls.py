"""Addresses of the hub's REST API."""

from django.urls import path

from models_hub.api import bundles, imports, job_contents

urlpatterns = [
    path("imports", imports.Imports.as_view(), name="api_imports"),
    path("bundles/<str:kind>s/<str:namespace>/<str:name>", bundles.bundle, name="api_bundle"),
    path("jobs/<int:job_id>/content/<str:sha256>", job_contents.content, name="job_content"),
]
