"""What somebody asked to have measured, whatever became of it, and what asking for many at once would start."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Count, OuterRef, Q, Subquery

from leaderboard import submitting
from leaderboard.models import Benchmark, Evaluation, EvaluationQuerySet
from leaderboard.task_kinds import lower_is_better
from models_hub.models import Repo
from portal import waiting
from portal.errors import DomainError, SignInRequired
from portal.models import Job, User

WAITING = Q(finished_at=None, job__state=Job.State.QUEUED)
RUNNING = Q(finished_at=None, job__state__in=Job.HELD)
CANCELLED = Q(finished_at=None, job__state=Job.State.CANCELLED)
STATES: Mapping[str, Q] = {
    "waiting": WAITING,
    "running": RUNNING,
    "done": Q(finished_at__isnull=False),
    # A job that is gone, or that ended well without a score, failed too.
    "failed": Q(finished_at=None) & ~Q(job__state__in=[*Job.UNFINISHED, Job.State.CANCELLED]),
    "cancelled": CANCELLED,
}


@dataclass(frozen=True)
class Submission:
    """One evaluation as whoever asked for it sees it; `place` counts models of which anybody may see the score."""

    evaluation: Evaluation
    explanation: str
    place: int | None

    @property
    def state(self) -> str:
        """One of STATES, as the page filters them."""
        state = self.evaluation.state
        known = {Job.State.QUEUED: "waiting", Job.State.LEASED: "running", Job.State.SUCCEEDED: "done"}
        return known.get(Job.State(state), state)


@dataclass(frozen=True)
class Foreseen:
    """What asking for one pair would do: nothing new where there is an evaluation, nothing where it is refused."""

    model: Repo
    benchmark: Benchmark
    evaluation: Evaluation | None = None
    error: DomainError | None = None

    @property
    def is_new(self) -> bool:
        return self.evaluation is None and self.error is None


def of(user: User) -> EvaluationQuerySet:
    """Return the evaluations that a person asked for, of what the person may still see."""
    return Evaluation.objects.visible_to(user).filter(requested_by_id=user.pk)


def counts(user: User) -> dict[str, int]:
    """Return how many there are in each state."""
    found: dict[str, int] = of(user).aggregate(**{name: Count("pk", filter=state) for name, state in STATES.items()})
    return found


def page(rows: EvaluationQuerySet, *, before: int | None, limit: int) -> list[Submission]:
    """Return the newest of these, older than `before`; the number of queries does not grow with them."""
    found = rows if before is None else rows.filter(pk__lt=before)
    evaluations = list(found.latest().annotate(better=_better(above=True), lower=_better(above=False))[:limit])
    explained = waiting.explanations(None if one.is_finished else one.job for one in evaluations)
    return [Submission(one, explanation, _place(one)) for one, explanation in zip(evaluations, explained, strict=True)]


def cancel(evaluation: Evaluation, *, by: User) -> None:
    """Stop the job of an evaluation."""
    if evaluation.job is not None:
        evaluation.job.cancel(by=by)


def again(evaluation: Evaluation, *, by: User) -> Evaluation:
    """Ask once more for what failed or was cancelled, of the same version of the model."""
    return submitting.submit(evaluation.model, evaluation.benchmark, by=by, revision=evaluation.commit_oid)[0]


def foresee(models: Iterable[Repo], benchmarks: Sequence[Benchmark], *, by: User) -> list[Foreseen]:
    """Say what asking for every pair would do, without asking."""
    return [_foresee(model, benchmark, by) for model in models for benchmark in benchmarks]


def totals(found: Sequence[Foreseen]) -> dict[str, int]:
    """Return how many would be new, are there and are refused."""
    new, refused = sum(one.is_new for one in found), sum(one.error is not None for one in found)
    return {"new": new, "known": len(found) - new - refused, "refused": refused}


def _foresee(model: Repo, benchmark: Benchmark, by: User) -> Foreseen:
    try:
        return Foreseen(model, benchmark, submitting.foresee(model, benchmark, by=by))
    except SignInRequired:
        raise
    except DomainError as error:
        return Foreseen(model, benchmark, error=error)


def _better(*, above: bool) -> Subquery:
    """Count the models with a public score that is above, or below, that of a row."""
    value = {"value__gt" if above else "value__lt": OuterRef("value")}
    others = Evaluation.objects.public().finished().filter(benchmark=OuterRef("benchmark"), **value)
    counted = others.order_by().values("benchmark").annotate(count=Count("model", distinct=True))
    return Subquery(counted.values("count"))


def _place(one: Evaluation) -> int | None:
    if not one.is_finished or one.model.private or one.benchmark.dataset.private:
        return None
    better = one.lower if lower_is_better(one.benchmark.primary_metric) else one.better  # type: ignore[attr-defined]
    return 1 + (better or 0)
