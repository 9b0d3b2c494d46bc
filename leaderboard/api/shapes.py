"""What the rows of the leaderboard look like in the REST API."""

from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from leaderboard import reproducing
from leaderboard.api.reproduction_shapes import AgreementShape
from leaderboard.bulk import Answer
from leaderboard.models import Benchmark, Evaluation, Suite, Wish
from portal.api.reserved_names import ReservedNames
from portal.api.shapes import JobShape


class SplitShape(serializers.Serializer[Benchmark]):
    """The rows that a benchmark asks, by their digest."""

    path = serializers.CharField(source="split_path")
    sha256 = serializers.CharField(source="data_sha256")
    size = serializers.IntegerField(source="data_size")


class ExtraFileShape(serializers.Serializer[Any]):
    """A data file beside the rows, by its digest."""

    path = serializers.CharField()
    sha256 = serializers.CharField()
    size = serializers.IntegerField()


class BenchmarkShape(ReservedNames, serializers.ModelSerializer[Benchmark]):
    """One version of a benchmark."""

    url = serializers.CharField(source="get_absolute_url")
    dataset = serializers.CharField(source="dataset.full_name")
    commit = serializers.CharField(source="commit_oid")
    split = SplitShape(source="*")
    fields_ = serializers.DictField(child=serializers.CharField())
    labels = serializers.ListField(child=serializers.CharField())
    label_map = serializers.DictField(child=serializers.CharField())
    settings = serializers.DictField(help_text="Settings of the task beside labels and label map.")
    files = serializers.DictField(
        child=ExtraFileShape(), help_text="Data files beside the rows, such as “train”, by their names."
    )
    primary = serializers.CharField(source="primary_metric")
    metrics = serializers.ListField(child=serializers.CharField())
    robustness = serializers.DictField(
        source="engine_robustness", allow_null=True, help_text="What is asked with changed texts too; null for nothing."
    )
    slices = serializers.ListField(child=serializers.CharField())

    class Meta:
        model = Benchmark
        fields = (
            "id", "url", "name", "name_zh", "version", "description", "description_zh", "license", "test_is_public",
            "dataset", "commit", "path", "task", "split", "fields_", "labels", "label_map",
            "settings", "files", "primary", "metrics", "max_length", "seed", "bootstrap", "robustness", "slices",
            "standing", "reason", "created_at",
        )  # fmt: skip


class SuiteEntryShape(serializers.Serializer[Any]):
    """A benchmark of a suite and its weight."""

    id = serializers.IntegerField(source="benchmark_id")
    name = serializers.CharField(source="benchmark.name")
    weight = serializers.FloatField()


class SuiteShape(serializers.ModelSerializer[Suite]):
    """A suite; private benchmarks are left out, whoever asks: a board is public."""

    url = serializers.CharField(source="get_absolute_url")
    state = serializers.CharField(help_text="proposed, refused, open or ended")
    proposed_by = serializers.CharField(source="proposed_by.username", allow_null=True, default=None)
    reason = serializers.CharField(help_text="Why it was refused.")
    benchmarks = SuiteEntryShape(many=True, source="public_entries")

    class Meta:
        model = Suite
        fields = (
            "id", "slug", "version", "url", "state", "ends_at", "title", "title_zh", "description", "description_zh",
            "proposed_by", "reason", "created_at", "benchmarks",
        )  # fmt: skip


class ScoreShape(serializers.Serializer[Evaluation]):
    """The benchmark's main metric with its 95 % interval."""

    name = serializers.CharField(source="benchmark.primary_metric")
    value = serializers.FloatField()
    low = serializers.FloatField(allow_null=True)
    high = serializers.FloatField(allow_null=True)


class EvaluatedShape(serializers.Serializer[Evaluation]):
    """Which version of which model was evaluated."""

    repo = serializers.CharField(source="model.full_name")
    commit = serializers.CharField(source="commit_oid")


class AskedShape(serializers.Serializer[Benchmark]):
    """The benchmark of an evaluation."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    version = serializers.IntegerField()
    dataset = serializers.CharField(source="dataset.full_name")


class EvaluationShape(serializers.ModelSerializer[Evaluation]):
    """An evaluation as lists show it; a list gives all one `outlook` in the context."""

    url = serializers.CharField(source="get_absolute_url")
    state = serializers.CharField()
    model = EvaluatedShape(source="*")
    benchmark = AskedShape()
    primary = ScoreShape(source="score", allow_null=True)
    is_outdated = serializers.BooleanField()
    requested_by = serializers.CharField(source="requested_by.username", allow_null=True, default=None)
    job = JobShape(allow_null=True)

    class Meta:
        model = Evaluation
        fields: tuple[str, ...] = (
            "id", "url", "state", "model", "benchmark", "primary", "is_outdated", "contamination", "engine_version",
            "dtype", "seed", "requested_by", "created_at", "finished_at", "job",
        )  # fmt: skip


class RefusalShape(serializers.Serializer[Any]):
    """Why something was not done."""

    code = serializers.CharField()
    message = serializers.CharField()


class AnswerShape(serializers.Serializer[Answer]):
    """What became of one pair of a batch: an evaluation, new or known, or an error."""

    model = serializers.CharField(source="model.full_name")
    benchmark = serializers.IntegerField(source="benchmark.pk")
    evaluation = EvaluationShape(allow_null=True)
    is_new = serializers.BooleanField()
    error = RefusalShape(allow_null=True)


class BatchShape(serializers.Serializer[Any]):
    """The answers to a batch, each model with each benchmark."""

    results = AnswerShape(many=True)


class WishShape(serializers.ModelSerializer[Wish]):
    """A model and a benchmark that people would like to see measured together."""

    model = serializers.CharField(source="model.full_name")
    benchmark = AskedShape()

    class Meta:
        model = Wish
        fields = ("id", "model", "benchmark", "votes", "created_at")


class WholeEvaluationShape(EvaluationShape):
    """All that was found, with its recipe; an evaluation that is not finished has only what lists show."""

    benchmark_digest = serializers.CharField(
        source="benchmark.meaning", help_text="Over all of the benchmark that can move a number."
    )
    reproduced = serializers.SerializerMethodField(help_text="What further runs of the same say.")

    @extend_schema_field(AgreementShape)
    def get_reproduced(self, evaluation: Evaluation) -> dict[str, Any]:
        agreement = reproducing.agreement_of(evaluation, reproducing.runs_of(evaluation))
        return dict(AgreementShape(agreement).data)

    class Meta(EvaluationShape.Meta):
        found = (
            "n", "prediction_digest", "reproduced", "metrics", "per_class", "confusion", "details", "floors",
            "relative_drop", "device",
            "threads", "versions", "report", "truncated", "provenance",
        )  # fmt: skip
        fields = (
            *EvaluationShape.Meta.fields, "weights_digest", "files_digest", "benchmark_digest", *found,
        )  # fmt: skip
        extra_kwargs: Mapping[str, Any] = {name: {"required": False} for name in found}

    def to_representation(self, instance: Evaluation) -> dict[str, Any]:
        shown: dict[str, Any] = super().to_representation(instance)
        if not instance.is_finished:
            return {name: value for name, value in shown.items() if name not in self.Meta.found}
        return shown
