"""Scores that authors state, beside what was measured here. They are never ranked."""

import math
import re
from dataclasses import dataclass

from leaderboard.models import Evaluation
from models_hub import browsing, former_names, stated_scores
from models_hub.models import DEFAULT_BRANCH, Repo
from models_hub.permissions import can_download
from models_hub.stated_scores import StatedScore
from portal.models import Asker

MAX_EVALUATIONS = 200
_OURS = re.compile(r"/evaluations/([0-9]{1,18})\Z")


@dataclass(frozen=True)
class Stated:
    """A stated score, the data set it is about if that is here, and the newest score that was measured on it."""

    score: StatedScore
    dataset: Repo | None
    measured: Evaluation | None


def of(model: Repo, user: Asker) -> list[Stated]:
    """Return what the authors state at the head, without copies of scores that were computed here."""
    commit = browsing.resolve_revision(model, DEFAULT_BRANCH)
    scores = stated_scores.at(model, commit, with_files=can_download(user, model))
    if not scores:
        return []
    datasets = Repo.objects.visible_to(user).filter(kind=Repo.Kind.DATASET)
    here = former_names.found_by([score.dataset for score in scores], among=datasets)
    rows = Evaluation.objects.visible_to(user).finished().filter(model=model).latest()
    measured = list(rows.defer("metrics", "per_class", "confusion", "details", "provenance")[:MAX_EVALUATIONS])
    return [
        Stated(score, dataset := here.get(score.dataset.lower()), _newest(measured, dataset))
        for score in scores
        if not _is_copy(score, measured)
    ]


def _newest(measured: list[Evaluation], dataset: Repo | None) -> Evaluation | None:
    if dataset is None:
        return None
    rows = [row for row in measured if row.benchmark.dataset_id == dataset.pk]
    return next((row for row in rows if not row.is_outdated), next(iter(rows), None))


def _is_copy(score: StatedScore, measured: list[Evaluation]) -> bool:
    """Say whether this is what the portal itself wrote of one of its scores, unchanged."""
    named = _OURS.search(score.source)
    rows = [row for row in measured if named and row.pk == int(named[1])]
    return any(row.value is not None and math.isclose(row.value, score.value, abs_tol=1e-6) for row in rows)
