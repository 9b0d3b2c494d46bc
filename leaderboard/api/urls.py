"""Addresses of the leaderboard's REST API."""

from django.urls import path

from leaderboard.api import benchmarks, evaluations, overlaps, reproductions, wishes

urlpatterns = [
    path("benchmarks", benchmarks.Benchmarks.as_view(), name="api_benchmarks"),
    path("benchmarks/<int:benchmark_id>", benchmarks.OneBenchmark.as_view(), name="api_benchmark"),
    path("benchmarks/<int:benchmark_id>/overlaps", overlaps.Overlaps.as_view(), name="api_benchmark_overlaps"),
    path("suites", benchmarks.Suites.as_view(), name="api_suites"),
    path("suites/<slug:slug>", benchmarks.OneSuite.as_view(), name="api_suite"),
    path("leaderboard/<slug:slug>", benchmarks.Leaderboard.as_view(), name="api_leaderboard"),
    path("evaluations", evaluations.Evaluations.as_view(), name="api_evaluations"),
    path("evaluations/batch", evaluations.Batch.as_view(), name="api_evaluation_batch"),
    path("wishes", wishes.Wishes.as_view(), name="api_wishes"),
    path("wishes/<int:wish_id>/vote", wishes.OwnVote.as_view(), name="api_wish_vote"),
    path("evaluations/<int:evaluation_id>", evaluations.OneEvaluation.as_view(), name="api_evaluation"),
    path("evaluations/<int:evaluation_id>/card", reproductions.ResultCard.as_view(), name="api_evaluation_card"),
    path(
        "evaluations/<int:evaluation_id>/reproductions",
        reproductions.Reproductions.as_view(),
        name="api_evaluation_reproductions",
    ),
    path(
        "evaluations/<int:evaluation_id>/predictions",
        evaluations.Predictions.as_view(),
        name="api_evaluation_predictions",
    ),
]
