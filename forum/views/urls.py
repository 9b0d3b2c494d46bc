"""Addresses of discussions, which come under the address of the repository that they are about."""

from django.urls import URLPattern, re_path

from forum.views import changes, comments, decisions, topics
from models_hub.models import Repo

# Not every two names: `datasets/alice/discussions` is a data set that bears this name.
NAMES = r"(?P<namespace>\w[\w.-]*)/(?P<name>\w[\w.-]*)"
ONE = r"/(?P<number>[1-9]\d{0,8})"


def _pages(prefix: str, kind: str) -> list[URLPattern]:
    """Return the pages of the discussions of one repository."""
    base, extra = rf"^{prefix}{NAMES}/discussions", {"kind": kind}
    one = base + ONE
    return [
        re_path(rf"{base}$", topics.listed, extra, name=f"{kind}_discussions"),
        re_path(rf"{base}/new$", topics.new, extra, name=f"{kind}_new_discussion"),
        re_path(rf"{base}/count$", topics.count, extra, name=f"{kind}_discussion_count"),
        re_path(rf"{one}$", topics.show, extra, name=f"{kind}_discussion"),
        re_path(rf"{one}/files$", changes.files, extra, name=f"{kind}_discussion_files"),
        re_path(rf"{one}/comments$", comments.add, extra, name=f"{kind}_discussion_comments"),
        re_path(rf"{one}/comments/(?P<comment>\d+)$", comments.edit, extra, name=f"{kind}_comment"),
        re_path(rf"{one}/comments/(?P<comment>\d+)/hiding$", comments.hiding, extra, name=f"{kind}_comment_hiding"),
        re_path(rf"{one}/title$", decisions.title, extra, name=f"{kind}_discussion_title"),
        re_path(rf"{one}/status$", decisions.status, extra, name=f"{kind}_discussion_status"),
        re_path(rf"{one}/review$", decisions.review, extra, name=f"{kind}_discussion_review"),
        re_path(rf"{one}/merge$", decisions.merge, extra, name=f"{kind}_discussion_merge"),
    ]


urlpatterns = [
    *_pages("datasets/", Repo.Kind.DATASET),
    *_pages("spaces/", Repo.Kind.SPACE),
    *_pages("(?!datasets/|spaces/)", Repo.Kind.MODEL),
]
