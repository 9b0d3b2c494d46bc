"""The job kind `try_examples`: a model answers somebody's own examples, in the sandboxes of an evaluation.

It makes no evaluation: what is found is stored with the examples, and whoever asked is the only one to see it.
"""

import json
from typing import Any

from django.utils.translation import gettext_noop

from leaderboard.finding import trying
from leaderboard.models import Contender
from models_hub import permissions
from models_hub.models import Repo
from worker import node, sandbox, sandbox_texts, scratch, withholding
from worker.attempts import Attempt, JobFailed
from worker.engine.decoding import read_json_object
from worker.jobs import evaluate

GONE = gettext_noop("The examples or the model were deleted.")
CLOSED = gettext_noop("The owner of the examples may no longer read the model.")


def run(attempt: Attempt) -> None:
    """Try the model and store what was found; the job ends in the same transaction."""
    contender = _find(attempt)
    evaluation = contender.as_evaluation
    isolation = sandbox.detect(node.policy())
    if isolation.warning:
        attempt.job.warn(sandbox_texts.readable(isolation.warning))
    with scratch.folder_for(attempt.job) as folder, withholding.of(attempt, evaluation.benchmark):
        places = evaluate.Places(folder)
        attempt.report(0.0, evaluate.COLLECTING)
        evaluate.place_model(attempt, contender.model, contender.commit_oid, places / "model")
        if contender.base is not None:
            evaluate.place_model(attempt, contender.base, contender.base_commit, places / "base")
        rows = places / "data" / "test" / evaluation.benchmark.split_path
        rows.parent.mkdir()
        rows.write_text(contender.examples.rows, encoding="utf-8")
        evaluate.prepare(attempt, evaluation, places, {"test": rows})
        report = evaluate.answer(attempt, evaluation, places)
        scores = evaluate.score(attempt, evaluation, places)
        attempt.report(0.99, evaluate.STORING)
        attempt.show()
        attempt.check()
        judged = places / "judged"
        items = read_json_object(judged / "items.json", limit=evaluate.MAX_SCORES_BYTES, code="bad_predictions")
        answers: list[dict[str, Any]] = [
            json.loads(line) for line in (judged / "predictions.jsonl").read_text("utf-8").splitlines()
        ]
        trying.record(contender, job=attempt.job, scores=scores, items=items, answers=answers, report=report)


def _find(attempt: Attempt) -> Contender:
    """Return what is to be tried; its owner must still be allowed to read the model."""
    rows = Contender.objects.select_related("examples__owner", "model__namespace", "model__restriction", "base")
    contender = rows.filter(pk=attempt.job.spec["contender"], job=attempt.job, finished_at=None).first()
    if contender is None or (contender.base is None and contender.base_commit):
        raise JobFailed(GONE, code="gone")
    owner = contender.examples.owner
    wanted = [repo for repo in (contender.model, contender.base) if repo is not None]
    seen = Repo.objects.visible_to(owner).filter(pk__in=[repo.pk for repo in wanted]).count()
    may_read = seen == len(wanted) and all(permissions.can_download(owner, repo) for repo in wanted)
    if not owner.is_active or not may_read:
        raise JobFailed(CLOSED, code="closed")
    return contender
