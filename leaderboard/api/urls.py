"""Addresses of the leaderboard's REST API."""

from django.urls import path, re_path

from leaderboard.api import (
    benchmarks,
    boards,
    compare,
    elsewhere,
    evaluations,
    finder,
    overlaps,
    reproductions,
    submissions,
    suites,
    wishes,
)

urlpatterns = [
    path("benchmarks", benchmarks.Benchmarks.as_view(), name="api_benchmarks"),
    path("benchmarks/<int:benchmark_id>", benchmarks.OneBenchmark.as_view(), name="api_benchmark"),
    path("benchmarks/<int:benchmark_id>/overlaps", overlaps.Overlaps.as_view(), name="api_benchmark_overlaps"),
    path("benchmarks/<int:benchmark_id>/decision", benchmarks.BenchmarkDecision.as_view(), name="api_benchmark_review"),
    path("suites", suites.Suites.as_view(), name="api_suites"),
    path("suites/proposals", suites.Proposals.as_view(), name="api_suite_proposals"),
    path("suites/proposals/<int:suite_id>", suites.OneProposal.as_view(), name="api_suite_proposal"),
    path("suites/proposals/<int:suite_id>/decision", suites.ProposalDecision.as_view(), name="api_suite_review"),
    path("suites/<slug:slug>", suites.OneSuite.as_view(), name="api_suite"),
    path("suites/<slug:slug>/submissions", suites.Submissions.as_view(), name="api_suite_submissions"),
    path("leaderboard/<slug:slug>", boards.Leaderboard.as_view(), name="api_leaderboard"),
    path("compare", compare.Compare.as_view(), name="api_compare"),
    path("evaluations", evaluations.Evaluations.as_view(), name="api_evaluations"),
    path("evaluations/batch", evaluations.Batch.as_view(), name="api_evaluation_batch"),
    path("imported-results", elsewhere.ImportedResults.as_view(), name="api_imported_results"),
    path("imported-results/<int:result_id>", elsewhere.OneImportedResult.as_view(), name="api_imported_result"),
    path("finder", finder.Finder.as_view(), name="api_finder"),
    path("submissions", submissions.Submissions.as_view(), name="api_submissions"),
    path("submissions/allowance", submissions.OwnAllowance.as_view(), name="api_submissions_allowance"),
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
    re_path(
        r"^evaluations/(?P<evaluation_id>[0-9]{1,18})/rows\.(?P<form>csv|jsonl)$",
        evaluations.Rows.as_view(),
        name="api_evaluation_rows",
    ),
]
