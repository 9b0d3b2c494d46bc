"""What queues of rows to label look like in the REST API, and what is sent to ask for one."""

from typing import Any

from rest_framework import serializers

from models_hub.adapting import annotating, queues
from models_hub.models import DEFAULT_BRANCH, Annotation, AnnotationQueue, AnnotationRow
from portal.api.inputs import StrictInput
from portal.api.shapes import JobShape
from portal.models import User


class QueueInput(StrictInput):
    """A queue that is asked for: rows of a file that have no answer yet, those that a model is least sure of."""

    task = serializers.ChoiceField(choices=list(queues.HEADS))
    dataset = serializers.CharField(max_length=200, source="data", help_text="owner/name of a data set")
    path = serializers.CharField(max_length=1000, help_text="The file with the rows: .jsonl, .ndjson or .csv.")
    base = serializers.CharField(
        max_length=200, default="", allow_blank=True, help_text="owner/name of a model that says where it is unsure"
    )
    base_revision = serializers.CharField(max_length=200, default=DEFAULT_BRANCH)
    fields = serializers.DictField(  # type: ignore[assignment]
        child=serializers.CharField(max_length=200), default=dict, help_text="Columns of input, input2 and target."
    )
    labels = serializers.ListField(child=serializers.CharField(max_length=256), default=list, max_length=200)
    order = serializers.CharField(
        max_length=10, default="", allow_blank=True, help_text="What unsure means: margin or entropy."
    )
    count = serializers.IntegerField(default=100)
    twice = serializers.FloatField(default=0.0, help_text="The share of rows that two people label.")
    people = serializers.ListField(
        child=serializers.CharField(max_length=100), default=list, max_length=queues.MAX_PEOPLE
    )
    title = serializers.CharField(max_length=200, default="", allow_blank=True)
    seed = serializers.IntegerField(default=0, min_value=0, max_value=2**32 - 1)


class HelpersInput(StrictInput):
    """Who helps with a queue, beside its owner."""

    people = serializers.ListField(child=serializers.CharField(max_length=100), max_length=queues.MAX_PEOPLE)


class PositionInput(StrictInput):
    """A row by its position."""

    row = serializers.IntegerField(min_value=0)


class AnnotationInput(PositionInput):
    """An answer: a label, a list of labels, or a tag for each word; null passes the row over."""

    value = serializers.JSONField(allow_null=True)


class WritingInput(StrictInput):
    """How settled answers go into the data set."""

    pull_request = serializers.BooleanField(default=False, help_text="Propose them, and commit nothing.")


class ProgressShape(serializers.Serializer[annotating.Progress]):
    """How far a queue is."""

    total = serializers.IntegerField()
    open = serializers.IntegerField()
    settled = serializers.IntegerField()
    disputed = serializers.IntegerField()
    written = serializers.IntegerField(help_text="In the data set already.")
    mine = serializers.IntegerField(help_text="Answers of yours.")
    passed = serializers.IntegerField(help_text="Rows that you passed over.")


class AgreementShape(serializers.Serializer[annotating.Agreement]):
    """How often people who answered the same row said the same."""

    rows = serializers.IntegerField()
    same = serializers.IntegerField()
    alpha = serializers.FloatField(allow_null=True, help_text="Krippendorff's, of answers taken as wholes.")


class QueueShape(serializers.ModelSerializer[AnnotationQueue]):
    """A queue in short."""

    owner = serializers.SlugRelatedField[Any]("username", read_only=True)
    dataset = serializers.CharField(source="data.full_name")
    url = serializers.CharField(source="get_absolute_url")
    order = serializers.CharField(help_text="margin, entropy, or spread where no model was asked.")
    is_filled = serializers.SerializerMethodField(help_text="Whether there are rows to label.")
    job = serializers.SerializerMethodField(help_text="The job that chooses the rows; for the owner.")

    class Meta:
        model = AnnotationQueue
        fields: tuple[str, ...] = (
            "id", "title", "url", "owner", "dataset", "data_commit", "path", "task", "fields", "labels", "order",
            "count", "twice", "is_filled", "job", "created_at",
        )  # fmt: skip

    def get_is_filled(self, queue: AnnotationQueue) -> bool:
        return queue.filled_at is not None

    def get_job(self, queue: AnnotationQueue) -> dict[str, Any] | None:
        """Jobs are their owner's affair."""
        reader: User = self.context["reader"]
        return JobShape(queue.job).data if queue.job is not None and queue.owner_id == reader.pk else None


class WholeQueueShape(QueueShape):
    """A queue with how far it is."""

    people = serializers.SerializerMethodField(help_text="Who helps.")
    progress = serializers.SerializerMethodField()
    agreement = serializers.SerializerMethodField(help_text="Null where no row was answered by two people.")
    writing = serializers.SerializerMethodField(help_text="The job that writes answers into the data set.")

    class Meta(QueueShape.Meta):
        fields = (*QueueShape.Meta.fields, "people", "progress", "agreement", "report", "writing", "written")

    def get_people(self, queue: AnnotationQueue) -> list[str]:
        return list(queue.people.order_by("username").values_list("username", flat=True))

    def get_progress(self, queue: AnnotationQueue) -> dict[str, Any]:
        return ProgressShape(annotating.progress(queue, self.context["reader"])).data

    def get_agreement(self, queue: AnnotationQueue) -> dict[str, Any] | None:
        found = annotating.agreement(queue)
        return AgreementShape(found).data if found else None

    def get_writing(self, queue: AnnotationQueue) -> dict[str, Any] | None:
        is_own = queue.owner_id == self.context["reader"].pk
        return JobShape(queue.writing).data if queue.writing is not None and is_own else None


class AnnotationRowShape(serializers.ModelSerializer[AnnotationRow]):
    """A row to label. The guess of the model is null until it was asked for."""

    guess = serializers.SerializerMethodField()

    class Meta:
        model = AnnotationRow
        fields = ("position", "line", "question", "doubt", "needed", "guess", "held_until")

    def get_guess(self, row: AnnotationRow) -> dict[str, Any] | None:
        return row.guess if row.guess and row.saw_guess else None


class HandedShape(serializers.Serializer[Any]):
    """The row that is yours; null where none is left for you."""

    row = AnnotationRowShape(allow_null=True)


class AnnotationShape(serializers.ModelSerializer[Annotation]):
    """What one person said of a row, with what the model had guessed."""

    row = serializers.IntegerField(source="row.position")
    line = serializers.IntegerField(source="row.line")
    by = serializers.SlugRelatedField[Any]("username", read_only=True)
    value = serializers.SerializerMethodField(method_name="said", help_text="Null for a row that was passed over.")
    guess = serializers.JSONField(source="row.guess")

    class Meta:
        model = Annotation
        fields = ("id", "row", "line", "by", "value", "saw_guess", "guess", "created_at")

    def said(self, given: Annotation) -> Any:
        return given.value.get("value")
