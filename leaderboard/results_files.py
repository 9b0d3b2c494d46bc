"""Scores written to their model's repository as `.eval_results/<benchmark>.yaml`, as clients of the hub read them.

Nothing is committed without the wish of somebody who may: by a button for one score, or by a standing order of the
model's writers for all.
"""

import logging
from dataclasses import dataclass
from typing import Any

import yaml
from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from leaderboard.models import Evaluation, ResultsOrder
from models_hub import publishing
from models_hub.changes import PutFile
from models_hub.models import Commit, PullRequest, Repo
from models_hub.permissions import can_write
from models_hub.stated_scores import FOLDER
from portal.errors import Conflict, DomainError, InvalidInput, NotAllowed, SignInRequired
from portal.models import Asker, Event, User

DIGITS = 6
MAX_ENTRIES = 20


@dataclass(frozen=True)
class Written:
    """What became of it: a commit on main, or a pull request; `is_new` is false where the file said so already."""

    commit: Commit
    pull: PullRequest | None
    is_new: bool


def path_of(evaluation: Evaluation) -> str:
    """Return the file that holds the scores of the benchmarks of one data set."""
    dataset = evaluation.benchmark.dataset
    return f"{FOLDER}/{dataset.namespace.name}--{dataset.name}.yaml"


def write(evaluation: Evaluation, *, by: Asker, endpoint: str, as_pull_request: bool = False) -> Written:
    """Commit a score, with the others of its data set, to main, or propose it; the asker sees the evaluation."""
    model = evaluation.model
    _require_tellable(evaluation)
    change = PutFile(path_of(evaluation), content_of(evaluation, endpoint=endpoint).encode())
    title = f"Add the score of {evaluation.benchmark}"
    if as_pull_request:
        pull, commit = publishing.propose(repo=model, by=by, changes=[change], title=title)
        return Written(commit, pull, is_new=True)
    before = model.head
    commit = publishing.commit(repo=model, by=by, changes=[change], title=title)
    return Written(commit, None, is_new=commit.oid != before)


def content_of(evaluation: Evaluation, *, endpoint: str) -> str:
    """Return the file: the newest score of each benchmark of the data set that the same weights reached."""
    rows = (
        Evaluation.objects.finished()
        .filter(model=evaluation.model, weights_digest=evaluation.weights_digest)
        .filter(benchmark__dataset=evaluation.benchmark.dataset)
        .select_related("benchmark__dataset__namespace")
        .order_by("-id")
    )
    newest: dict[str, Evaluation] = {}
    for row in rows[: MAX_ENTRIES * 5]:
        newest.setdefault(row.benchmark.path, row)
    entries = [_entry(row, endpoint) for _path, row in sorted(newest.items())[:MAX_ENTRIES]]
    told = f"# Computed by {settings.SITE_NAME} from published files. It writes this file anew with each score.\n"
    return told.replace("\r", " ") + yaml.safe_dump(entries, sort_keys=False, allow_unicode=True, width=120)


def keep_written(model: Repo, *, by: Asker, wanted: bool) -> None:
    """Begin or end to commit each new score of a model, in the name of the writer who asked last."""
    if not isinstance(by, User):
        raise SignInRequired(_("Sign in to have results written."))
    if not can_write(by, model):
        raise NotAllowed(_("Only those who may write to a model can have results written to it."))
    with transaction.atomic():
        if wanted:
            ResultsOrder.objects.update_or_create(model=model, defaults={"asked_by": by, "refusal": ""})
        else:
            ResultsOrder.objects.filter(model=model).delete()
        Event.record("results.kept" if wanted else "results.left", subject=f"repo:{model.pk}", by=by)


def write_as_ordered(evaluation_id: int) -> Written | None:
    """Write a score whose model has a standing order for it; a refusal is kept with the order, and no error."""
    evaluation = (
        Evaluation.objects.finished()
        .select_related("model__namespace", "benchmark__dataset__namespace")
        .filter(pk=evaluation_id, model__results_order__isnull=False)
        .first()
    )
    if evaluation is None:
        return None
    order = ResultsOrder.objects.select_related("asked_by").get(model=evaluation.model)
    written, refusal = None, ""
    try:
        with transaction.atomic():
            written = write(evaluation, by=order.asked_by, endpoint=settings.PUBLIC_URL)
    except DomainError as error:
        refusal = error.message
        logging.getLogger(__name__).info("%s is not written to %s: %s", evaluation, evaluation.model, refusal)
    ResultsOrder.objects.filter(pk=order.pk).update(refusal=refusal)
    return written


def _require_tellable(evaluation: Evaluation) -> None:
    """Refuse what is no result of the present weights, or would tell readers of the model of a hidden data set."""
    if not evaluation.is_finished:
        raise Conflict(_("This evaluation has no score yet."), code="not_finished")
    if evaluation.is_outdated:
        raise Conflict(_("This score is of older weights: the model has changed since."), code="outdated")
    if evaluation.benchmark.dataset.private:
        raise InvalidInput(
            _("The benchmark is private, so its scores are not written where others may read them."),
            code="private_benchmark",
        )


def _entry(evaluation: Evaluation, endpoint: str) -> dict[str, Any]:
    """Return a score in the format of the Hugging Face Hub."""
    benchmark, metric = evaluation.benchmark, evaluation.benchmark.primary_metric
    assert evaluation.value is not None  # finished evaluations have one
    assert evaluation.finished_at is not None
    found: dict[str, Any] = {
        "dataset": {
            "id": benchmark.dataset.full_name,
            "task_id": benchmark.path.removesuffix(".yaml").replace("eval", "", 1).strip("/-_.") or "default",
            "revision": benchmark.commit_oid,
        },
        "value": round(evaluation.value, DIGITS),
        "date": evaluation.finished_at.replace(microsecond=0).isoformat().replace("+00:00", "Z"),
        "notes": _notes(evaluation, metric),
    }
    if endpoint:
        name = f"{settings.SITE_NAME}, evaluation {evaluation.pk}"
        found["source"] = {"url": f"{endpoint}{evaluation.get_absolute_url()}", "name": name}
    return found


def _notes(evaluation: Evaluation, metric: str) -> str:
    interval = ""
    if evaluation.low is not None and evaluation.high is not None:
        interval = f", 95 % interval {evaluation.low:.{DIGITS}f} to {evaluation.high:.{DIGITS}f}"
    return (
        f"{metric}{interval}, {evaluation.n} examples, benchmark version {evaluation.benchmark.version}, "
        f"engine {evaluation.engine_version}, {evaluation.dtype}, model commit {evaluation.commit_oid}"
    )
