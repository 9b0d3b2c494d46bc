"""Runs: a model that a worker makes of another one, or of nothing, with all that is needed to make it again."""

from typing import Any

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from models_hub.models.contents import Blob
from models_hub.models.limiting import within
from models_hub.models.repos import Repo
from portal.models import Asker, Job, User
from portal.reach import is_limited, may_use


class StudyQuerySet(models.QuerySet["Study"]):
    def visible_to(self, user: Asker) -> "StudyQuerySet":
        """A person's own studies, to a limited token where it may see jobs, and those on what it was given."""
        if not user.is_authenticated or not may_use(user, "jobs"):
            return self.none()
        return self.filter(within(user, "base", "data"), owner_id=user.pk)


class Study(models.Model):
    """A search for good options: many runs of one kind, each with a choice of its own."""

    class State(models.TextChoices):
        RUNNING = "running", _("running")
        STOPPED = "stopped", _("stopped")
        FINISHED = "finished", _("finished")

    owner = models.ForeignKey(User, models.CASCADE, related_name="studies")
    title = models.CharField(max_length=200)
    state = models.CharField(max_length=10, choices=State.choices, default=State.RUNNING)
    # What every trial shares, in the form of `models_hub.adapting.wishes.Wish`, and what that names.
    wish = models.JSONField(default=dict)
    base = models.ForeignKey(Repo, models.SET_NULL, null=True, related_name="+")
    data = models.ForeignKey(Repo, models.SET_NULL, null=True, related_name="+")
    # {option: {"type": "float" | "int" | "choice", "low", "high", "log", "choices"}}
    space = models.JSONField(default=dict)
    # {"trials", "parallel", "sampler", "pruner", "seed", "metric"}
    plan = models.JSONField(default=dict)
    # Which share of the differences between trials goes by each option, as far as it is known.
    importances = models.JSONField(default=dict)
    reason = models.CharField(max_length=500, blank=True)  # why it was stopped, where nobody asked for that
    created_at = models.DateTimeField(db_default=Now())
    finished_at = models.DateTimeField(null=True)

    objects = StudyQuerySet.as_manager()

    class Meta:
        indexes = (models.Index(fields=("owner", "-id"), name="study_of_owner"),)

    def __str__(self) -> str:
        return f"study {self.pk}"

    def get_absolute_url(self) -> str:
        return f"/runs/studies/{self.pk}"


def _own(user: Asker) -> Q:
    if not user.is_authenticated or not may_use(user, "jobs"):
        return Q(pk__in=[])
    own = Q(within(user, "base", "data", "result"), owner_id=user.pk)
    if is_limited(user):
        hidden = RunAid.objects.filter(repo__isnull=False).exclude(repo__in=Repo.objects.visible_to(user))
        own &= ~Q(pk__in=hidden.values("run"))
    return own


class RunQuerySet(models.QuerySet["Run"]):
    def visible_to(self, user: Asker) -> "RunQuerySet":
        """A person's own runs, and those whose result the person may see: then it is part of the result's history."""
        seen = Q(result__in=Repo.objects.visible_to(user), result_commit__gt="")
        return self.filter(seen | _own(user))

    def of_owner(self, user: Asker) -> "RunQuerySet":
        """A person's own runs; a limited token sees them where it may see jobs, of what it was given."""
        return self.filter(_own(user))

    def shown(self) -> "RunQuerySet":
        """With everything that a list shows, newest first."""
        related = ("owner", "job", "base__namespace", "data__namespace", "result__namespace", "study")
        return self.select_related(*related).order_by("-id")


class Run(models.Model):
    """One model being made. Private to its owner until its result is seen by others."""

    class Kind(models.TextChoices):
        FINETUNE = "finetune", _("fine-tuning")
        COMPRESS = "compress", _("compression")
        EXPORT = "export", _("export")

    kind = models.CharField(max_length=12, choices=Kind.choices, default=Kind.FINETUNE)
    owner = models.ForeignKey(User, models.CASCADE, related_name="runs")
    title = models.CharField(max_length=200)
    job = models.OneToOneField(Job, models.SET_NULL, null=True, related_name="run")
    study = models.ForeignKey(Study, models.CASCADE, null=True, related_name="runs")
    number = models.PositiveIntegerField(null=True)  # of a trial in its study
    created_at = models.DateTimeField(db_default=Now())
    finished_at = models.DateTimeField(null=True)

    # What it begins from; names stay when what they name is gone.
    base = models.ForeignKey(Repo, models.SET_NULL, null=True, related_name="runs_from")
    base_commit = models.CharField(max_length=40, blank=True)
    data = models.ForeignKey(Repo, models.SET_NULL, null=True, related_name="runs_on")
    data_commit = models.CharField(max_length=40, blank=True)
    files = models.JSONField(default=dict)  # {"train": path, "dev"?, "test"?} in the data set

    # How: the spec of the engine, less the places of files. A script and a card are written from these alone.
    task = models.CharField(max_length=60, blank=True)
    fields = models.JSONField(default=dict)
    settings = models.JSONField(default=dict)
    recipe = models.JSONField(default=dict)
    architecture = models.JSONField(default=dict)  # of a model that begins from random numbers
    options = models.JSONField(default=dict)  # of compression and export; of fine-tuning the shares of dev and test
    seed = models.PositiveBigIntegerField(default=0)

    # Where the result goes: a repository of its own that nobody else sees at first, or a pull request.
    target = models.CharField(max_length=200)  # owner/name
    result = models.ForeignKey(Repo, models.SET_NULL, null=True, related_name="made_by")
    result_commit = models.CharField(max_length=40, blank=True)
    result_pull = models.PositiveIntegerField(null=True)  # the number of the pull request

    # What was found.
    data_report = models.JSONField(default=dict)
    summary = models.JSONField(default=dict)
    # {"after": {"n", "primary", "metrics"}, "before": the same or absent, "paired": {...}}
    scores = models.JSONField(default=dict)
    value = models.FloatField(null=True)  # the best score on the dev part, by which runs of a study are compared
    is_pruned = models.BooleanField(default=False)  # a trial that was ended early, being worse than others

    # Where the next attempt goes on from.
    checkpoint = models.ForeignKey(Blob, models.PROTECT, null=True, related_name="+")
    checkpoint_step = models.PositiveIntegerField(default=0)

    objects = RunQuerySet.as_manager()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("study", "number"), name="run_once_in_study"),)
        indexes = (
            models.Index(fields=("owner", "-id"), name="run_of_owner"),
            models.Index(fields=("base", "-id"), name="run_from_base"),
            models.Index(fields=("data", "-id"), name="run_on_data"),
            models.Index(fields=("result", "-id"), name="run_of_result"),
        )

    def __str__(self) -> str:
        return f"run {self.pk}"

    def get_absolute_url(self) -> str:
        return f"/runs/{self.pk}"

    @property
    def is_finished(self) -> bool:
        return self.finished_at is not None

    @property
    def state(self) -> str:
        """The state in the words of jobs."""
        if self.is_finished:
            return str(Job.State.SUCCEEDED)
        return self.job.state if self.job else str(Job.State.FAILED)

    @property
    def is_over(self) -> bool:
        """Whether nothing more will come of it."""
        return self.is_finished or self.job is None or self.job.is_finished

    @property
    def has_packed_model(self) -> bool:
        """Whether the checkpoint is a whole model that waits to be published, and not one to train on from."""
        return self.checkpoint_id is not None and bool(self.summary)

    @property
    def main_score(self) -> dict[str, Any]:
        """The main metric on the test part after the run: {"name", "value", "low", "high"} or {}."""
        found = self.scores.get("after", {}).get("primary", {})
        return found if isinstance(found, dict) else {}


class RunAid(models.Model):
    """A further repository that a run reads: a teacher, models that write rows in other ways, rows without labels."""

    class Role(models.TextChoices):
        TEACHER = "teacher"
        WORDS = "words"  # fills in words
        THERE = "there"  # translates
        BACK = "back"  # translates back
        UNLABELLED = "unlabelled"

    run = models.ForeignKey(Run, models.CASCADE, related_name="aids")
    role = models.CharField(max_length=12, choices=Role.choices)
    repo = models.ForeignKey(Repo, models.SET_NULL, null=True, related_name="runs_aided")
    commit = models.CharField(max_length=40)
    path = models.CharField(max_length=200, blank=True)  # of a file in a data set

    class Meta:
        constraints = (models.UniqueConstraint(fields=("run", "role"), name="run_aid_once"),)

    def __str__(self) -> str:
        return f"{self.role} of run {self.run_id}"


class RunPoint(models.Model):
    """One record of a run's log. A reader asks for what comes after the last one it has."""

    run = models.ForeignKey(Run, models.CASCADE, related_name="points")
    seq = models.PositiveIntegerField()
    kind = models.CharField(max_length=10)
    data = models.JSONField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("run", "seq"), name="run_point_once"),)

    def __str__(self) -> str:
        return f"{self.kind} {self.seq} of run {self.run_id}"
