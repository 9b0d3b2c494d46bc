"""The job kind `search`: the next trials of a study are asked for, as optuna proposes them from those that were.

It is asked for when a study begins and whenever one of its trials is over, and does what is due then. Lost or doubled,
the next look at the rows finds the same.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext_noop

from models_hub.adapting import studies
from models_hub.models import Run, Study
from portal.errors import DomainError
from worker import scratch
from worker.attempts import Attempt, JobFailed
from worker.engine.decoding import decode
from worker.engine.tuning.search_contracts import PastTrial, ProposeSpec, Span
from worker.engine_runs import Run as VerbRun
from worker.engine_runs import run_verb
from worker.jobs.limits import limits_of

GONE = gettext_noop("The study was deleted.")
PROPOSING = gettext_noop("choosing the next trials")
MEMORY_MB = 1024


def run(attempt: Attempt) -> None:
    """Propose trials, ask for them, and drop the models of trials that are not the best; all in one transaction."""
    study = Study.objects.select_related("owner").filter(pk=attempt.job.spec["study"]).first()
    if study is None:
        raise JobFailed(GONE, code="gone")
    attempt.report(0.1, PROPOSING)
    count = studies.due(study)
    found = _proposed(attempt, study, count)
    with transaction.atomic():
        made = _added(study, found["params"]) if count else []
        _drop_losers(study)
        importances = found["importances"] or study.importances
        Study.objects.filter(pk=study.pk).update(importances=importances)
        studies.end_if_done(study)
        attempt.job.finish({"study": study.pk, "page": study.get_absolute_url(), "trials": [one.pk for one in made]})


def _added(study: Study, params: Sequence[Mapping[str, Any]]) -> list[Run]:
    """Ask for trials; a study whose owner may ask for no more is stopped, and says why."""
    try:
        with transaction.atomic():
            return studies.add_trials(study, params)
    except DomainError as error:
        studies.give_up(study, error.message)
        return []


def _proposed(attempt: Attempt, study: Study, count: int) -> dict[str, Any]:
    plan = studies.Plan(**study.plan)
    spec = ProposeSpec(
        space={name: decode(Span, span, where=name) for name, span in study.space.items()},
        trials=[decode(PastTrial, trial, where="trial") for trial in studies.past_trials(study)],
        count=count,
        sampler="random" if plan.sampler == "random" else "tpe",
        lower_is_better=studies.lower_is_better(study),
        seed=plan.seed,
    )
    with scratch.folder_for(attempt.job) as folder:
        out, spec_folder = folder / "out", folder / "spec"
        out.mkdir()
        spec_folder.mkdir()
        return run_verb(
            attempt,
            VerbRun("propose", spec, readonly=[], writable=out, share=(0.1, 0.9)),
            spec_folder=spec_folder,
            limits=limits_of(memory_mb=min(settings.JOB_MEMORY_MB, MEMORY_MB), threads=1),
        )


def _drop_losers(study: Study) -> None:
    """Keep the packed model of the best trial alone: the others are known by their numbers."""
    best = studies.best_of(study)
    over = Run.objects.filter(study=study, finished_at__isnull=False, checkpoint__isnull=False)
    over.exclude(pk=best.pk if best else 0).update(checkpoint=None)
