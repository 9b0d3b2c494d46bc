"""What boards look like in the REST API."""

from rest_framework import serializers

from leaderboard.api.shapes import SuiteShape
from leaderboard.ranking import Board, Cell, Row, Unranked


class CellShape(serializers.Serializer[Cell]):
    """One model's result on one benchmark, on the metric's own scale and normalised."""

    evaluation = serializers.IntegerField(source="evaluation.pk")
    benchmark = serializers.IntegerField(source="evaluation.benchmark_id")
    value = serializers.FloatField(source="evaluation.value")
    low = serializers.FloatField(source="evaluation.low", allow_null=True)
    high = serializers.FloatField(source="evaluation.high", allow_null=True)
    floor = serializers.FloatField()
    normalised = serializers.FloatField()
    is_outdated = serializers.BooleanField()
    contamination = serializers.CharField(source="evaluation.contamination")


class RowShape(serializers.Serializer[Row]):
    """A model of the board; `best_rank` and `worst_rank` say between which places it may truly stand."""

    model = serializers.CharField(source="model.full_name")
    rank = serializers.IntegerField()
    best_rank = serializers.IntegerField()
    worst_rank = serializers.IntegerField()
    score = serializers.FloatField()
    low = serializers.FloatField()
    high = serializers.FloatField()
    group = serializers.IntegerField(help_text="Models of one group cannot be told from its first.")
    p_best = serializers.FloatField(allow_null=True, help_text="In which share of the draws it is first.")
    borda = serializers.FloatField(help_text="On each benchmark, how many models it leaves behind, ties half.")
    borda_rank = serializers.IntegerField()
    parameters = serializers.IntegerField(source="model.parameters", allow_null=True)
    disk_bytes = serializers.IntegerField(source="model.size")
    memory_bytes = serializers.IntegerField(source="facts.memory_bytes", allow_null=True)
    latency_ms = serializers.FloatField(source="latency", allow_null=True)
    relative_drop = serializers.FloatField(allow_null=True)
    ece = serializers.FloatField(source="facts.ece", allow_null=True)
    precision = serializers.CharField(source="facts.precision")
    is_verified = serializers.BooleanField(source="facts.is_verified")
    finished_at = serializers.DateTimeField(source="facts.finished_at")
    results = serializers.ListField(child=CellShape(allow_null=True), source="cells")


class UnrankedShape(serializers.Serializer[Unranked]):
    """A model that lacks a score, and the benchmarks that it lacks."""

    model = serializers.CharField(source="model.full_name")
    missing = serializers.SerializerMethodField()
    results = serializers.ListField(child=CellShape(allow_null=True), source="cells")

    def get_missing(self, entry: Unranked) -> list[int]:
        return [benchmark.pk for benchmark in entry.missing]


class BoardShape(serializers.Serializer[Board]):
    """A page of the board of a suite."""

    suite = SuiteShape()
    machine = serializers.CharField(source="places.machine", help_text="On which `latency_ms` was measured.")
    draws = serializers.IntegerField(source="places.draws", help_text="Of the bootstrap behind ranks and intervals.")
    is_waiting = serializers.BooleanField(help_text="True until rows and ranks are computed: a second or two.")
    rows = RowShape(many=True)
    found = serializers.IntegerField(help_text="Ranked models that filters and words leave.")
    next = serializers.CharField(help_text="`after` of the next page; empty on the last one.")
    unranked = UnrankedShape(many=True)
    left_out = serializers.IntegerField(help_text="Models that the chosen filters hide.")
