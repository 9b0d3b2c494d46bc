"""One's own labelled examples, and the few models that are tried on them: nobody else ever sees either.

They are no benchmark and their scores are no evaluations, so that nothing that reads those can find them.
"""

import json
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.functional import cached_property

from leaderboard.models.benchmarks import Benchmark
from leaderboard.models.evaluations import Evaluation
from models_hub.models import Repo
from portal.models import Asker, Job, User
from portal.reach import reach_of

DATA_FILE = "examples.jsonl"
BOOTSTRAP = 2000


class ExampleSetQuerySet(models.QuerySet["ExampleSet"]):
    def visible_to(self, user: Asker) -> "ExampleSetQuerySet":
        """A person's own ones that are not over; not even staff see others', nor do tokens that reach less."""
        if not isinstance(user, User) or reach_of(user) is not None:
            return self.none()
        return self.filter(owner=user, expires_at__gt=Now())

    def over(self) -> "ExampleSetQuerySet":
        """Those whose days are over."""
        return self.filter(expires_at__lte=Now())


def _over() -> Any:
    return timezone.now() + timedelta(days=settings.OWN_EXAMPLES_DAYS)


class ExampleSet(models.Model):
    """Examples of a task with the right answers, kept for some days. `rows` is JSON, one object a line."""

    owner = models.ForeignKey(User, models.CASCADE, related_name="example_sets")
    title = models.CharField(max_length=120)
    task = models.CharField(max_length=40, choices=Benchmark.Task.choices)
    # What an eval.yaml would say of them: fields, settings, labels, label_map, primary.
    definition = models.JSONField(default=dict)
    rows = models.TextField()
    count = models.PositiveIntegerField()
    digest = models.CharField(max_length=64)
    question = models.CharField(max_length=1000, blank=True)  # of the finder, which they came from
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(default=_over)

    objects = ExampleSetQuerySet.as_manager()

    class Meta:
        indexes = (
            models.Index(fields=("owner", "-id"), name="examples_of_owner"),
            models.Index(fields=("expires_at",), name="examples_over"),
        )

    def __str__(self) -> str:
        return f"examples {self.pk}"

    def get_absolute_url(self) -> str:
        return f"/find/{self.pk}"

    @cached_property
    def benchmark(self) -> Benchmark:
        """What the engine is to ask, as a benchmark that no table ever holds."""
        named = self.definition
        return Benchmark(
            name=self.title,
            task=self.task,
            split_path=DATA_FILE,
            fields=named["fields"],
            settings=named["settings"],
            labels=named["labels"],
            label_map=named["label_map"],
            primary_metric=named["primary"],
            bootstrap=BOOTSTRAP,
            robustness={"perturbations": []},
            test_is_public=False,
            meaning=self.digest,
        )

    @property
    def primary(self) -> str:
        """The metric that decides."""
        metric: str = self.definition["primary"]
        return metric

    @property
    def examples(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.rows.splitlines()]


class Contender(models.Model):
    """One model that is tried on somebody's examples."""

    examples = models.ForeignKey(ExampleSet, models.CASCADE, related_name="contenders")
    model = models.ForeignKey(Repo, models.CASCADE, related_name="+")
    commit_oid = models.CharField(max_length=40)
    # What an adapter alone is put on; a commit without a base says that it is gone.
    base = models.ForeignKey(Repo, models.SET_NULL, null=True, related_name="+")
    base_commit = models.CharField(max_length=40, blank=True, default="")
    files_digest = models.CharField(max_length=64)
    engine_version = models.CharField(max_length=20)
    job = models.OneToOneField(Job, models.SET_NULL, null=True, related_name="contender")
    finished_at = models.DateTimeField(null=True)
    value = models.FloatField(null=True)
    low = models.FloatField(null=True)
    high = models.FloatField(null=True)
    metrics = models.JSONField(default=dict)
    floors = models.JSONField(default=dict)
    items = models.JSONField(default=list)  # the primary metric of each example, in their order; [] where it has none
    answers = models.JSONField(default=list)  # what it said to each, as text
    report = models.JSONField(default=dict)

    class Meta:
        ordering = ("id",)
        constraints = (models.UniqueConstraint(fields=("examples", "model"), name="contender_once"),)

    def __str__(self) -> str:
        return f"contender {self.pk}"

    @property
    def state(self) -> str:
        """The state in the words of jobs."""
        if self.finished_at is not None:
            return str(Job.State.SUCCEEDED)
        return self.job.state if self.job else str(Job.State.FAILED)

    @property
    def is_over(self) -> bool:
        return self.finished_at is not None or self.job is None or self.job.is_finished

    @property
    def as_evaluation(self) -> Evaluation:
        """What the engine's verbs take: an evaluation that no table ever holds."""
        return Evaluation(
            model=self.model,
            commit_oid=self.commit_oid,
            base=self.base,
            base_commit=self.base_commit,
            files_digest=self.files_digest,
            benchmark=self.examples.benchmark,
            engine_version=self.engine_version,
        )

    @property
    def latency_ms(self) -> float | None:
        """The middle of what one answer took."""
        found = self.report.get("latency")
        value = found.get("p50_ms") if isinstance(found, dict) else None
        return float(value) if isinstance(value, int | float) else None
