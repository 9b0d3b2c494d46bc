"""Rows of the leaderboard."""

from leaderboard.models.benchmarks import Benchmark, BenchmarkQuerySet
from leaderboard.models.evaluations import Evaluation, EvaluationQuerySet
from leaderboard.models.suites import Suite, SuiteEntry
from leaderboard.models.wishes import IdleRule, StandingOrder, Vote, Wish, WishQuerySet

__all__ = [
    "Benchmark", "BenchmarkQuerySet", "Evaluation", "EvaluationQuerySet", "IdleRule", "StandingOrder", "Suite",
    "SuiteEntry", "Vote", "Wish", "WishQuerySet",
]  # fmt: skip
