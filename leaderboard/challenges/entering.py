"""Entries: a model at a commit or a file of predictions, within the limits of a day, until the second of the end."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from leaderboard import adapters, fitting, model_files
from leaderboard.challenges import answer_files, permissions, teams
from leaderboard.models import Challenge, ChallengeData, Entry, Phase, Team
from models_hub import browsing, job_contents
from models_hub.models import DEFAULT_BRANCH, Repo
from models_hub.permissions import can_write, require_download
from portal import allowances
from portal.errors import Conflict, InvalidInput, NotAllowed, NotFound, QuotaExceeded
from portal.models import Asker, Event, Job, User

MAX_NOTE = 200
MAX_BASELINES = 10
MAX_NAME = 60


class Day(NamedTuple):
    """What a team has used of a day in UTC."""

    limit: int
    used: int
    next_at: datetime

    @property
    def left(self) -> int:
        return max(self.limit - self.used, 0)


def day_of(team: Team) -> Day:
    """Return the entries of today that count: judged ones and those that wait, none that failed or was cancelled."""
    start = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
    used = Entry.objects.counted().filter(team=team, sent_at__gte=start).count()
    return Day(team.challenge.daily_limit, used, start + timedelta(days=1))


def enter_model(
    challenge: Challenge,
    model: Repo,
    *,
    by: Asker,
    revision: str = DEFAULT_BRANCH,
    note: str = "",
    code: Repo | None = None,
) -> Entry:
    """Send a model as it is at a revision; refused early and readably where it could only fail or breaks the rules."""
    user = permissions.require_sender(by)
    team = _team_of(challenge, user)
    if not challenge.takes_models:
        raise InvalidInput(_("This challenge takes files of predictions alone."), data={"key": "model"})
    if not can_write(user, model):
        raise NotAllowed(_("Only writers of a model may enter it."))
    facts = checked_model(challenge, model, by=user, revision=revision)
    return _send(challenge, team, user, note=note, code=code, **facts)


def enter_file(
    challenge: Challenge,
    *,
    by: Asker,
    name: str,
    chunks: Iterable[bytes],
    note: str = "",
    code: Repo | None = None,
) -> Entry:
    """Send a file of predictions; raises BadAnswers with the numbers of its wrong lines, and keeps nothing of it."""
    user = permissions.require_sender(by)
    team = _team_of(challenge, user)
    if not challenge.takes_predictions:
        raise InvalidInput(_("This challenge takes models alone."), data={"key": "file"})
    _require_place(team, challenge)  # before a large file is read; asked again when the entry is written
    lines = answer_files.read(challenge, name, chunks, _prepared(challenge).rows)
    blob = job_contents.keep(lines)
    return _send(challenge, team, user, note=note, code=code, file_name=name[-255:], answers=blob)


def add_baseline(
    challenge: Challenge,
    *,
    by: Asker,
    title: str,
    model: Repo | None = None,
    name: str = "",
    chunks: Iterable[bytes] = (),
) -> Entry:
    """Enter what the organizer compares with: it is shown with its score and takes nobody's rank."""
    user = permissions.require_person(by)
    if not permissions.can_organize(user, challenge):
        raise NotAllowed(_("Only its organizer may do this."))
    if challenge.phase not in (Phase.DRAFT, Phase.PROPOSED, Phase.UPCOMING, Phase.OPEN):
        raise Conflict(_("The challenge is over."), code="challenge_closed")
    title = " ".join(title.split())
    if not 0 < len(title) <= MAX_NAME:
        raise InvalidInput(_("A name of at most %(max)d characters.") % {"max": MAX_NAME}, data={"key": "title"})
    rows = _prepared(challenge).rows
    if model is not None:
        facts = checked_model(challenge, model, by=user, revision=DEFAULT_BRANCH)
    else:
        blob = job_contents.keep(answer_files.read(challenge, name, chunks, rows))
        facts = {"file_name": name[-255:], "answers": blob}
    with transaction.atomic():
        row = Challenge.objects.select_for_update().get(pk=challenge.pk)
        if row.teams.filter(is_baseline=True).count() >= MAX_BASELINES:
            raise QuotaExceeded(_("A challenge has at most %(max)d baselines.") % {"max": MAX_BASELINES})
        if row.teams.filter(name__iexact=title).exists():
            raise Conflict(_("Another team has this name."), data={"key": "title"})
        team = Team.objects.create(challenge=row, name=title, captain=user, is_baseline=True)
        return _start(Entry(challenge=row, team=team, sent_by=user, sent_at=timezone.now(), **facts), user)


def checked_model(challenge: Challenge, model: Repo, *, by: User, revision: str) -> dict[str, Any]:
    """Return what an entry says of a model that fits the task and keeps the limits of size and licence.

    An adapter alone is entered with its base, and both together keep the limits.
    """
    require_download(by, model)
    commit = browsing.resolve_revision(model, revision)
    entries = model_files.entries_of(model, commit)
    base = adapters.base_of(model, entries, by)
    fitting.check_evaluable(model, commit, entries, challenge.task, base)
    size = sum(
        entry.size for entry in (*entries, *(base.entries if base else ())) if model_files.are_weights(entry.path)
    )
    if challenge.max_bytes is not None and size > challenge.max_bytes:
        raise InvalidInput(
            _("The weights take %(size)d bytes; at most %(max)d are allowed.")
            % {"size": size, "max": challenge.max_bytes},
            data={"key": "model"}, code="too_many_bytes",
        )  # fmt: skip
    parts = [model, *([base.repo] if base else [])]
    if challenge.max_parameters is not None:
        _check_parameters(parts, challenge.max_parameters)
    for part in parts if challenge.licenses else ():
        _check_license(part, challenge)
    named = {"base": base.repo, "base_commit": base.commit.oid} if base else {}
    return {"model": model, "model_name": model.full_name, "commit_oid": commit.oid, **named}


def _check_parameters(parts: Sequence[Repo], most: int) -> None:
    counts = [part.parameters for part in parts if part.parameters is not None]
    if len(counts) < len(parts):
        raise InvalidInput(
            _("The parameters of this model are not counted yet. Try again in a minute."),
            data={"key": "model"}, code="not_counted",
        )  # fmt: skip
    if sum(counts) > most:
        raise InvalidInput(
            _("The model has %(found)d parameters; at most %(max)d are allowed.")
            % {"found": sum(counts), "max": most},
            data={"key": "model"}, code="too_many_parameters",
        )  # fmt: skip


def _check_license(part: Repo, challenge: Challenge) -> None:
    if part.license not in challenge.licenses:
        raise InvalidInput(
            _("The licence of %(name)s must be one of: %(known)s. Its card says %(found)s.")
            % {
                "name": part.full_name,
                "known": ", ".join(challenge.licenses),
                "found": part.license or _("nothing"),
            },
            data={"key": "model"}, code="wrong_license",
        )  # fmt: skip


def cancel(entry: Entry, *, by: Asker) -> None:
    """Take an entry back that is not judged yet; it uses up nothing of the day."""
    user = permissions.require_sender(by)
    if not permissions.can_see_entry(user, entry):
        raise NotAllowed(_("Only its team may do this."))
    if entry.judged_at is not None or entry.job is None:
        raise Conflict(_("It is judged already."), code="entry_judged")
    entry.job.cancel(by=user)


def judge_again(entry: Entry, *, by: Asker) -> Entry:
    """Have a failed entry judged once more, also after the end: what failed may have been ours to mend."""
    user = permissions.require_person(by)
    if not permissions.can_oversee(user, entry.challenge):
        raise NotAllowed(_("Only its organizer and moderators may do this."))
    with transaction.atomic():
        row = Entry.objects.select_for_update().select_related("challenge").get(pk=entry.pk)
        job = Job.objects.filter(pk=row.job_id or 0).first()
        if row.judged_at is not None or job is None or job.state != Job.State.FAILED:
            raise Conflict(_("Only a failed entry is judged again."))
        if row.challenge.confirmed_at is not None:
            raise Conflict(_("The outcome is confirmed."))
        return _start(row, row.sent_by or user)


def choose_finals(team: Team, chosen: Collection[int], *, by: Asker) -> None:
    """Choose which entries count in the end; with none chosen, the best public one does."""
    user = permissions.require_sender(by)
    challenge = team.challenge
    teams.require_member(challenge, user)
    if not team.members.filter(user=user).exists():
        raise NotAllowed(_("Only its team may do this."))
    with transaction.atomic():
        row = Challenge.objects.select_for_update().get(pk=challenge.pk)
        if row.phase is not Phase.OPEN:
            raise Conflict(_("The choice can be changed until the end of the challenge."), code="challenge_closed")
        if len(set(chosen)) > row.final_limit:
            raise InvalidInput(_("Choose at most %(max)d entries.") % {"max": row.final_limit}, data={"key": "final"})
        found = Entry.objects.counted().filter(team=team, pk__in=chosen, is_late=False)
        if found.count() != len(set(chosen)):
            raise NotFound(_("Choose among the entries of your team that count."))
        Entry.objects.filter(team=team, is_final=True).exclude(pk__in=chosen).update(is_final=False)
        Entry.objects.filter(team=team, pk__in=chosen).update(is_final=True)


def _team_of(challenge: Challenge, user: User) -> Team:
    permissions.require_outsider(user, challenge)
    team = teams.require_member(challenge, user).team
    if team.disqualified_at is not None:
        raise NotAllowed(_("Your team was disqualified."), code="disqualified")
    team.challenge = challenge
    return team


def _require_place(team: Team, challenge: Challenge) -> bool:
    """Raise when the team may send nothing now; returns whether it is late and for practice only."""
    now = timezone.now()
    phase = challenge.phase_at(now)
    is_late = challenge.takes_late and phase in (Phase.REVEALED, Phase.CONFIRMED)
    if phase is Phase.UPCOMING:
        raise Conflict(_("The challenge has not opened yet."), code="challenge_not_open")
    if phase is not Phase.OPEN and not is_late:
        raise Conflict(
            _("The challenge ended at %(end)s UTC; it is %(now)s now.")
            % {"end": f"{challenge.closes_at:%Y-%m-%d %H:%M:%S}", "now": f"{now:%Y-%m-%d %H:%M:%S}"},
            code="challenge_closed",
        )
    day = day_of(team)
    if not day.left:
        raise QuotaExceeded(
            _(
                "Your team has used its %(limit)d entries of today. The next day begins at 00:00 UTC. Entries that "
                "failed or were cancelled do not count."
            )
            % {"limit": day.limit},
            code="daily_limit",
        )
    return is_late


def _send(challenge: Challenge, team: Team, user: User, *, note: str, code: Repo | None, **facts: object) -> Entry:
    with transaction.atomic():
        # Whoever holds the team's row counts alone: two entries at once must not both be the last one of a day.
        row = Team.objects.select_for_update().select_related("challenge").get(pk=team.pk)
        now = timezone.now()
        is_late = _require_place(row, row.challenge)
        _prepared(row.challenge)
        allowances.require_place(user)
        entry = Entry(
            challenge=row.challenge, team=row, sent_by=user, sent_at=now, note=note.strip()[:MAX_NOTE], code=code,
            is_late=is_late, **facts,
        )  # fmt: skip
        return _start(entry, user)


def _start(entry: Entry, user: User) -> Entry:
    entry.save()
    entry.job = Job.enqueue(
        "judge_entry",
        spec={
            "entry": entry.pk,
            "reads": entry.reads,
            "url": f"{entry.challenge.get_absolute_url()}/entries",
        },
        owner=user,
        title=f"{entry.challenge.title} · {entry.what}",
        about=[entry.code_id] if entry.code_id else [],
    )
    entry.save(update_fields=("job",))
    Event.record("challenge.entered", subject=f"challenge:{entry.challenge_id}", by=user, entry=entry.pk)
    return entry


def _prepared(challenge: Challenge) -> ChallengeData:
    data = ChallengeData.objects.filter(challenge=challenge, prepared_at__isnull=False).first()
    if data is None:
        raise Conflict(_("The rows of this challenge are not ready."), code="not_prepared")
    return data
