"""Which addresses belong to the Hub's wire. The routes are in routes.py: they need the path as it was sent."""

from django.urls import re_path

from models_hub.hf_api.dispatching import dispatch

# Third words of a page's address: a repository may be called "resolve" or "raw".
PAGES = "tree/|blob/|commits/|commit/|upload/|new/|edit/|removal/|settings|discussions|resolve/|raw/"

urlpatterns = [
    re_path(r"^api/(?!v1/)", dispatch),
    re_path(r"^(?:datasets/|spaces/)?[^/]+/[^/]+/(?:resolve|raw)/", dispatch),
    re_path(rf"^(?:datasets/|spaces/)?[^/]+/(?:resolve|raw)/(?!{PAGES})[^/]+/", dispatch),
    # What clients fetch of kinds that are not here.
    re_path(r"^(?:kernels|buckets)/[^/]+/[^/]+/resolve/", dispatch),
    re_path(r"^papers/[^/]+\.md$", dispatch),
]
