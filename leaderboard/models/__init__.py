"""Rows of the leaderboard."""

from leaderboard.models.benchmarks import Benchmark, BenchmarkQuerySet
from leaderboard.models.board_rows import LEVEL_BITS, BoardRow, BoardRowQuerySet, BoardState, StaleRow
from leaderboard.models.challenges import (
    Challenge,
    ChallengeData,
    ChallengeQuerySet,
    Entry,
    EntryQuerySet,
    FinalPlace,
    Judgement,
    Objection,
    Phase,
    Series,
    Team,
    TeamInvitation,
    TeamMember,
)
from leaderboard.models.evaluations import Contamination, Evaluation, EvaluationQuerySet
from leaderboard.models.finder import Contender, ExampleSet, ExampleSetQuerySet
from leaderboard.models.imported import ImportedResult, ImportedResultQuerySet
from leaderboard.models.overlaps import Overlap, OverlapQuerySet
from leaderboard.models.removals import ScoreRemoval
from leaderboard.models.reproductions import Reproduction, ReproductionQuerySet
from leaderboard.models.results_orders import ResultsOrder
from leaderboard.models.reviewed import Reviewed, Standing
from leaderboard.models.suites import Suite, SuiteEntry, SuiteQuerySet
from leaderboard.models.wishes import IdleRule, StandingOrder, Vote, Wish, WishQuerySet

__all__ = [
    "LEVEL_BITS",
    "Benchmark",
    "BenchmarkQuerySet",
    "BoardRow",
    "BoardRowQuerySet",
    "BoardState",
    "Challenge",
    "ChallengeData",
    "ChallengeQuerySet",
    "Contamination",
    "Contender",
    "Entry",
    "EntryQuerySet",
    "Evaluation",
    "EvaluationQuerySet",
    "ExampleSet",
    "ExampleSetQuerySet",
    "FinalPlace",
    "IdleRule",
    "ImportedResult",
    "ImportedResultQuerySet",
    "Judgement",
    "Objection",
    "Overlap",
    "OverlapQuerySet",
    "Phase",
    "Reproduction",
    "ReproductionQuerySet",
    "ResultsOrder",
    "Reviewed",
    "ScoreRemoval",
    "Series",
    "StaleRow",
    "Standing",
    "StandingOrder",
    "Suite",
    "SuiteEntry",
    "SuiteQuerySet",
    "Team",
    "TeamInvitation",
    "TeamMember",
    "Vote",
    "Wish",
    "WishQuerySet",
]  # fmt: skip
