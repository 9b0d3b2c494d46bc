"""Addresses of the leaderboard's pages. Those of one model or data set come under its address in the hub."""

from django.urls import path, re_path

from leaderboard.views import (
    benchmarks,
    boards,
    catalogue,
    compare,
    datasets,
    elsewhere,
    evaluations,
    examples,
    models,
    overlaps,
    people,
    proposals,
    results,
    wishes,
)
from portal import path_converters  # noqa: F401  (registers "account")

# Not every two names: `datasets/alice/evaluations` is a data set that bears this name.
MODEL = r"(?!datasets/)(?P<namespace>\w[\w.-]*)/(?P<name>\w[\w.-]*)"

urlpatterns = [
    path("fragments/people/<account:name>/evaluations", people.evaluations, name="evaluations_of_person"),
    path("leaderboard", boards.index, name="leaderboard"),
    path("leaderboard/top", boards.top, name="leaderboard_top"),
    path("leaderboard/proposals", proposals.proposals, name="proposals"),
    path("leaderboard/proposals/new", proposals.new, name="proposal_new"),
    path("leaderboard/proposals/<int:suite_id>", proposals.proposal, name="proposal"),
    path("leaderboard/proposals/<int:suite_id>/decision", proposals.decision, name="proposal_decision"),
    path("leaderboard/proposals/<int:suite_id>/withdrawal", proposals.withdrawal, name="proposal_withdrawal"),
    path("leaderboard/<slug:slug>", boards.board, name="board"),
    path("leaderboard/<slug:slug>/submissions", boards.submissions, name="board_submissions"),
    path("leaderboard/<slug:slug>/elsewhere", elsewhere.beside_board, name="board_elsewhere"),
    path("leaderboard/<slug:slug>/end", boards.end, name="board_end"),
    path("compare", compare.scores, name="compare"),
    path("compare/speed", compare.speed, name="compare_speed"),
    path("compare/examples", compare.examples, name="compare_examples"),
    path("compare/files", compare.differing_files, name="compare_files"),
    path("benchmarks", benchmarks.benchmarks, name="benchmarks"),
    path("benchmarks/<int:benchmark_id>", benchmarks.benchmark, name="benchmark"),
    path("benchmarks/<int:benchmark_id>/decision", proposals.benchmark_decision, name="benchmark_decision"),
    path("benchmarks/<int:benchmark_id>/overlaps", overlaps.overlaps, name="benchmark_overlaps"),
    path("benchmarks/catalogue", catalogue.catalogue, name="catalogue"),
    path("benchmarks/catalogue/<slug:name>", catalogue.entry, name="catalogue_entry"),
    path("benchmarks/wishes", wishes.wishes, name="wishes"),
    path("benchmarks/wishes/idle", wishes.idle_workers, name="wishes_idle"),
    path("benchmarks/wishes/<int:wish_id>/votes", wishes.votes, name="wish_votes"),
    path("benchmarks/wishes/<int:wish_id>/withdrawal", wishes.withdrawal, name="wish_withdrawal"),
    path("evaluations/<int:evaluation_id>", evaluations.evaluation, name="evaluation"),
    path("evaluations/<int:evaluation_id>/examples", examples.examples, name="evaluation_examples"),
    path("imported-results/<int:result_id>/removal", elsewhere.removal, name="imported_result_removal"),
    path("evaluations/<int:evaluation_id>/reproductions", evaluations.reproductions, name="evaluation_reproductions"),
    path("evaluations/<int:evaluation_id>/results-file", results.results_file, name="evaluation_results_file"),
    path(
        "datasets/<account:namespace>/<account:name>/benchmarks",
        datasets.benchmarks_of,
        {"kind": "dataset"},
        name="dataset_benchmarks",
    ),
    re_path(rf"^{MODEL}/evaluations$", models.evaluations, {"kind": "model"}, name="model_evaluations"),
    re_path(rf"^{MODEL}/elsewhere$", elsewhere.of_model, {"kind": "model"}, name="model_elsewhere"),
    re_path(rf"^{MODEL}/wishes$", wishes.of_model, {"kind": "model"}, name="model_wishes"),
    re_path(rf"^{MODEL}/results-order$", results.results_order, {"kind": "model"}, name="model_results_order"),
    re_path(rf"^{MODEL}/standing-order$", models.standing_order, {"kind": "model"}, name="model_standing_order"),
    re_path(rf"^{MODEL}/evaluations/summary$", models.summary, {"kind": "model"}, name="model_scores"),
]
