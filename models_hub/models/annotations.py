"""Queues of rows that people answer, one after the other, until there is enough to learn from."""

from django.db import models
from django.db.models import Count, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from models_hub.models.limiting import within
from models_hub.models.repos import Repo
from portal.models import Asker, Job, User
from portal.reach import may_use


class AnnotationQueueQuerySet(models.QuerySet["AnnotationQueue"]):
    def visible_to(self, user: Asker) -> "AnnotationQueueQuerySet":
        """Queues of one's own and those that one was asked to help with, as long as one sees their data set.

        What a model guessed, and who answered what, is nobody else's affair. A limited token sees them where it may
        see jobs, of what it was given.
        """
        if not user.is_authenticated or not may_use(user, "jobs"):
            return self.none()
        mine = Q(owner_id=user.pk) | Q(
            pk__in=AnnotationQueue.people.through.objects.filter(user=user).values("annotationqueue")
        )
        return self.filter(mine, within(user, "data", "base"), data__in=Repo.objects.visible_to(user))

    def shown(self) -> "AnnotationQueueQuerySet":
        """With everything that a list shows, newest first."""
        return self.select_related("owner", "data__namespace", "base__namespace", "job", "writing").order_by("-id")

    def counted(self) -> "AnnotationQueueQuerySet":
        """With how many rows each has, and how many of them are settled."""
        settled = Q(rows__state=AnnotationRow.State.SETTLED)
        return self.annotate(all_rows=Count("rows"), settled_rows=Count("rows", filter=settled))


class AnnotationQueue(models.Model):
    """Rows of one file that a model is least sure of, for people to answer."""

    class Order(models.TextChoices):
        MARGIN = "margin", _("two answers are close")
        ENTROPY = "entropy", _("many answers are possible")
        SPREAD = "spread", _("texts that differ most, without a model")

    owner = models.ForeignKey(User, models.CASCADE, related_name="annotation_queues")
    people = models.ManyToManyField(User, related_name="shared_annotation_queues")
    title = models.CharField(max_length=200)
    data = models.ForeignKey(Repo, models.CASCADE, related_name="annotation_queues")
    data_commit = models.CharField(max_length=40)
    path = models.CharField(max_length=1000)  # of the file in the data set
    task = models.CharField(max_length=60)
    fields = models.JSONField(default=dict)  # {role: column}
    # In the order of their numbers; found in the rows or the model where nobody named them.
    labels = models.JSONField(default=list)
    base = models.ForeignKey(Repo, models.SET_NULL, null=True, related_name="annotation_queues_asking")
    base_commit = models.CharField(max_length=40, blank=True)
    order = models.CharField(max_length=10, choices=Order.choices, default=Order.MARGIN)
    count = models.PositiveIntegerField()  # how many rows are asked for
    twice = models.FloatField(default=0.0)  # the share of rows that two people answer
    seed = models.PositiveBigIntegerField(default=0)
    job = models.OneToOneField(Job, models.SET_NULL, null=True, related_name="annotation_queue")
    report = models.JSONField(default=dict)  # what the engine counted
    created_at = models.DateTimeField(db_default=Now())
    filled_at = models.DateTimeField(null=True)  # since when there are rows to answer

    # Of the last time that answers were written into the data set.
    writing = models.OneToOneField(Job, models.SET_NULL, null=True, related_name="annotation_writing")
    written = models.JSONField(default=dict)  # {"written", "answered_before", "gone", "commit", "pull"}

    objects = AnnotationQueueQuerySet.as_manager()

    class Meta:
        indexes = (
            models.Index(fields=("owner", "-id"), name="annotation_queue_of_owner"),
            models.Index(fields=("data", "-id"), name="annotation_queue_of_data"),
        )

    def __str__(self) -> str:
        return f"annotation queue {self.pk}"

    def get_absolute_url(self) -> str:
        return f"{self.data.path}/annotate/{self.pk}"

    @property
    def has_tags(self) -> bool:
        """Whether each word gets an answer of its own."""
        return self.task == "token-classification"

    @property
    def has_several(self) -> bool:
        """Whether a row may get any number of labels."""
        return self.task == "multi-label-classification"

    @property
    def is_over(self) -> bool:
        """Whether no rows will come any more."""
        return self.filled_at is not None or self.job is None or self.job.is_finished


class AnnotationRow(models.Model):
    """One row that people are asked about."""

    class State(models.TextChoices):
        OPEN = "open", _("open")
        SETTLED = "settled", _("settled")
        DISPUTED = "disputed", _("disputed")

    queue = models.ForeignKey(AnnotationQueue, models.CASCADE, related_name="rows")
    position = models.PositiveIntegerField()
    line = models.PositiveIntegerField()  # in the file
    question = models.JSONField()
    guess = models.JSONField(default=dict)  # {"value", "scores"?}, empty without a model
    doubt = models.FloatField(null=True)
    needed = models.PositiveSmallIntegerField(default=1)  # how many people answer it
    answers = models.PositiveSmallIntegerField(default=0)  # how many did
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)
    settled = models.JSONField(default=dict)  # what they agree on, or what the owner decided: {"value"}
    is_written = models.BooleanField(default=False)  # into the data set
    # Who has it before them, so that it is given to nobody else.
    holder = models.ForeignKey(User, models.SET_NULL, null=True, related_name="held_annotation_rows")
    held_until = models.DateTimeField(null=True)
    saw_guess = models.BooleanField(default=False)  # the holder

    class Meta:
        constraints = (models.UniqueConstraint(fields=("queue", "position"), name="annotation_row_once"),)
        indexes = (models.Index(fields=("queue", "state", "position"), name="annotation_row_state"),)

    def __str__(self) -> str:
        return f"row {self.position} of annotation queue {self.queue_id}"


class Annotation(models.Model):
    """What one person said of a row."""

    row = models.ForeignKey(AnnotationRow, models.CASCADE, related_name="given")
    queue = models.ForeignKey(AnnotationQueue, models.CASCADE, related_name="answers")
    by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="annotations")
    # {"value"}; empty for a row that was passed over.
    value = models.JSONField(default=dict)
    saw_guess = models.BooleanField(default=False)  # before the answer
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = (models.UniqueConstraint(fields=("row", "by"), name="annotation_once"),)
        indexes = (
            models.Index(fields=("queue", "by", "-id"), name="annotation_of_person"),
            models.Index(fields=("queue", "-id"), name="annotation_of_queue"),
        )

    def __str__(self) -> str:
        return f"annotation {self.pk}"

    @property
    def is_skip(self) -> bool:
        """Whether the person passed the row over."""
        return not self.value
