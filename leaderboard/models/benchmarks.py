"""Benchmarks: what is asked, on which bytes, and how the answers are scored."""

from typing import Any

from django.db import models
from django.db.models import OuterRef, Q, Subquery
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from leaderboard import perturbations
from leaderboard.models.reviewed import Reviewed, Standing
from leaderboard.task_kinds import KINDS, Kind
from models_hub.models import Repo
from portal.models import Asker, User


def in_current_language(english: str, chinese: str) -> str:
    """Return the Chinese words to a Chinese reader where there are any, else the English ones."""
    return chinese if chinese and (get_language() or "").startswith("zh") else english


class BenchmarkQuerySet(models.QuerySet["Benchmark"]):
    def visible_to(self, user: Asker) -> "BenchmarkQuerySet":
        """Benchmarks whose data set the user may see."""
        return self.filter(dataset__in=Repo.objects.visible_to(user))

    def listed_for(self, user: Asker) -> "BenchmarkQuerySet":
        """What lists offer: approved ones; those that wait only to who registered them and to staff."""
        seen = self.visible_to(user)
        waiting = seen.filter(standing=Standing.PROPOSED)
        if not (user.is_authenticated and user.is_staff):
            waiting = waiting.filter(registered_by=user) if isinstance(user, User) else waiting.none()
        return seen.filter(standing=Standing.APPROVED) | waiting

    def waiting(self) -> "BenchmarkQuerySet":
        """Those that nobody has decided on, the oldest first."""
        return self.filter(standing=Standing.PROPOSED).order_by("id")

    def current(self) -> "BenchmarkQuerySet":
        """The newest version of each definition."""
        siblings = Benchmark.objects.filter(dataset=OuterRef("dataset"), path=OuterRef("path"))
        return self.filter(version=Subquery(siblings.order_by("-version").values("version")[:1]))

    def latest(self) -> "BenchmarkQuerySet":  # type: ignore[override]
        return self.select_related("dataset__namespace").order_by("-id")


class Benchmark(Reviewed):
    """One version of a definition (eval.yaml) in a data set repository. Its meaning never changes once it is here.

    Until moderators approve it no list offers it, but who sees its data set may open and use it.
    `commit_oid` and `data_sha256` pin the bytes; whoever wants another meaning registers another version.
    """

    class Task(models.TextChoices):
        TEXT_CLASSIFICATION = "text-classification", _("text classification")
        PAIR_CLASSIFICATION = "text-pair-classification", _("classification of pairs of texts")
        MULTI_LABEL = "multi-label-classification", _("several labels for a text")
        REGRESSION = "text-regression", _("a number for a text")
        TOKEN_CLASSIFICATION = "token-classification", _("named entities")
        QUESTION_ANSWERING = "question-answering", _("answers found in a passage")
        SENTENCE_SIMILARITY = "sentence-similarity", _("similarity of two texts")
        TEXT_RETRIEVAL = "text-retrieval", _("search in a collection of texts")
        TEXT_RANKING = "text-ranking", _("order of candidates for a query")
        FILL_MASK = "fill-mask", _("words for a gap")
        LANGUAGE_MODELING = "language-modeling", _("how well running text is predicted")
        MULTIPLE_CHOICE = "multiple-choice", _("one of several given answers")
        MINIMAL_PAIRS = "minimal-pairs", _("the better one of two sentences")
        TEXT_GENERATION = "text-generation", _("free text")
        TRANSLATION = "translation", _("translation")
        SUMMARIZATION = "summarization", _("summaries")
        IMAGE_CLASSIFICATION = "image-classification", _("image classification")
        OBJECT_DETECTION = "object-detection", _("objects in an image")

    dataset = models.ForeignKey(Repo, models.CASCADE, related_name="benchmarks")
    commit_oid = models.CharField(max_length=40)
    path = models.CharField(max_length=255, default="eval.yaml")
    version = models.PositiveIntegerField()
    # A digest over everything that can move a number: how a changed meaning is told from changed words.
    meaning = models.CharField(max_length=64, editable=False)

    name = models.CharField(max_length=120)
    name_zh = models.CharField(max_length=120, blank=True)
    description = models.TextField(blank=True)
    description_zh = models.TextField(blank=True)
    license = models.CharField(max_length=80, blank=True)
    test_is_public = models.BooleanField(default=True)

    task = models.CharField(max_length=40, choices=Task.choices)
    split_path = models.CharField(max_length=1024)
    data_sha256 = models.CharField(max_length=64)
    data_size = models.BigIntegerField()
    fields = models.JSONField(default=dict)  # {"input": "text", "input2"?: …, "target": "label"}
    # More data files beside the rows, such as "train": {name: {"path", "sha256", "size"}}.
    files = models.JSONField(default=dict)
    settings = models.JSONField(default=dict)  # of the task, beside labels and label map
    labels = models.JSONField(default=list)
    label_map = models.JSONField(default=dict)
    primary_metric = models.CharField(max_length=40)
    metrics = models.JSONField(default=list)
    max_length = models.PositiveIntegerField(null=True)
    seed = models.PositiveBigIntegerField(default=0)
    bootstrap = models.PositiveIntegerField(default=2000)
    # What is asked with changed texts too: {} the fixed set, {"perturbations": []} nothing, else what differs from it.
    robustness = models.JSONField(default=dict)
    slices = models.JSONField(default=list)  # columns whose values get scores of their own

    registered_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = BenchmarkQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("dataset", "path", "version"), name="benchmark_version_once"),
            models.CheckConstraint(condition=Q(version__gte=1), name="benchmark_version_from_one"),
        )
        indexes = (models.Index(fields=("standing", "id"), name="benchmark_waiting"),)

    def __str__(self) -> str:
        return f"{self.name} v{self.version}"

    def get_absolute_url(self) -> str:
        return f"/benchmarks/{self.pk}"

    @property
    def title(self) -> str:
        """The name in the reader's language."""
        return in_current_language(self.name, self.name_zh)

    @property
    def text(self) -> str:
        """The description in the reader's language."""
        return in_current_language(self.description, self.description_zh)

    @property
    def kind(self) -> Kind:
        """What is known of its task."""
        return KINDS[self.task]

    @property
    def engine_settings(self) -> dict[str, Any]:
        """The settings of the task as the engine takes them."""
        own = {"labels": self.labels, "label_map": self.label_map or None}
        settings: dict[str, Any] = {name: value for name, value in own.items() if name in self.kind.settings}
        return {**settings, **self.settings}

    @property
    def engine_robustness(self) -> dict[str, Any] | None:
        """What the engine asks with changed texts, None where it does not."""
        if self.task not in perturbations.TASKS or self.robustness.get("perturbations") == []:
            return None
        return {"seed": self.seed, "rows": perturbations.rows_for(self.task), **self.robustness}
