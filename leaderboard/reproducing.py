"""Running an evaluation once more, to see whether the same files give the same answers elsewhere or later."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction
from django.utils.translation import gettext as _

from leaderboard import allowance, submitting
from leaderboard.engine_facts import engine_version
from leaderboard.models import Evaluation, Reproduction
from portal.errors import Conflict
from portal.models import Asker, Event, Job

MAX_RUNS = 20  # of one evaluation


@dataclass(frozen=True)
class Agreement:
    """What the further runs of an evaluation say: how many, how many with the same answers, how far apart."""

    runs: int
    same: int
    spread: float

    @property
    def differing(self) -> int:
        return self.runs - self.same


def reproduce(evaluation: Evaluation, *, by: Asker) -> Reproduction:
    """Ask for another run of a finished evaluation that the asker sees; one at a time."""
    user = submitting.require_right(by, evaluation.model)
    if not evaluation.is_finished:
        raise Conflict(_("This evaluation has no score yet, so there is nothing to reproduce."), code="not_finished")
    if evaluation.engine_version != engine_version():
        raise Conflict(
            _(
                "The engine is version %(now)s now, and this score is of %(then)s. Run it with the line that "
                "reproduces it, from a checkout of that version, or ask for a new evaluation."
            )
            % {"now": engine_version(), "then": evaluation.engine_version},
            code="engine_changed",
        )
    with transaction.atomic():
        Evaluation.objects.select_for_update().get(pk=evaluation.pk)
        _require_turn(evaluation)
        allowance.require(user)
        run = Reproduction.objects.create(evaluation=evaluation, requested_by=user)
        run.job = Job.enqueue(
            "evaluate",
            spec={
                "evaluation": evaluation.pk,
                "reproduction": run.pk,
                "reads": evaluation.reads,
                "url": evaluation.get_absolute_url(),
            },
            owner=user,
            title=f"{evaluation.model.full_name} · {evaluation.benchmark}",
        )
        run.save(update_fields=("job",))
        Event.record("evaluation.repeated", subject=f"evaluation:{evaluation.pk}", by=user, reproduction=run.pk)
    return run


def runs_of(evaluation: Evaluation) -> list[Reproduction]:
    """Return the further runs, newest first, with what a page shows of them."""
    rows = list(evaluation.reproductions.select_related("job", "requested_by").order_by("-id")[: MAX_RUNS * 2])
    for run in rows:
        run.evaluation = evaluation
    return rows


def agreement_of(evaluation: Evaluation, runs: Sequence[Reproduction]) -> Agreement:
    """Return what the finished ones say of the score; the spread is from the least to the greatest value of all."""
    found = [run for run in runs if run.is_finished]
    values = [value for value in (evaluation.value, *(run.value for run in found)) if value is not None]
    return Agreement(
        runs=len(found),
        same=sum(run.has_same_answers for run in found),
        spread=max(values) - min(values) if values else 0.0,
    )


def _require_turn(evaluation: Evaluation) -> None:
    if evaluation.reproductions.unfinished().exists():
        raise Conflict(_("It is being run once more already. Wait for that run to end."), code="already_running")
    if evaluation.reproductions.finished().count() >= MAX_RUNS:
        raise Conflict(_("It was reproduced %(max)d times, which is enough.") % {"max": MAX_RUNS}, code="enough_runs")
