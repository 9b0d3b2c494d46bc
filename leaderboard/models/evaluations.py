"""Evaluations: one model's answers to one benchmark, scored, with all that is needed to get the number again."""

from typing import Any

from django.db import models
from django.db.models import OuterRef, Q, Subquery
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from leaderboard.models.benchmarks import Benchmark
from models_hub.models import Blob, Commit, Repo
from models_hub.models.repos import UNRANKED
from portal.models import Asker, Job, User


class Contamination(models.TextChoices):
    """The strongest thing that is known of a model's training and the rows of a benchmark."""

    MEASURED = "measured", _("test rows measured in training data")
    DECLARED = "declared", _("declared training on this data set")
    INHERITED = "inherited", _("declared training on this data set by a parent")
    NOT_FOUND = "not_found", _("nothing declared or measured")
    UNKNOWN = "unknown", _("unknown: no training data is declared")


class EvaluationQuerySet(models.QuerySet["Evaluation"]):
    def visible_to(self, user: Asker) -> "EvaluationQuerySet":
        """Evaluations of which the user may see both the model and the data set."""
        seen = Repo.objects.visible_to(user)
        return self.filter(model__in=seen, benchmark__dataset__in=seen)

    def public(self) -> "EvaluationQuerySet":
        """Evaluations that anybody may see, whoever asks: what boards are made of; without what moderation took off."""
        seen = self.filter(model__private=False, benchmark__dataset__private=False, removal__isnull=True)
        return seen.exclude(model__restriction__level__gte=UNRANKED)

    def finished(self) -> "EvaluationQuerySet":
        """Evaluations that have a score."""
        return self.filter(finished_at__isnull=False)

    def unfinished(self) -> "EvaluationQuerySet":
        """Evaluations that a worker still has to do or is doing."""
        return self.filter(finished_at__isnull=True, job__state__in=Job.UNFINISHED)

    def latest(self) -> "EvaluationQuerySet":  # type: ignore[override]
        """Newest first, with everything a list shows."""
        return (
            self.select_related("model__namespace", "benchmark__dataset__namespace", "job", "requested_by")
            .with_head_weights()
            .order_by("-id")
        )

    def with_head_weights(self) -> "EvaluationQuerySet":
        """Add the weights digest of the model's current head, which `is_outdated` compares with."""
        head = Commit.objects.filter(repo=OuterRef("model"), oid=OuterRef("model__head"))
        return self.annotate(head_weights=Subquery(head.values("weights_digest")[:1]))


class Evaluation(models.Model):
    """A score that is to be, or has been, computed by a worker; never entered by hand.

    Its identity is what can move the number: the files of the model that are read (`files_digest`), the benchmark,
    the engine's version, the precision and the seed. The same identity is computed once.
    """

    model = models.ForeignKey(Repo, models.CASCADE, related_name="evaluations")
    commit_oid = models.CharField(max_length=40)
    weights_digest = models.CharField(max_length=64)
    # Weights alone are not the model: swapping the vocabulary under the same weights changes every answer.
    files_digest = models.CharField(max_length=64)
    # What an adapter alone is put on; its files are part of the digest.
    base = models.ForeignKey(Repo, models.SET_NULL, null=True, related_name="evaluations_as_base")
    base_commit = models.CharField(max_length=40, blank=True, default="")
    benchmark = models.ForeignKey(Benchmark, models.CASCADE, related_name="evaluations")
    engine_version = models.CharField(max_length=20)
    dtype = models.CharField(max_length=10, default="float32")
    seed = models.PositiveBigIntegerField(default=0)

    requested_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="evaluations")
    # The last job that worked, or works, on it: asking again after a failure starts another one.
    job = models.OneToOneField(Job, models.SET_NULL, null=True, related_name="evaluation")
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)

    # What the scorer found; empty until finished_at is set.
    n = models.PositiveIntegerField(null=True)
    value = models.FloatField(null=True)  # the benchmark's primary metric
    low = models.FloatField(null=True)  # its 95 % interval
    high = models.FloatField(null=True)
    metrics = models.JSONField(default=dict)  # {name: {"value", "low"?, "high"?}}
    per_class = models.JSONField(default=list)  # [{"label", "precision", "recall", "f1", "support", "predicted"}]
    confusion = models.JSONField(default=dict)  # {"labels", "rows"}
    details = models.JSONField(default=dict)  # what else the page of this kind of task shows
    # What a model that learned nothing reaches: {"majority": {"label", "metrics"}, "chance": {"metrics"}}.
    floors = models.JSONField(default=dict)
    # The mean share of the primary metric that is lost when texts are written otherwise.
    relative_drop = models.FloatField(null=True)
    # How it was computed.
    device = models.CharField(max_length=120, blank=True)
    threads = models.PositiveSmallIntegerField(null=True)
    versions = models.JSONField(default=dict)  # of Python and of the libraries that move numbers
    report = models.JSONField(default=dict)  # speed and memory, as the engine measured them
    truncated = models.PositiveIntegerField(null=True)  # inputs cut to max_length
    provenance = models.JSONField(default=dict)
    predictions = models.ForeignKey(Blob, models.PROTECT, null=True, related_name="+")
    # One number for each example and metric, for tests between models. It says which answers are right, so of a
    # withheld test it is shown to nobody.
    items = models.ForeignKey(Blob, models.PROTECT, null=True, related_name="+")
    # How close the model's training came to these rows, from what anybody may see: see contamination.py.
    contamination = models.CharField(max_length=12, choices=Contamination.choices, default=Contamination.UNKNOWN)
    prediction_digest = models.CharField(max_length=64, blank=True)  # over ids and labels alone

    objects = EvaluationQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("model", "files_digest", "benchmark", "engine_version", "dtype", "seed"),
                name="evaluation_once",
            ),
            models.CheckConstraint(
                condition=Q(finished_at__isnull=True) | Q(value__isnull=False),
                name="evaluation_finished_has_value",
            ),
        )
        indexes = (
            models.Index(fields=("benchmark", "-id"), name="evaluation_of_benchmark"),
            models.Index(fields=("model", "-id"), name="evaluation_of_model"),
        )

    def __str__(self) -> str:
        return f"evaluation {self.pk}"

    def get_absolute_url(self) -> str:
        return f"/evaluations/{self.pk}"

    @property
    def reads(self) -> list[int]:
        """The repositories whose content its worker needs."""
        return [self.model_id, self.benchmark.dataset_id, *([self.base_id] if self.base_id else [])]

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
    def score(self) -> "Evaluation | None":
        """Itself when it has a score."""
        return self if self.is_finished else None

    @cached_property
    def is_outdated(self) -> bool:
        """True when the head of the model has other weights than those that were evaluated.

        Reads the annotation of `with_head_weights`, else asks the database.
        """
        if "head_weights" not in self.__dict__:
            head = Commit.objects.filter(repo_id=self.model_id, oid=self.model.head)
            self.__dict__["head_weights"] = head.values_list("weights_digest", flat=True).first()
        return bool(self.__dict__["head_weights"] != self.weights_digest)

    @property
    def predictions_sha256(self) -> str:
        return self.predictions.sha256 if self.predictions else ""

    @property
    def predictions_size(self) -> int | None:
        return self.predictions.size if self.predictions else None

    def metric(self, name: str) -> dict[str, Any]:
        """Return {"value", "low"?, "high"?} of a metric, {} when the scorer did not give it."""
        found = self.metrics.get(name, {})
        return found if isinstance(found, dict) else {}
