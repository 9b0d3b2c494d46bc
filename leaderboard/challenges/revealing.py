"""The end of a challenge: at its last second nobody enters any more, and the private rows decide, by themselves.

Nothing waits for a moment to pass: the relay asks again and again what is due, so that processes that were down over
the end do it as soon as they are back, and once.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from leaderboard.challenges import standings
from leaderboard.challenges.judging import REVEAL
from leaderboard.models import Challenge, Entry, FinalPlace, Judgement, Team, TeamMember
from portal.models import Event, Job

# Entries that were sent in time and are not judged yet are waited for, but not for ever: a rank of theirs comes later.
PATIENCE = timedelta(hours=6)
AGAIN = timedelta(minutes=5)  # after a reveal that failed
SOON = timedelta(hours=24)
DUE_AT_ONCE = 50


@dataclass(frozen=True)
class Contestant:
    """A team with the entry that counts for it."""

    team: Team
    entry: Entry
    judgement: Judgement

    @property
    def value(self) -> float:
        return float(self.judgement.private["value"])


def turn() -> None:
    """Tell of what opens and what ends soon, and begin what is due."""
    _tell()
    now = timezone.now()
    for challenge in Challenge.objects.due(now).order_by("closes_at")[:DUE_AT_ONCE]:
        if now >= challenge.closes_at + PATIENCE or not Entry.objects.waiting().filter(challenge=challenge).exists():
            begin(challenge)


def begin(challenge: Challenge) -> bool:
    """Have a worker reveal a challenge, or rank it anew, unless one is at it; returns whether a job was made."""
    with transaction.atomic():
        row = Challenge.objects.select_for_update(of=("self",)).select_related("reveal_job").get(pk=challenge.pk)
        job = row.reveal_job
        if job is not None and not job.is_finished:
            return False
        if job is not None and row.revealed_at is None and timezone.now() < job.created_at + AGAIN:
            return False
        if row.phase_at(timezone.now()) not in ("closed", "revealed"):
            return False
        row.reveal_job = Job.enqueue(
            REVEAL, spec={"challenge": row.pk, "url": row.get_absolute_url()}, owner=None, title=row.title
        )
        row.save(update_fields=("reveal_job",))
    return True


def rank_anew(challenge: Challenge) -> None:
    """Have the outcome computed again after somebody was taken out or came late; a running one starts over."""
    if not challenge.is_revealed or challenge.confirmed_at is not None:
        return
    job = Job.objects.filter(pk=challenge.reveal_job_id or 0).first()
    if job is not None and not job.is_finished:
        job.cancel(by=None)
        Challenge.objects.filter(pk=challenge.pk).update(reveal_job=None)
    begin(challenge)


def contestants(challenge: Challenge) -> list[Contestant]:
    """Return each team with its best final entry by the private rows, the best first; of equals the earlier one."""
    found: dict[int, list[Contestant]] = {}
    rows = Judgement.objects.filter(
        entry__challenge=challenge, entry__is_late=False, entry__team__disqualified_at__isnull=True
    ).select_related("entry__team", "predictions")
    for one in rows.order_by("entry_id"):
        found.setdefault(one.entry.team_id, []).append(Contestant(one.entry.team, one.entry, one))
    sign = 1 if challenge.lower_is_better else -1

    def order(one: Contestant) -> tuple[float, object, int]:
        return sign * one.value, one.entry.sent_at, one.entry.pk

    return sorted((min(_counted(all_, sign), key=order) for all_ in found.values()), key=order)


def _counted(entries: Sequence[Contestant], sign: int) -> Sequence[Contestant]:
    """Return the entries that a team chose, else the best public one."""
    chosen = [one for one in entries if one.entry.is_final]
    if chosen:
        return chosen
    return [min(entries, key=lambda one: (sign * float(one.judgement.public["value"]), one.entry.pk))]


def record(challenge: Challenge, *, job: Job, order: Sequence[Contestant], against_next: Mapping[int, float]) -> None:
    """Write the outcome down and end the job; `against_next` has the p-value of a team against the next below."""
    with transaction.atomic():
        row = Challenge.objects.select_for_update().get(pk=challenge.pk)
        job.finish({"url": row.get_absolute_url()})
        if row.reveal_job_id != job.pk:
            return  # another one was begun since, which knows more
        is_first = row.revealed_at is None
        public = standings.public_ranks(row)
        FinalPlace.objects.filter(challenge=row).delete()
        FinalPlace.objects.bulk_create(_places(row, order, public, against_next))
        if is_first:
            row.revealed_at = timezone.now()
            row.objections_until = row.revealed_at + timedelta(days=row.objection_days)
            row.save(update_fields=("revealed_at", "objections_until"))
        kind = "challenge.revealed" if is_first else "challenge.ranked_anew"
        Event.record(kind, subject=f"challenge:{row.pk}", by=None, people=_people(row)[:100])
        if _entries(contestants(row)) != _entries(order):
            begin(row)  # something was judged or taken out while this one was at it


def _entries(order: Sequence[Contestant]) -> list[int]:
    return [one.entry.pk for one in order]


def _places(
    challenge: Challenge, order: Sequence[Contestant], public: Mapping[int, int], against_next: Mapping[int, float]
) -> Iterator[FinalPlace]:
    """Yield the places: equal values share a rank, baselines have none."""
    seen, rank, last = 0, 0, None
    for position, one in enumerate(order, start=1):
        if not one.team.is_baseline:
            seen += 1
            rank, last = (rank, last) if one.value == last else (seen, one.value)
        interval = one.judgement.private
        yield FinalPlace(
            challenge=challenge, team=one.team, entry=one.entry, position=position,
            rank=None if one.team.is_baseline else rank, public_rank=public.get(one.team.pk), value=one.value,
            low=interval.get("low"), high=interval.get("high"), p_next=against_next.get(one.team.pk),
        )  # fmt: skip


def _people(challenge: Challenge) -> list[int]:
    return list(TeamMember.objects.filter(challenge=challenge).values_list("user_id", flat=True))


def _tell() -> None:
    """Say once that a challenge opens, and once that it ends within a day."""
    now = timezone.now()
    running = Challenge.objects.approved().filter(opens_at__lte=now, closes_at__gt=now)
    for column, kind, rows in (
        ("told_open_at", "challenge.opened", running),
        ("told_end_at", "challenge.ends_soon", running.filter(closes_at__lte=now + SOON)),
    ):
        for challenge in rows.filter(**{f"{column}__isnull": True})[:DUE_AT_ONCE]:
            with transaction.atomic():
                untold = Challenge.objects.filter(pk=challenge.pk, **{f"{column}__isnull": True})
                if untold.update(**{column: now}):
                    Event.record(kind, subject=f"challenge:{challenge.pk}", by=None)
