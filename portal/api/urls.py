"""Addresses of the commons' REST API."""

from django.urls import path

from portal.api import jobs

urlpatterns = [
    path("jobs", jobs.Jobs.as_view(), name="api_jobs"),
    path("jobs/<int:job_id>", jobs.OneJob.as_view(), name="api_job"),
    path("jobs/<int:job_id>/cancellation", jobs.Cancellation.as_view(), name="api_job_cancellation"),
    path("jobs/<int:job_id>/log", jobs.Log.as_view(), name="api_job_log"),
]
