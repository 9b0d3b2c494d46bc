"""Many evaluations asked for at once: each is refused or started on its own, as if it were asked for alone."""

from collections.abc import Iterable
from typing import NamedTuple

from leaderboard.models import Benchmark, Evaluation
from leaderboard.submitting import submit
from models_hub.models import DEFAULT_BRANCH, Repo
from portal.errors import DomainError, SignInRequired
from portal.models import Asker

MAX_PAIRS = 200


class Answer(NamedTuple):
    """What became of one pair: an evaluation, new or known, or the reason why there is none."""

    model: Repo
    benchmark: Benchmark
    evaluation: Evaluation | None
    is_new: bool = False
    error: DomainError | None = None


def submit_all(
    models: Iterable[Repo], benchmarks: Iterable[Benchmark], *, by: Asker, revision: str = DEFAULT_BRANCH
) -> list[Answer]:
    """Ask for every pair; raises SignInRequired, and answers everything else for each pair."""
    chosen = list(benchmarks)
    return [_ask(model, benchmark, by, revision) for model in models for benchmark in chosen]


def _ask(model: Repo, benchmark: Benchmark, by: Asker, revision: str) -> Answer:
    try:
        evaluation, is_new = submit(model, benchmark, by=by, revision=revision)
    except SignInRequired:
        raise
    except DomainError as error:
        return Answer(model, benchmark, None, error=error)
    return Answer(model, benchmark, evaluation, is_new)
