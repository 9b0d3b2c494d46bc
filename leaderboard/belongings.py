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
        *moved("leaderboard.ExampleSet.owner", title=gettext_lazy("Own examples")),
        *signed("leaderboard.IdleRule.changed_by"),
        *signed("leaderboard.ImportedResult.entered_by", title=gettext_lazy("Results of other boards")),
        *moved("leaderboard.ResultsOrder.asked_by", "leaderboard.StandingOrder.asked_by"),
        *signed("leaderboard.Challenge.organizer", title=gettext_lazy("Challenges")),
        *signed("leaderboard.Challenge.decided_by", "leaderboard.Challenge.confirmed_by"),
        *signed("leaderboard.Series.organizer", "leaderboard.Team.captain", "leaderboard.Team.disqualified_by"),
        *moved("leaderboard.TeamMember.user", title=gettext_lazy("Places in teams")),
        *moved("leaderboard.TeamInvitation.user"),
        *signed("leaderboard.TeamInvitation.invited_by", "leaderboard.Objection.answered_by"),
        *signed("leaderboard.Entry.sent_by", title=gettext_lazy("Entries of challenges")),
        *signed("leaderboard.Objection.raised_by", title=gettext_lazy("Objections")),
        *moved("leaderboard.Vote.voter", title=gettext_lazy("Votes"), changed=_count),
    )


def _count(votes: Sequence[Vote]) -> None:
    cast = Vote.objects.filter(wish=OuterRef("pk")).order_by().values("wish").annotate(count=Count("pk"))
    wishes = Wish.objects.filter(pk__in={vote.wish_id for vote in votes})
    wishes.update(votes=Coalesce(Subquery(cast.values("count")), 0))
