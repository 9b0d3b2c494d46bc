"""Addresses of the forum's REST API."""

from django.urls import URLPattern, path

from forum.api import discussions, forum
from models_hub.models import Repo


def _of_kind(kind: Repo.Kind) -> list[URLPattern]:
    kinds, here = {"kind": kind}, f"{kind}s/<str:namespace>/<str:name>/discussions"
    return [
        path(here, discussions.Topics.as_view(), kinds),
        path(f"{here}/<int:number>", discussions.OneTopic.as_view(), kinds),
        path(f"{here}/<int:number>/posts", discussions.Posts.as_view(), kinds),
        path(f"{here}/<int:number>/posts/<str:post>", discussions.OnePost.as_view(), kinds),
        path(f"{here}/<int:number>/reviews", discussions.Reviews.as_view(), kinds),
        path(f"{here}/<int:number>/merge", discussions.Merge.as_view(), kinds),
    ]


_TOPIC, _POST = "forum/topics/<int:topic>", "forum/posts/<int:post>"

urlpatterns = [
    path("forum/categories", forum.ForumCategories.as_view()),
    path("forum/topics", forum.ForumTopics.as_view()),
    path(_TOPIC, forum.OneForumTopic.as_view()),
    path(f"{_TOPIC}/posts", forum.ForumPosts.as_view()),
    path(f"{_TOPIC}/split", forum.ForumSplit.as_view()),
    path(f"{_TOPIC}/merge", forum.ForumMerge.as_view()),
    path(f"{_TOPIC}/poll", forum.ForumPoll.as_view()),
    path(_POST, forum.OneForumPost.as_view()),
    path(f"{_POST}/reactions/<str:kind>", forum.ForumReaction.as_view()),
    path(f"{_POST}/acceptance", forum.ForumAcceptance.as_view()),
    path(f"{_POST}/bookmark", forum.ForumBookmark.as_view()),
    path("forum/bookmarks", forum.ForumBookmarks.as_view()),
    path("forum/drafts", forum.ForumDrafts.as_view()),
    path("forum/drafts/<str:key>", forum.OneForumDraft.as_view()),
    *_of_kind(Repo.Kind.MODEL),
    *_of_kind(Repo.Kind.DATASET),
    *_of_kind(Repo.Kind.SPACE),
]
