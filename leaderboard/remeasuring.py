"""Standing orders: when a model has a new version, it is measured anew on what it was measured on before."""

import logging

from django.db import transaction
from django.utils.translation import gettext as _

from leaderboard.models import Benchmark, StandingOrder
from leaderboard.submitting import submit
from models_hub.models import Repo
from models_hub.permissions import can_write
from portal.errors import DomainError, NotAllowed, SignInRequired
from portal.models import Asker, Event, User


def follow(model: Repo, *, by: Asker, following: bool) -> None:
    """Begin or end to measure each new version of a model, in the name of the writer who asked last."""
    if not isinstance(by, User):
        raise SignInRequired(_("Sign in to have new versions measured."))
    if not can_write(by, model):
        raise NotAllowed(_("Only those who may write to a model can have its new versions measured by themselves."))
    with transaction.atomic():
        if following:
            StandingOrder.objects.update_or_create(model=model, defaults={"asked_by": by})
        else:
            StandingOrder.objects.filter(model=model).delete()
        kind = "model.followed" if following else "model.left"
        Event.record(kind, subject=f"repo:{model.pk}", by=by)


def measure_new_version(repo_id: int) -> int:
    """Ask for what a standing order wants; doing it twice starts nothing twice. Returns how many were started."""
    order = StandingOrder.objects.select_related("model__namespace", "asked_by").filter(model=repo_id).first()
    if order is None:
        return 0
    started = 0
    for benchmark in _measured_on(order.model):
        try:
            started += submit(order.model, benchmark, by=order.asked_by)[1]
        except DomainError as error:
            logging.getLogger(__name__).info("%s is not measured on %s: %s", order.model, benchmark, error.message)
    return started


def _measured_on(model: Repo) -> list[Benchmark]:
    """Return the newest versions of the benchmarks on which the model has a score."""
    known = model.evaluations.finished().values("benchmark__dataset", "benchmark__path").distinct()
    pairs = {(row["benchmark__dataset"], row["benchmark__path"]) for row in known}
    rows = Benchmark.objects.current().filter(dataset__in={dataset for dataset, _path in pairs})
    return [row for row in rows.select_related("dataset__namespace") if (row.dataset_id, row.path) in pairs]
