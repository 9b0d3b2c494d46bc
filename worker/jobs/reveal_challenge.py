"""The job kind `reveal_challenge`: the private rows decide, each place is tested against the next below."""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from django.utils.translation import gettext_noop

from leaderboard.challenges import revealing
from leaderboard.challenges.revealing import Contestant
from leaderboard.models import Challenge, ChallengeData
from worker import challenge_parts as parts
from worker import scratch, withholding
from worker.attempts import Attempt, JobFailed
from worker.challenge_parts import PRIVATE
from worker.engine.statistics.corrections import holm

GONE = gettext_noop("The challenge was deleted.")
MOST_TESTED = 40  # pairs from the top; further down places are ranked and not tested


def run(attempt: Attempt) -> None:
    """Rank all teams and store the outcome; the job ends in the same transaction."""
    challenge = Challenge.objects.filter(pk=attempt.job.spec["challenge"]).first()
    data = ChallengeData.objects.filter(challenge=challenge).select_related("private_answers").first()
    if challenge is None or data is None:
        raise JobFailed(GONE, code="gone")
    order = revealing.contestants(challenge)
    with scratch.folder_for(attempt.job) as root, withholding.of(attempt, challenge.definition):
        found = _tested(attempt, challenge, data, order, root) if len(order) > 1 else []
        attempt.check()
    names = [one.team.pk for one in order]
    corrected = holm(found) if found else []
    against_next = dict(zip(names, corrected, strict=False))
    revealing.record(challenge, job=attempt.job, order=order, against_next=against_next)


def _tested(
    attempt: Attempt, challenge: Challenge, data: ChallengeData, order: Sequence[Contestant], root: Path
) -> list[float]:
    """Return the p-value of each place against the next below."""
    parts.lay_out(root)
    parts.place_answers(attempt, root, **{PRIVATE: data.private_answers})
    ids = parts.ids_of(root / "answers" / f"{PRIVATE}.jsonl")
    files: list[Path] = []
    for number, one in enumerate(order[: MOST_TESTED + 1]):
        whole = root / f"whole-{number}.jsonl"
        scratch.place_blob(attempt.job, one.judgement.predictions, whole)
        files.append(parts.take_part(whole, ids, root / "judged" / f"{number}.jsonl", rows=data.rows))
        whole.unlink()
    found = []
    for number, (better, worse) in enumerate(pairwise(files)):
        share = (number / len(files), (number + 1) / len(files))
        found.append(parts.compare(attempt, challenge, root, PRIVATE, before=worse, after=better, share=share)["p"])
    return found
