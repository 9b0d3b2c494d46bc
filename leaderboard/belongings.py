"""What of the leaderboard belongs to people: see portal/belongings.py."""

from collections.abc import Sequence

from django.db.models import Count, OuterRef, Subquery
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy

from leaderboard.models import Vote, Wish
from portal import belongings
from portal.belongings import moved, signed


def register() -> None:
    belongings.register(
        *signed("leaderboard.Benchmark.registered_by", title=gettext_lazy("Benchmarks")),
        *signed("leaderboard.Benchmark.decided_by", "leaderboard.Suite.decided_by", "leaderboard.Suite.proposed_by"),
        *signed("leaderboard.Evaluation.requested_by", title=gettext_lazy("Evaluations")),
        *signed("leaderboard.Reproduction.requested_by", title=gettext_lazy("Reproductions")),
        *signed("leaderboard.IdleRule.changed_by"),
        *signed("leaderboard.ImportedResult.entered_by", title=gettext_lazy("Results of other boards")),
        *moved("leaderboard.ResultsOrder.asked_by", "leaderboard.StandingOrder.asked_by"),
        *moved("leaderboard.Vote.voter", title=gettext_lazy("Votes"), changed=_count),
    )


def _count(votes: Sequence[Vote]) -> None:
    cast = Vote.objects.filter(wish=OuterRef("pk")).order_by().values("wish").annotate(count=Count("pk"))
    wishes = Wish.objects.filter(pk__in={vote.wish_id for vote in votes})
    wishes.update(votes=Coalesce(Subquery(cast.values("count")), 0))
