"""Challenges: a task with rows whose answers nobody sees, the teams that try it, and what became of them."""

from datetime import datetime

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from leaderboard.models.benchmarks import Benchmark, in_current_language
from leaderboard.models.reviewed import Reviewed, Standing
from leaderboard.task_kinds import lower_is_better
from models_hub.models import Blob, Repo
from portal.models import Asker, Job, User
from portal.reach import reach_of


class Phase(models.TextChoices):
    """Where a challenge stands at a moment; computed from its dates, never stored."""

    DRAFT = "draft", _("draft")
    PROPOSED = "proposed", _("waits for review")
    REFUSED = "refused", _("refused")
    UPCOMING = "upcoming", _("opens soon")
    OPEN = "open", _("open")
    CLOSED = "closed", _("being revealed")
    REVEALED = "revealed", _("objections may be raised")
    CONFIRMED = "confirmed", _("final")


class Series(models.Model):
    """Challenges that belong together, such as those of a school year: their places add up."""

    slug = models.SlugField(max_length=60, unique=True)
    title = models.CharField(max_length=120)
    title_zh = models.CharField(max_length=120, blank=True)
    organizer = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name_plural = "series"
        indexes = (models.Index(fields=("organizer", "-id"), name="series_of_organizer"),)

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return f"/challenges/series/{self.slug}"

    @property
    def name(self) -> str:
        """The title in the reader's language."""
        return in_current_language(self.title, self.title_zh)


class ChallengeQuerySet(models.QuerySet["Challenge"]):
    def visible_to(self, user: Asker) -> "ChallengeQuerySet":
        """Approved ones for everybody; others for who organizes them and for staff, not for their apps."""
        if not isinstance(user, User) or reach_of(user) is not None:
            return self.filter(standing=Standing.APPROVED)
        if user.is_staff:
            return self.filter(~Q(submitted_at=None) | Q(organizer=user) | Q(standing=Standing.APPROVED))
        return self.filter(Q(standing=Standing.APPROVED) | Q(organizer=user))

    def approved(self) -> "ChallengeQuerySet":
        return self.filter(standing=Standing.APPROVED)

    def waiting(self) -> "ChallengeQuerySet":
        """Those that were sent to moderators and nobody has decided on, the oldest first."""
        return self.filter(standing=Standing.PROPOSED, submitted_at__isnull=False).order_by("submitted_at", "id")

    def due(self, now: datetime) -> "ChallengeQuerySet":
        """Those whose end has come and that are not revealed."""
        return self.approved().filter(closes_at__lte=now, revealed_at__isnull=True)

    def listed(self) -> "ChallengeQuerySet":
        return self.select_related("organizer", "series")


class Challenge(Reviewed):
    """What is asked and by which rules. Once moderators approved it, only its end may change, and only to a later one.

    The rows with their answers are in `ChallengeData`, which no page and no API reads.
    """

    slug = models.SlugField(max_length=60, unique=True)
    title = models.CharField(max_length=120)
    title_zh = models.CharField(max_length=120, blank=True)
    summary = models.CharField(max_length=300, blank=True)
    summary_zh = models.CharField(max_length=300, blank=True)
    description = models.TextField(blank=True)  # Markdown, as the rules and the prizes
    description_zh = models.TextField(blank=True)
    rules = models.TextField(blank=True)
    rules_zh = models.TextField(blank=True)
    prizes = models.TextField(blank=True)
    prizes_zh = models.TextField(blank=True)
    organizer = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    series = models.ForeignKey(Series, models.SET_NULL, null=True, blank=True, related_name="challenges")

    task = models.CharField(max_length=40, choices=Benchmark.Task.choices)
    fields = models.JSONField(default=dict)  # as those of a benchmark
    settings = models.JSONField(default=dict)
    labels = models.JSONField(default=list)
    metric = models.CharField(max_length=40)
    takes_models = models.BooleanField(default=True)
    takes_predictions = models.BooleanField(default=True)
    max_parameters = models.PositiveBigIntegerField(null=True, blank=True)
    max_bytes = models.PositiveBigIntegerField(null=True, blank=True)
    licenses = models.JSONField(default=list)  # ids of those that a model may have; all where none is named

    opens_at = models.DateTimeField()
    closes_at = models.DateTimeField(db_index=True)
    merges_until = models.DateTimeField()  # until then teams may change
    objection_days = models.PositiveSmallIntegerField(default=7)
    team_size = models.PositiveSmallIntegerField(default=5)
    daily_limit = models.PositiveSmallIntegerField(default=5)
    final_limit = models.PositiveSmallIntegerField(default=2)
    takes_late = models.BooleanField(default=False)  # after the end, for practice

    created_at = models.DateTimeField(default=timezone.now)
    submitted_at = models.DateTimeField(null=True, blank=True)  # to the moderators; a draft until then
    told_open_at = models.DateTimeField(null=True, blank=True)
    told_end_at = models.DateTimeField(null=True, blank=True)
    reveal_job = models.ForeignKey(Job, models.SET_NULL, null=True, blank=True, related_name="+")
    revealed_at = models.DateTimeField(null=True, blank=True)
    objections_until = models.DateTimeField(null=True, blank=True)
    confirmed_at = models.DateTimeField(null=True, blank=True)
    confirmed_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")

    objects = ChallengeQuerySet.as_manager()

    class Meta:
        constraints = (
            models.CheckConstraint(condition=Q(closes_at__gt=models.F("opens_at")), name="challenge_ends_later"),
        )
        indexes = (
            models.Index(fields=("standing", "-closes_at", "-id"), name="challenge_order"),
            models.Index(fields=("organizer", "-id"), name="challenge_of_organizer"),
            # Asked every second by the relay.
            models.Index(fields=("closes_at",), name="challenge_due", condition=Q(revealed_at__isnull=True)),
        )

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return f"/challenges/{self.slug}"

    def phase_at(self, now: datetime) -> Phase:
        """Return where it stands; the end belongs to what comes after it, to the microsecond."""
        if self.is_refused:
            return Phase.REFUSED
        if not self.is_approved:
            return Phase.PROPOSED if self.submitted_at else Phase.DRAFT
        if self.confirmed_at is not None:
            return Phase.CONFIRMED
        if self.revealed_at is not None:
            return Phase.REVEALED
        if now >= self.closes_at:
            return Phase.CLOSED
        return Phase.OPEN if now >= self.opens_at else Phase.UPCOMING

    @property
    def phase(self) -> Phase:
        return self.phase_at(timezone.now())

    @property
    def is_draft(self) -> bool:
        return not self.is_approved and not self.is_refused and self.submitted_at is None

    @property
    def is_revealed(self) -> bool:
        return self.revealed_at is not None

    @property
    def lower_is_better(self) -> bool:
        return lower_is_better(self.metric)

    @property
    def name(self) -> str:
        """The title in the reader's language, as the texts below."""
        return in_current_language(self.title, self.title_zh)

    @property
    def summary_text(self) -> str:
        return in_current_language(self.summary, self.summary_zh)

    @property
    def description_text(self) -> str:
        return in_current_language(self.description, self.description_zh)

    @property
    def rules_text(self) -> str:
        return in_current_language(self.rules, self.rules_zh)

    @property
    def prizes_text(self) -> str:
        return in_current_language(self.prizes, self.prizes_zh)

    @property
    def definition(self) -> Benchmark:
        """The task in the words of benchmarks, for what asks and scores; never saved."""
        return Benchmark(
            task=self.task, fields=self.fields, settings=self.settings, labels=self.labels, test_is_public=False,
            primary_metric=self.metric, robustness={"perturbations": []}, name=self.title, name_zh=self.title_zh,
        )  # fmt: skip


class ChallengeData(models.Model):
    """The rows of a challenge. Nothing but the jobs that prepare, judge and reveal reads the answers or the seed.

    Its content belongs to no repository, so that neither git nor the hub, nor a viewer of tables, finds it.
    """

    challenge = models.OneToOneField(Challenge, models.CASCADE, related_name="data")
    dataset = models.ForeignKey(Repo, models.SET_NULL, null=True, related_name="+")  # where the rows come from
    source_name = models.CharField(max_length=255)
    source = models.ForeignKey(Blob, models.PROTECT, related_name="+")
    public_percent = models.PositiveSmallIntegerField(default=30)
    seed = models.CharField(max_length=64)  # drawn by the portal, told to nobody
    job = models.ForeignKey(Job, models.SET_NULL, null=True, related_name="+")
    prepared_at = models.DateTimeField(null=True)
    questions = models.ForeignKey(Blob, models.PROTECT, null=True, related_name="+")
    public_answers = models.ForeignKey(Blob, models.PROTECT, null=True, related_name="+")
    private_answers = models.ForeignKey(Blob, models.PROTECT, null=True, related_name="+")
    public_rows = models.PositiveIntegerField(default=0)
    private_rows = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"data of challenge {self.challenge_id}"

    @property
    def rows(self) -> int:
        return self.public_rows + self.private_rows


class Team(models.Model):
    """Who tries a challenge together; one person is a team too, and so is each baseline of the organizer."""

    challenge = models.ForeignKey(Challenge, models.CASCADE, related_name="teams")
    name = models.CharField(max_length=60)
    captain = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    is_baseline = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=timezone.now)
    # The best public score that the ladder rule let through, rounded: more is kept nowhere but in `Judgement`.
    shown = models.FloatField(null=True)
    shown_at = models.DateTimeField(null=True)
    disqualified_at = models.DateTimeField(null=True)
    disqualified_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    reason = models.TextField(blank=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("challenge", "name"), name="team_name_once"),)
        indexes = (models.Index(fields=("challenge", "shown", "shown_at", "id"), name="team_standing"),)

    def __str__(self) -> str:
        return self.name


class TeamMember(models.Model):
    """Somebody who accepted the rules of a challenge, and the team of that person."""

    team = models.ForeignKey(Team, models.CASCADE, related_name="members")
    challenge = models.ForeignKey(Challenge, models.CASCADE, related_name="members")
    user = models.ForeignKey(User, models.CASCADE, related_name="+")
    accepted_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("challenge", "user"), name="team_member_once"),)

    def __str__(self) -> str:
        return f"{self.user} in {self.team}"


class TeamInvitation(models.Model):
    """A team asks somebody to join, with the whole team of that person if there is one."""

    team = models.ForeignKey(Team, models.CASCADE, related_name="invitations")
    user = models.ForeignKey(User, models.CASCADE, related_name="+")
    invited_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("team", "user"), name="team_invitation_once"),)

    def __str__(self) -> str:
        return f"{self.user} to {self.team}"


class EntryQuerySet(models.QuerySet["Entry"]):
    def counted(self) -> "EntryQuerySet":
        """Those that use up a limit: judged ones and those that wait; not what failed or was cancelled."""
        return self.filter(Q(judged_at__isnull=False) | Q(job__state__in=Job.UNFINISHED))

    def waiting(self) -> "EntryQuerySet":
        return self.filter(judged_at__isnull=True, job__state__in=Job.UNFINISHED)

    def judged(self) -> "EntryQuerySet":
        return self.filter(judged_at__isnull=False)


class Entry(models.Model):
    """A model at a commit, or a file of predictions, that a team sent. What it scored is in `Judgement`."""

    challenge = models.ForeignKey(Challenge, models.CASCADE, related_name="entries")
    team = models.ForeignKey(Team, models.CASCADE, related_name="entries")
    sent_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    sent_at = models.DateTimeField(default=timezone.now)
    note = models.CharField(max_length=200, blank=True)
    code = models.ForeignKey(Repo, models.SET_NULL, null=True, related_name="+")  # the repository with what made it
    model = models.ForeignKey(Repo, models.SET_NULL, null=True, related_name="challenge_entries")
    model_name = models.CharField(max_length=200, blank=True)
    commit_oid = models.CharField(max_length=40, blank=True)
    # What an adapter alone is put on.
    base = models.ForeignKey(Repo, models.SET_NULL, null=True, related_name="+")
    base_commit = models.CharField(max_length=40, blank=True, default="")
    file_name = models.CharField(max_length=255, blank=True)
    answers = models.ForeignKey(Blob, models.PROTECT, null=True, related_name="+")
    job = models.ForeignKey(Job, models.SET_NULL, null=True, related_name="+")
    judged_at = models.DateTimeField(null=True)
    # The public score that the ladder rule let through, rounded; None where it was no real improvement.
    shown = models.FloatField(null=True)
    is_final = models.BooleanField(default=False)  # chosen by its team to count in the end
    is_late = models.BooleanField(default=False)

    objects = EntryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "entries"
        indexes = (
            models.Index(fields=("team", "-id"), name="entry_of_team"),
            models.Index(fields=("challenge", "-id"), name="entry_of_challenge"),
        )

    def __str__(self) -> str:
        return f"entry {self.pk}"

    @property
    def what(self) -> str:
        """The model or the file, for its own team."""
        return self.model_name or self.file_name

    @property
    def reads(self) -> list[int]:
        """The repositories whose content its worker needs."""
        return [pk for pk in (self.model_id, self.base_id) if pk is not None]

    @property
    def state(self) -> str:
        """The state in the words of jobs."""
        if self.judged_at is not None:
            return str(Job.State.SUCCEEDED)
        return self.job.state if self.job else str(Job.State.CANCELLED)

    @property
    def is_waiting(self) -> bool:
        return self.state in Job.UNFINISHED


class Judgement(models.Model):
    """What an entry scored on both parts of the rows. Until the reveal only jobs read it."""

    entry = models.OneToOneField(Entry, models.CASCADE, related_name="judgement")
    public = models.JSONField(default=dict)  # {"value", "low", "high"} of the metric
    private = models.JSONField(default=dict)
    predictions = models.ForeignKey(Blob, models.PROTECT, related_name="+")

    def __str__(self) -> str:
        return f"judgement of entry {self.entry_id}"


class FinalPlace(models.Model):
    """Where a team came in the end, on the private part of the rows."""

    challenge = models.ForeignKey(Challenge, models.CASCADE, related_name="places")
    team = models.OneToOneField(Team, models.CASCADE, related_name="place")
    entry = models.ForeignKey(Entry, models.CASCADE, related_name="+")
    position = models.PositiveIntegerField()  # in the list, baselines included
    rank = models.PositiveIntegerField(null=True)  # None for a baseline, which is ranked by nobody
    public_rank = models.PositiveIntegerField(null=True)
    value = models.FloatField()
    low = models.FloatField(null=True)
    high = models.FloatField(null=True)
    # Against the next below, corrected by Holm; None for the last and far down the list, where it is not tested.
    p_next = models.FloatField(null=True)

    class Meta:
        ordering = ("position",)
        constraints = (models.UniqueConstraint(fields=("challenge", "position"), name="final_position_once"),)

    def __str__(self) -> str:
        return f"{self.rank} in challenge {self.challenge_id}"

    @property
    def ties_next(self) -> bool:
        """Whether the next below might be as good."""
        return self.p_next is not None and self.p_next >= 0.05

    @property
    def shake_up(self) -> int | None:
        """How many places it rose since the public standings, below zero how many it fell."""
        return None if self.rank is None or self.public_rank is None else self.public_rank - self.rank


class Objection(models.Model):
    """Somebody doubts the outcome; the organizer or a moderator answers where everybody may read it."""

    MAX_TEXT = 4000

    challenge = models.ForeignKey(Challenge, models.CASCADE, related_name="objections")
    about = models.ForeignKey(Team, models.SET_NULL, null=True, blank=True, related_name="+")
    raised_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    raised_at = models.DateTimeField(default=timezone.now)
    text = models.TextField()
    answer = models.TextField(blank=True)
    answered_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    answered_at = models.DateTimeField(null=True)

    class Meta:
        indexes = (models.Index(fields=("challenge", "id"), name="objection_order"),)

    def __str__(self) -> str:
        return f"objection {self.pk}"
