"""The job kind `judge_entry`: an entry of a challenge is scored on the public and on the private part of its rows.

A model answers all questions in a sandbox that never sees an answer; the scorer sees answers and predictions, never
the model. Nothing of what it finds enters the job: neither log, nor progress, nor result.
"""

from pathlib import Path
from typing import Any

from django.utils.translation import gettext_noop

from leaderboard import model_files
from leaderboard.challenges import judging, revealing
from leaderboard.engine_facts import engine_version
from leaderboard.models import ChallengeData, Entry, Evaluation
from leaderboard.submitting import DTYPE
from models_hub import browsing
from worker import challenge_parts as parts
from worker import node, sandbox, sandbox_texts, scratch, withholding
from worker.attempts import Attempt, JobFailed, TryAgain
from worker.challenge_parts import PRIVATE, PUBLIC
from worker.jobs import evaluate

GONE = gettext_noop("The entry, its model or the rows of the challenge were deleted.")
OVERTAKEN = gettext_noop("Another entry of the team was judged at the same moment.")
COLLECTING = gettext_noop("collecting files")


def run(attempt: Attempt) -> None:
    """Judge an entry and store what it scored; the job ends in the same transaction."""
    rows = Entry.objects.select_related(
        "challenge", "team__challenge", "model__namespace", "base__namespace", "answers"
    )
    entry = rows.filter(pk=attempt.job.spec["entry"]).first()
    ready = ChallengeData.objects.filter(challenge=entry.challenge_id if entry else None, prepared_at__isnull=False)
    data = ready.select_related("questions", "public_answers", "private_answers").first()
    if entry is None or data is None or not _is_whole(entry):
        raise JobFailed(GONE, code="gone")
    with scratch.folder_for(attempt.job) as root, withholding.of(attempt, entry.challenge.definition):
        predictions = _predictions(attempt, entry, data, root)
        parts.lay_out(root)
        parts.place_answers(attempt, root, **{PUBLIC: data.public_answers, PRIVATE: data.private_answers})
        scores: dict[str, dict[str, Any]] = {}
        for part, share in ((PUBLIC, (0.9, 0.93)), (PRIVATE, (0.93, 0.96))):
            ids = parts.ids_of(root / "answers" / f"{part}.jsonl")
            parts.take_part(predictions, ids, root / "judged" / f"{part}.jsonl", rows=data.rows)
            scores[part] = parts.score(attempt, entry.challenge, root, part, share=share)
        against = None if entry.is_late else judging.best_shown(entry.team)
        comparison = _compared(attempt, entry, against, data, root) if against else None
        attempt.check()
        try:
            judging.record(
                entry, job=attempt.job, public=scores[PUBLIC], private=scores[PRIVATE],
                predictions=scratch.store(attempt.job, predictions), against=against, comparison=comparison,
            )  # fmt: skip
        except judging.Overtaken as error:
            raise TryAgain(OVERTAKEN, code="overtaken") from error
    if not entry.is_late:
        entry.challenge.refresh_from_db()
        revealing.rank_anew(entry.challenge)


def _is_whole(entry: Entry) -> bool:
    """Say whether what was sent is still there, of an adapter its base too."""
    return entry.answers is not None or (entry.model is not None and (entry.base is not None or not entry.base_commit))


def _predictions(attempt: Attempt, entry: Entry, data: ChallengeData, root: Path) -> Path:
    """Return the file of predictions: what was sent, or what the model answers now."""
    path = root / "predictions.jsonl"
    if entry.answers is not None:
        scratch.place_blob(attempt.job, entry.answers, path)
        return path
    isolation = sandbox.detect(node.policy())
    if isolation.warning:
        attempt.job.warn(sandbox_texts.readable(isolation.warning))
    places = evaluate.Places(root)
    attempt.report(0.0, COLLECTING)
    assert data.questions is not None
    evaluation = _as_evaluation(entry)
    evaluate.place_model(attempt, evaluation.model, entry.commit_oid, places / "model")
    if entry.base is not None:
        evaluate.place_model(attempt, entry.base, entry.base_commit, places / "base")
    scratch.place_blob(attempt.job, data.questions, places / "questions" / "inputs.jsonl")
    (places / "questions" / "inputs.jsonl").chmod(0o444)
    evaluate.answer(attempt, evaluation, places)
    scratch.collect(places / "run" / "predictions.jsonl", path)
    return path


def _as_evaluation(entry: Entry) -> Evaluation:
    """Return the entry in the shape that the engine is asked in; it is never saved, so that no page finds it."""
    assert entry.model is not None
    commit = browsing.resolve_revision(entry.model, entry.commit_oid)
    own, below = model_files.entries_of(entry.model, commit), list[browsing.Entry]()
    if entry.base is not None:
        below = model_files.entries_of(entry.base, browsing.resolve_revision(entry.base, entry.base_commit))
    return Evaluation(
        model=entry.model, commit_oid=entry.commit_oid, weights_digest=commit.weights_digest,
        base=entry.base, base_commit=entry.base_commit, files_digest=model_files.digest_of(own, below),
        benchmark=entry.challenge.definition, engine_version=engine_version(), dtype=DTYPE,
    )  # fmt: skip


def _compared(attempt: Attempt, entry: Entry, against: Entry, data: ChallengeData, root: Path) -> dict[str, Any]:
    """Compare with the entry that is shown for the team, on the public part."""
    before = root / "judged" / "before.jsonl"
    whole = root / "before-whole.jsonl"
    scratch.place_blob(attempt.job, against.judgement.predictions, whole)
    parts.take_part(whole, parts.ids_of(root / "answers" / f"{PUBLIC}.jsonl"), before, rows=data.rows)
    after = root / "judged" / f"{PUBLIC}.jsonl"
    return parts.compare(attempt, entry.challenge, root, PUBLIC, before=before, after=after, share=(0.96, 0.99))
