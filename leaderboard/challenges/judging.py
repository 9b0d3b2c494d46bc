"""What a worker found about the rows and entries of challenges: the only way in for their numbers."""

from typing import Any

from django.db import transaction
from django.utils import timezone

from leaderboard.challenges import ladder
from leaderboard.models import ChallengeData, Entry, Judgement, Team
from models_hub import job_contents
from models_hub.models import Blob
from portal.models import Event, Job

PREPARE, JUDGE, REVEAL = "prepare_challenge", "judge_entry", "reveal_challenge"


class Overtaken(Exception):
    """Another entry of the team was judged meanwhile: what was compared with is no longer what is shown."""


def register() -> None:
    """Let workers without the portal's disk fetch what these jobs read."""
    job_contents.register_reader(readable_by)


def readable_by(job: Job) -> set[int]:
    """Return the ids of the blobs that a running job of a challenge may fetch."""
    if job.kind == JUDGE:
        entry = Entry.objects.filter(pk=job.spec.get("entry") or 0, job=job).first()
        challenge = entry.challenge_id if entry else 0
        own = {entry.answers_id} if entry else set()
        shown = best_shown(entry.team) if entry else None
        own |= {shown.judgement.predictions_id} if shown else set()
    else:
        challenge = job.spec.get("challenge") or 0 if job.kind in (PREPARE, REVEAL) else 0
        own = set(Judgement.objects.filter(entry__challenge=challenge).values_list("predictions_id", flat=True))
    data = ChallengeData.objects.filter(challenge=challenge).first() if challenge else None
    if data is not None:
        own |= {data.questions_id, data.public_answers_id, data.private_answers_id}
        own |= {data.source_id} if job.kind == PREPARE else set()
    return {pk for pk in own if pk is not None}


def note_rows(
    data: ChallengeData, *, job: Job, questions: Blob, public: Blob, private: Blob, counts: tuple[int, int]
) -> None:
    """Store the split rows and end the job, unless other rows were brought meanwhile."""
    with transaction.atomic():
        job.finish(
            {"url": f"{data.challenge.get_absolute_url()}/data", "page": f"{data.challenge.get_absolute_url()}/data"}
        )
        ChallengeData.objects.filter(pk=data.pk, job=job).update(
            questions=questions, public_answers=public, private_answers=private,
            public_rows=counts[0], private_rows=counts[1], prepared_at=timezone.now(),
        )  # fmt: skip


def best_shown(team: Team) -> Entry | None:
    """Return the entry whose public score is shown for a team."""
    rows = Entry.objects.filter(team=team, shown__isnull=False, is_late=False).select_related("judgement")
    return rows.order_by("shown" if team.challenge.lower_is_better else "-shown", "-id").first()


def record(
    entry: Entry,
    *,
    job: Job,
    public: dict[str, Any],
    private: dict[str, Any],
    predictions: Blob,
    against: Entry | None,
    comparison: dict[str, Any] | None,
) -> None:
    """Store what an entry scored and end its job; the public score is shown where the ladder rule lets it through.

    `comparison` is the difference to the entry `against` on the public rows; raises Overtaken when that is no longer
    the one shown.
    """
    with transaction.atomic():
        team = Team.objects.select_for_update().select_related("challenge").get(pk=entry.team_id)
        best = None if entry.is_late else best_shown(team)
        if (best.pk if best else None) != (against.pk if against else None):
            raise Overtaken
        page = f"{entry.challenge.get_absolute_url()}/entries"
        job.finish({"url": page, "page": page})
        now = timezone.now()
        entry.judged_at, entry.shown = now, _shown(entry, team, public, comparison)
        entry.save(update_fields=("judged_at", "shown"))
        facts = {"public": _kept(public), "private": _kept(private), "predictions": predictions}
        Judgement.objects.update_or_create(entry=entry, defaults=facts)
        if entry.shown is not None and not entry.is_late:
            team.shown, team.shown_at = entry.shown, entry.sent_at
            team.save(update_fields=("shown", "shown_at"))
        Event.record("challenge.judged", subject=f"challenge:{entry.challenge_id}", by=None, entry=entry.pk)


def _shown(entry: Entry, team: Team, public: dict[str, Any], comparison: dict[str, Any] | None) -> float | None:
    if comparison is not None and not entry.is_late:
        better = ladder.is_improvement(
            comparison["difference"], comparison["low"], comparison["high"],
            lower_is_better=team.challenge.lower_is_better,
        )  # fmt: skip
        if not better:
            return None
    return ladder.rounded(public["value"], ladder.unit_of(public.get("low"), public.get("high")))


def _kept(metric: dict[str, Any]) -> dict[str, Any]:
    return {name: float(metric[name]) for name in ("value", "low", "high") if metric.get(name) is not None}
