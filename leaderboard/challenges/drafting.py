"""A challenge before it opens: its words and rules, its rows, and the way to the moderators."""

import json
import secrets
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_slug
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from leaderboard import definitions
from leaderboard.challenges import permissions
from leaderboard.challenges.answer_files import ANSWERS
from leaderboard.models import Challenge, ChallengeData, Series, Standing
from leaderboard.task_kinds import KINDS
from models_hub import browsing, contents, job_contents
from models_hub.models import DEFAULT_BRANCH, Blob, Repo
from models_hub.permissions import can_write, require_download
from portal.errors import Conflict, InvalidInput, NotAllowed, NotFound, QuotaExceeded, TooLarge
from portal.models import Asker, Event, Job, User

RESERVED = frozenset({"new", "series"})  # other pages under /challenges
MAX_DRAFTS = 10  # of one person, that are not approved
MAX_TEXT = 20_000
MAX_SOURCE_BYTES = 64 * 1024**2
LEAST_ROWS = 10  # of each part
LONGEST = timedelta(days=732)
SUFFIXES = (".jsonl", ".csv", ".ndjson")
TEXTS = ("description", "description_zh", "rules", "rules_zh", "prizes", "prizes_zh")
FIELDS = (
    "slug", "title", "title_zh", "summary", "summary_zh", *TEXTS, "opens_at", "closes_at", "merges_until",
    "takes_models", "takes_predictions", "max_parameters", "max_bytes", "licenses", "objection_days", "team_size",
    "daily_limit", "final_limit", "takes_late",
)  # fmt: skip


NUMBERS = (("objection_days", 1, 60), ("team_size", 1, 50), ("daily_limit", 1, 100), ("final_limit", 1, 10))


def tasks() -> list[str]:
    """Return the kinds of task that need one file of rows alone."""
    return [name for name, kind in KINDS.items() if not any(kind.files.values())]


def create(*, by: Asker, task: Mapping[str, Any], series: str = "", **values: Any) -> Challenge:
    """Begin a draft, which nobody else sees. `task` is what eval.yaml says of a task: its columns, labels, metric."""
    user = permissions.require_person(by)
    if Challenge.objects.filter(organizer=user).exclude(standing=Standing.APPROVED).count() >= MAX_DRAFTS:
        raise QuotaExceeded(_("You have %(max)d drafts and proposals already; take one back.") % {"max": MAX_DRAFTS})
    challenge = Challenge(organizer=user, standing=Standing.PROPOSED)
    return _save(challenge, user, task, series, values)


def change(challenge: Challenge, *, by: Asker, task: Mapping[str, Any], series: str = "", **values: Any) -> Challenge:
    """Change a draft, or a refused one, which becomes a draft again. Another task needs its rows prepared anew."""
    user = require_organizer(challenge, by)
    with transaction.atomic():
        row = _unapproved(challenge)
        before = (row.task, row.fields, row.settings, row.labels)
        row.standing, row.submitted_at, row.reason = Standing.PROPOSED, None, ""
        row = _save(row, user, task, series, values)
        data = ChallengeData.objects.filter(challenge=row).first()
        if data is not None and before != (row.task, row.fields, row.settings, row.labels):
            prepare(data, owner=user)
    return row


def _save(row: Challenge, user: User, task: Mapping[str, Any], series: str, values: Mapping[str, Any]) -> Challenge:
    for name in FIELDS:
        if name in values:
            setattr(row, name, values[name])
    _define(row, task)
    _check(row)
    row.series = _series(series, user)
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError as error:
        raise Conflict(
            _("There is a challenge with the address “%(slug)s” already.") % {"slug": row.slug}, data={"key": "slug"}
        ) from error
    return row


def _define(row: Challenge, task: Mapping[str, Any]) -> None:
    """Take the task as benchmarks are read: every refusal names the key and what would be right."""
    fixed = {"version": 1, "name": row.title, "split": {"path": "rows.jsonl"}, "robustness": False}
    if task.get("task") not in tasks():
        raise InvalidInput(_("Choose a task whose rows are one file."), data={"key": "task"})
    found = definitions.parse(json.dumps({**task, **fixed}))
    row.task, row.fields, row.settings = found.task, found.fields, found.settings
    row.labels, row.metric = found.labels, found.primary_metric


def _check(row: Challenge) -> None:
    _check_words(row)
    if not row.opens_at < row.closes_at <= row.opens_at + LONGEST:
        raise InvalidInput(_("It must end after it opens, and within two years."), data={"key": "closes_at"})
    if not row.opens_at <= row.merges_until <= row.closes_at:
        raise InvalidInput(_("Teams must be settled between its opening and its end."), data={"key": "merges_until"})
    if not (row.takes_models or row.takes_predictions):
        raise InvalidInput(_("Take models, files of predictions, or both."), data={"key": "takes_models"})
    if row.takes_predictions and row.task not in ANSWERS:
        raise InvalidInput(
            _("Answers to this kind of task cannot be sent as a file. Take models alone."),
            data={"key": "takes_predictions"},
        )
    for name, least, most in NUMBERS:
        if not least <= getattr(row, name) <= most:
            raise InvalidInput(
                _("It must be a number from %(least)d to %(most)d.") % {"least": least, "most": most},
                data={"key": name},
            )


def _check_words(row: Challenge) -> None:
    try:
        validate_slug(row.slug)
    except ValidationError as error:
        raise InvalidInput(_("The address may hold letters, digits, “-” and “_”."), data={"key": "slug"}) from error
    if row.slug.lower() in RESERVED or len(row.slug) > 60:
        raise InvalidInput(_("Choose another address."), data={"key": "slug"})
    if not row.title.strip() or len(row.title) > 120:
        raise InvalidInput(_("Give it a title of at most 120 characters."), data={"key": "title"})
    for name in TEXTS:
        if len(getattr(row, name)) > MAX_TEXT:
            raise InvalidInput(_("At most %(max)d characters.") % {"max": MAX_TEXT}, data={"key": name})


def _series(slug: str, user: User) -> Series | None:
    if not slug:
        return None
    found = Series.objects.filter(slug=slug, organizer=user).first()
    if found is None:
        raise NotFound(_("You have no series of the address “%(slug)s”.") % {"slug": slug[:60]}, code="no_series")
    return found


def create_series(*, by: Asker, slug: str, title: str, title_zh: str = "") -> Series:
    """Begin a series of one's own challenges."""
    user = permissions.require_person(by)
    if not title.strip() or len(title) > 120 or len(title_zh) > 120:
        raise InvalidInput(_("Give it a title of at most 120 characters."), data={"key": "title"})
    try:
        validate_slug(slug)
        with transaction.atomic():
            return Series.objects.create(slug=slug[:60], title=title.strip(), title_zh=title_zh.strip(), organizer=user)
    except ValidationError as error:
        raise InvalidInput(_("The address may hold letters, digits, “-” and “_”."), data={"key": "slug"}) from error
    except IntegrityError as error:
        raise Conflict(_("There is a series with this address already."), data={"key": "slug"}) from error


def take_upload(challenge: Challenge, *, by: Asker, name: str, chunks: Iterable[bytes], public_percent: int) -> None:
    """Take a file of rows with their answers; the portal splits it. It cannot be downloaded again by anybody."""
    user = require_organizer(challenge, by)
    _refuse_approved(challenge)
    _check_source(name, public_percent)
    blob = job_contents.keep(_bounded(chunks))
    _take(challenge, user, blob=blob, name=name, dataset=None, public_percent=public_percent)


def take_file_of(challenge: Challenge, dataset: Repo, *, by: Asker, path: str, public_percent: int) -> None:
    """Take the rows from a private data set of the organizer, as they are now."""
    user = require_organizer(challenge, by)
    _refuse_approved(challenge)
    _check_source(path, public_percent)
    if not can_write(user, dataset):
        raise NotAllowed(_("Only writers of a data set may make a challenge of it."))
    require_download(user, dataset)
    if not dataset.private:
        raise InvalidInput(
            _("“%(name)s” is public: everybody could read the answers. Make it private first.")
            % {"name": dataset.full_name},
            data={"key": "dataset"},
        )
    entry = browsing.find(dataset, browsing.resolve_revision(dataset, DEFAULT_BRANCH), path)
    if entry.size > MAX_SOURCE_BYTES:
        raise _too_large()
    # A copy of its own, so that deleting or changing the data set changes nothing here.
    blob = job_contents.keep(contents.stream(entry.blob) if entry.blob else browsing.stream(dataset, entry))
    _take(challenge, user, blob=blob, name=entry.name, dataset=dataset, public_percent=public_percent)


def _check_source(name: str, public_percent: int) -> None:
    if not name.lower().endswith(SUFFIXES):
        raise InvalidInput(_("The rows must be a file of JSON lines (.jsonl) or CSV (.csv)."), data={"key": "file"})
    if not 1 <= public_percent <= 90:
        raise InvalidInput(_("The public part is 1 to 90 per cent."), data={"key": "public_percent"})


def _take(
    challenge: Challenge, user: User, *, blob: Blob, name: str, dataset: Repo | None, public_percent: int
) -> None:
    with transaction.atomic():
        row = _unapproved(challenge)
        ChallengeData.objects.filter(challenge=row).delete()
        data = ChallengeData.objects.create(
            challenge=row, dataset=dataset, source=blob, source_name=name[-255:], public_percent=public_percent,
            seed=secrets.token_hex(32),
        )  # fmt: skip
        row.standing, row.submitted_at = Standing.PROPOSED, None
        row.save(update_fields=("standing", "submitted_at"))
        prepare(data, owner=user)


def prepare(data: ChallengeData, *, owner: User) -> None:
    """Have a worker read the rows and split them."""
    if data.job is not None and not data.job.is_finished:
        data.job.cancel(by=None)
    data.prepared_at = None
    data.job = Job.enqueue(
        "prepare_challenge",
        spec={"challenge": data.challenge_id, "url": f"{data.challenge.get_absolute_url()}/data"},
        owner=owner,
        title=data.challenge.title,
    )
    data.save(update_fields=("prepared_at", "job"))


def submit(challenge: Challenge, *, by: Asker) -> Challenge:
    """Send a draft to the moderators."""
    user = require_organizer(challenge, by)
    with transaction.atomic():
        row = _unapproved(challenge)
        if row.submitted_at is not None and not row.is_refused:
            raise Conflict(_("It waits for the moderators already."))
        if not ChallengeData.objects.filter(challenge=row, prepared_at__isnull=False).exists():
            raise Conflict(_("Bring its rows first, and wait until they are read."), code="no_data")
        if row.closes_at <= timezone.now():
            raise InvalidInput(_("Its end has passed."), data={"key": "closes_at"})
        row.standing, row.submitted_at, row.reason = Standing.PROPOSED, timezone.now(), ""
        row.save(update_fields=("standing", "submitted_at", "reason"))
        Event.record("challenge.submitted", subject=f"challenge:{row.pk}", by=user)
    return row


def withdraw(challenge: Challenge, *, by: Asker) -> None:
    """Delete a challenge of one's own that is not approved, with its rows."""
    require_organizer(challenge, by)
    with transaction.atomic():
        _unapproved(challenge).delete()


def extend(challenge: Challenge, *, by: Asker, closes_at: datetime) -> Challenge:
    """Let a challenge end later; never earlier, and not once it has ended."""
    user = permissions.require_person(by)
    if not permissions.can_oversee(user, challenge):
        raise NotAllowed(_("Only its organizer and moderators may do this."))
    with transaction.atomic():
        row = Challenge.objects.select_for_update().get(pk=challenge.pk)
        if not row.is_approved or row.closes_at <= timezone.now():
            raise Conflict(_("It is not running."))
        if not row.closes_at < closes_at <= row.opens_at + LONGEST:
            raise InvalidInput(_("The end can only be moved to a later moment."), data={"key": "closes_at"})
        before, row.closes_at, row.told_end_at = row.closes_at, closes_at, None
        row.save(update_fields=("closes_at", "told_end_at"))
        times = {"before": before.isoformat(), "after": closes_at.isoformat()}
        Event.record("challenge.extended", subject=f"challenge:{row.pk}", by=user, **times)
    return row


def require_organizer(challenge: Challenge, by: Asker) -> User:
    """Return the organizer; raises NotAllowed for anybody else."""
    user = permissions.require_person(by)
    if not permissions.can_organize(user, challenge):
        raise NotAllowed(_("Only its organizer may do this."))
    return user


def _unapproved(challenge: Challenge) -> Challenge:
    """Return the locked row of a challenge that may still change; in a transaction."""
    row = Challenge.objects.select_for_update().get(pk=challenge.pk)
    _refuse_approved(row)
    return row


def _refuse_approved(challenge: Challenge) -> None:
    if challenge.is_approved:
        raise Conflict(_("It is approved: its task, rows and rules no longer change."), code="challenge_approved")


def _bounded(chunks: Iterable[bytes]) -> Iterable[bytes]:
    size = 0
    for chunk in chunks:
        size += len(chunk)
        if size > MAX_SOURCE_BYTES:
            raise _too_large()
        yield chunk


def _too_large() -> TooLarge:
    return TooLarge(
        _("The file may have at most %(max)d MiB.") % {"max": MAX_SOURCE_BYTES // 1024**2}, data={"key": "file"}
    )
