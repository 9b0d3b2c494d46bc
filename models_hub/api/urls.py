"""Addresses of the hub's REST API."""

from django.urls import URLPattern, path

from models_hub.api import (
    bundles,
    collections,
    comparisons,
    data,
    deleted,
    files,
    imports,
    job_contents,
    lineage,
    queues,
    references,
    releases,
    repos,
    rules,
    runs,
    searches,
    standing,
    storage,
    studies,
    uploads,
)
from models_hub.models import Repo

COLLECTION = "collections/<str:owner>/<str:slug>"


def _of_kind(kind: Repo.Kind) -> list[URLPattern]:
    """Return the routes of one kind of repository; each has a name only once."""
    kinds, here = {"kind": kind}, f"{kind}s/<str:namespace>/<str:name>"
    return [
        path(f"{kind}s", repos.Repos.as_view(), kinds, name=f"api_{kind}s"),
        path(f"{kind}s/facets", repos.Facets.as_view(), kinds, name=f"api_{kind}_facets"),
        path(here, repos.OneRepo.as_view(), kinds, name=f"api_{kind}"),
        path(f"{here}/refs", references.Refs.as_view(), kinds),
        path(f"{here}/branches", references.Branches.as_view(), kinds),
        path(f"{here}/branches/<path:ref>", references.OneBranch.as_view(), kinds),
        path(f"{here}/tags", references.Tags.as_view(), kinds),
        path(f"{here}/tags/<path:ref>", references.OneTag.as_view(), kinds),
        path(f"{here}/releases", releases.Releases.as_view(), kinds),
        path(f"{here}/releases/<path:tag>", releases.OneRelease.as_view(), kinds),
        path(f"{here}/rules", rules.Rules.as_view(), kinds),
        path(f"{here}/rules/<int:rule>", rules.OneRule.as_view(), kinds),
        path(f"{here}/tree/<path:revision>", files.Tree.as_view(), kinds),
        path(f"{here}/commits", files.Commits.as_view(), kinds),
        path(f"{here}/commits/<path:revision>", files.OneCommit.as_view(), kinds),
        path(f"{here}/restorations", files.Restorations.as_view(), kinds),
        path(f"{here}/compare/<path:revisions>", comparisons.Compared.as_view(), kinds),
        path(f"{here}/tensor-comparison/<path:revisions>", comparisons.Tensors.as_view(), kinds),
        path(f"{here}/uploads", uploads.Uploads.as_view(), kinds, name=f"api_{kind}_uploads"),
        path(f"{here}/like", standing.Like.as_view(), kinds),
        path(f"{here}/watch", standing.Watch.as_view(), kinds),
        path(f"{here}/downloads", standing.Downloads.as_view(), kinds),
        path(f"{here}/access-requests", standing.AccessRequests.as_view(), kinds),
        path(f"{here}/access-requests/<account:person>", standing.OneAccessRequest.as_view(), kinds),
    ]


urlpatterns = [
    path("runs", runs.Runs.as_view(), name="api_runs"),
    path("runs/conversions", runs.Conversions.as_view(), name="api_conversions"),
    path("runs/options", runs.Options.as_view(), name="api_run_options"),
    path("studies", studies.Studies.as_view(), name="api_studies"),
    path("studies/<int:study_id>", studies.OneStudy.as_view(), name="api_study"),
    path("studies/<int:study_id>/stop", studies.Stop.as_view(), name="api_study_stop"),
    path("studies/<int:study_id>/publication", studies.BestPublication.as_view(), name="api_study_publication"),
    path("runs/<int:run_id>", runs.OneRun.as_view(), name="api_run"),
    path("runs/<int:run_id>/points", runs.Points.as_view(), name="api_run_points"),
    path("runs/<int:run_id>/again", runs.Again.as_view(), name="api_run_again"),
    path("runs/<int:run_id>/publication", runs.Publication.as_view(), name="api_run_publication"),
    path("queues", queues.Queues.as_view(), name="api_queues"),
    path("queues/<int:queue_id>", queues.OneQueue.as_view(), name="api_queue"),
    path("queues/<int:queue_id>/people", queues.People.as_view(), name="api_queue_people"),
    path("queues/<int:queue_id>/next", queues.Next.as_view(), name="api_queue_next"),
    path("queues/<int:queue_id>/guess", queues.Guess.as_view(), name="api_queue_guess"),
    path("queues/<int:queue_id>/answers", queues.Answers.as_view(), name="api_queue_answers"),
    path("queues/<int:queue_id>/answers/last", queues.LastAnswer.as_view(), name="api_queue_last_answer"),
    path("queues/<int:queue_id>/decisions", queues.Decisions.as_view(), name="api_queue_decisions"),
    path("queues/<int:queue_id>/publication", queues.Writing.as_view(), name="api_queue_publication"),
    path("saved-searches", searches.SavedSearches.as_view(), name="api_saved_searches"),
    path("saved-searches/<int:search_id>", searches.OneSavedSearch.as_view(), name="api_saved_search"),
    path("deleted/<account:owner>", deleted.Deleted.as_view(), name="api_deleted"),
    path("deleted/<account:owner>/<int:deletion_id>/restoration", deleted.Restoration.as_view()),
    path("deleted/<account:owner>/<int:deletion_id>", deleted.OneDeleted.as_view()),
    path("storage/<account:owner>", storage.Storage.as_view(), name="api_storage"),
    path("imports", imports.Imports.as_view(), name="api_imports"),
    path("bundles/<str:kind>s/<str:namespace>/<str:name>", bundles.bundle, name="api_bundle"),
    path("jobs/<int:job_id>/content/<str:sha256>", job_contents.content, name="job_content"),
    path("uploads/<str:key>", uploads.OneUpload.as_view(), name="api_upload"),
    path("uploads/<str:key>/parts", uploads.Parts.as_view()),
    path("uploads/<str:key>/files/<int:number>/digest", uploads.Digest.as_view()),
    path("uploads/<str:key>/files/<int:number>/parts", uploads.PartsOfFile.as_view()),
    path("uploads/<str:key>/commit", uploads.Commit.as_view()),
    path("collections", collections.Collections.as_view(), name="api_collections"),
    path(COLLECTION, collections.OneCollection.as_view(), name="api_collection"),
    path(f"{COLLECTION}/upvote", collections.Upvote.as_view()),
    path(f"{COLLECTION}/items", collections.Items.as_view()),
    path(f"{COLLECTION}/items/<str:item>", collections.OneItem.as_view()),
    *(
        path(f"datasets/<str:namespace>/<str:name>/{noun}", view.as_view(), {"kind": Repo.Kind.DATASET})
        for noun, view in (("splits", data.Splits), ("rows", data.Rows), ("statistics", data.Statistics))
    ),
    path("models/<str:namespace>/<str:name>/family", lineage.Family.as_view(), {"kind": Repo.Kind.MODEL}),
    *_of_kind(Repo.Kind.MODEL),
    *_of_kind(Repo.Kind.DATASET),
    *_of_kind(Repo.Kind.SPACE),
]
