"""Evaluations and benchmarks before moderators."""

from typing import Any

from django.utils.translation import gettext as _

from leaderboard import best_scores
from leaderboard.models import Benchmark, BoardState, Challenge, Evaluation, ImportedResult, ScoreRemoval
from portal import moderated
from portal.models import Decision
from portal.moderated import OnlyTold, Target


def register() -> None:
    moderated.register("evaluation", Evaluations())
    moderated.register("benchmark", Benchmarks())
    moderated.register("challenge", Challenges())
    moderated.register("imported_result", ImportedResults())


class Evaluations:
    """Scores: one can be taken off boards, and is never deleted."""

    actions = ("nudge", "warn", "unscore")

    def load(self, pk: int) -> Target | None:
        rows = Evaluation.objects.filter(pk=pk).select_related("model__namespace", "benchmark__dataset")
        one = rows.first()
        if one is None:
            return None
        value = "–" if one.value is None else f"{one.value:.4f}"
        return Target(
            key=f"evaluation:{pk}",
            title=_("%(model)s on %(benchmark)s") % {"model": one.model.full_name, "benchmark": one.benchmark.title},
            path=one.get_absolute_url(),
            label=_("evaluation"),
            author_id=one.requested_by_id,
            organization_id=one.model.namespace.organization_id,
            is_private=one.model.private or one.benchmark.dataset.private,
            state="off boards" if ScoreRemoval.objects.filter(evaluation=one).exists() else "",
            facts={one.benchmark.primary_metric: value, _("Engine"): one.engine_version, _("Seed"): str(one.seed)},
        )

    def apply(self, pk: int, action: str, decision: Decision) -> dict[str, Any]:
        one = Evaluation.objects.get(pk=pk)
        _row, made = ScoreRemoval.objects.get_or_create(evaluation=one, defaults={"decision": decision})
        best_scores.tell([one.model_id])
        BoardState.objects.mark(models=[one.model_id], entries__benchmark=one.benchmark_id)
        return {"was_ranked": made}

    def undo(self, pk: int, action: str, decision: Decision) -> None:
        if decision.before.get("was_ranked"):
            one = Evaluation.objects.get(pk=pk)
            ScoreRemoval.objects.filter(evaluation=one).delete()
            best_scores.tell([one.model_id])
            BoardState.objects.mark(models=[one.model_id], entries__benchmark=one.benchmark_id)


class Benchmarks(OnlyTold):
    """Benchmarks: what is wrong with one is decided on its data set, or in its review."""

    def load(self, pk: int) -> Target | None:
        one = Benchmark.objects.filter(pk=pk).select_related("dataset__namespace").first()
        if one is None:
            return None
        return Target(
            key=f"benchmark:{pk}",
            title=one.title,
            path=one.get_absolute_url(),
            label=_("benchmark"),
            author_id=one.dataset.namespace.user_id or one.dataset.created_by_id,
            organization_id=one.dataset.namespace.organization_id,
            is_private=one.dataset.private,
            facts={_("Data set"): one.dataset.full_name},
        )


class ImportedResults:
    """Results of other boards: one that is wrong, or stands there for its link, is hidden from all."""

    actions = ("nudge", "warn", "hide")

    def load(self, pk: int) -> Target | None:
        one = ImportedResult.objects.filter(pk=pk).select_related("model__namespace").first()
        if one is None:
            return None
        return Target(
            key=f"imported_result:{pk}",
            title=_("%(model)s on %(benchmark)s") % {"model": one.model.full_name, "benchmark": one.board},
            path=one.get_absolute_url(),
            label=_("result of another board"),
            text=f"{one.board}\n{one.url}\n{one.task}",
            author_id=one.entered_by_id,
            organization_id=one.model.namespace.organization_id,
            is_private=one.model.private,
            state="hidden" if one.is_hidden else "",
            facts={one.metric: one.number},
        )

    def apply(self, pk: int, action: str, decision: Decision) -> dict[str, Any]:
        hidden = ImportedResult.objects.filter(pk=pk, is_hidden=False).update(is_hidden=True, hidden_by=decision)
        return {"was_shown": bool(hidden)}

    def undo(self, pk: int, action: str, decision: Decision) -> None:
        if decision.before.get("was_shown"):
            ImportedResult.objects.filter(pk=pk).update(is_hidden=False, hidden_by=None)


class Challenges(OnlyTold):
    """Challenges: what is wrong with one is decided in its review, or by disqualifying a team."""

    def load(self, pk: int) -> Target | None:
        one = Challenge.objects.filter(pk=pk).first()
        if one is None:
            return None
        return Target(
            key=f"challenge:{pk}",
            title=one.title,
            path=one.get_absolute_url(),
            label=_("challenge"),
            author_id=one.organizer_id,
            organization_id=None,
            is_private=not one.is_approved,
            facts={_("State"): str(one.phase.label)},
        )
