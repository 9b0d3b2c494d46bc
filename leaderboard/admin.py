"""Look and search. A score can be changed by nobody, so there is nothing to edit."""

from django.contrib import admin

from leaderboard.models import (
    Benchmark,
    Challenge,
    Entry,
    Evaluation,
    Overlap,
    Reproduction,
    ResultsOrder,
    ScoreRemoval,
    StandingOrder,
    Suite,
    SuiteEntry,
    Team,
    Wish,
)
from portal.administration import LookOnly, look


@admin.register(Benchmark)
class BenchmarkAdmin(LookOnly):
    list_display = ("name", "version", "dataset", "task", "primary_metric", "created_at")
    list_select_related = ("dataset__namespace",)
    list_filter = ("task",)
    search_fields = ("name", "name_zh", "dataset__name")


@admin.register(Suite)
class SuiteAdmin(LookOnly):
    list_display = ("slug", "title", "created_at")
    search_fields = ("slug", "title", "title_zh")


@admin.register(SuiteEntry)
class SuiteEntryAdmin(LookOnly):
    list_display = ("suite", "position", "benchmark", "weight")
    list_select_related = ("suite", "benchmark")
    list_filter = ("suite",)


@admin.register(Evaluation)
class EvaluationAdmin(LookOnly):
    list_display = ("id", "model", "benchmark", "value", "engine_version", "requested_by", "created_at", "finished_at")
    list_select_related = ("model__namespace", "benchmark", "requested_by")
    search_fields = ("model__name", "benchmark__name", "commit_oid", "requested_by__username")


@admin.register(Reproduction)
class ReproductionAdmin(LookOnly):
    list_display = ("id", "evaluation", "value", "worker", "requested_by", "created_at", "finished_at")
    list_select_related = ("evaluation", "requested_by")
    search_fields = ("evaluation__model__name", "worker", "requested_by__username")


@admin.register(Overlap)
class OverlapAdmin(LookOnly):
    list_display = ("id", "benchmark", "dataset", "shared", "tested", "rows", "finished_at")
    list_select_related = ("benchmark", "dataset__namespace")
    search_fields = ("benchmark__name", "dataset__name")


MODEL = ("model__namespace",)
look(Wish, "id", "model", "benchmark", "votes", "created_at", search=("model__lower", "benchmark__name"), related=MODEL)
look(StandingOrder, "model", "asked_by", "created_at", search=("model__lower", "asked_by__username"), related=MODEL)
look(ResultsOrder, "model", "asked_by", "refusal", "created_at", search=("model__lower",), related=MODEL)
look(ScoreRemoval, "evaluation", "decision", "since", search=("evaluation__model__lower",),
     related=("evaluation__model__namespace", "evaluation__benchmark"))  # fmt: skip
# Never `ChallengeData` and `Judgement`: they hold what nobody may read.
look(Challenge, "slug", "title", "standing", "opens_at", "closes_at", search=("slug", "title", "title_zh"))
look(Team, "name", "challenge", "captain", "disqualified_at", search=("name", "challenge__slug"),
     related=("challenge", "captain"))  # fmt: skip
look(Entry, "id", "challenge", "team", "sent_at", "judged_at", search=("challenge__slug", "team__name"),
     related=("challenge", "team"))  # fmt: skip
