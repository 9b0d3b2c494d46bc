"""Rows of the leaderboard."""

from leaderboard.models.benchmarks import Benchmark, BenchmarkQuerySet
from leaderboard.models.evaluations import Evaluation, EvaluationQuerySet
from leaderboard.models.suites import Suite, SuiteEntry

__all__ = ["Benchmark", "BenchmarkQuerySet", "Evaluation", "EvaluationQuerySet", "Suite", "SuiteEntry"]
