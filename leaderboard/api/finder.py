"""/api/v1/finder: one model for a task, with what speaks for it."""

from typing import Any

from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from leaderboard.finder_forms import FinderForm
from leaderboard.finding import answering, places, wording
from leaderboard.finding.answering import SHOWN, Answer, Candidate
from leaderboard.finding.asked import DEVICES
from models_hub import licences
from models_hub.models import Repo
from portal.api.schema import query
from portal.errors import InvalidInput

PARAMETERS = [
    query("task", str, "such as text-classification", required=True),
    query("language", str, "of the texts it is measured on; several with commas"),
    query("on", str, "what alone counts: board:<slug> or benchmark:<id>"),
    query("memory", float, "MB that its weights may take"),
    query("disk", float, "MB that its repository may take"),
    query("latency", float, "milliseconds for one answer on the machine"),
    query("machine", str, "on which latencies were measured; without it that of most scores"),
    query("device", str, f"one of: {', '.join(DEVICES)}"),
    query("licence", str, f"a class, may be repeated: {', '.join(licences.CLASSES)}", many=True),
]


class FinderProofShape(serializers.Serializer[Any]):
    """One score that counted."""

    evaluation = serializers.IntegerField()
    benchmark = serializers.IntegerField(source="benchmark.pk")
    value = serializers.FloatField()
    normalised = serializers.FloatField()


class FinderDifferenceShape(serializers.Serializer[Any]):
    """How far the one with the best score is ahead."""

    value = serializers.FloatField()
    low = serializers.FloatField()
    high = serializers.FloatField()
    p = serializers.FloatField(help_text="Corrected for all that are compared (Holm).")
    benchmarks = serializers.IntegerField(help_text="Benchmarks that both were measured on.")
    paired = serializers.IntegerField(help_text="Of these, how many were compared by the same examples.")


class FinderCandidateShape(serializers.Serializer[Candidate]):
    """A model that fits."""

    model = serializers.CharField(source="model.full_name")
    score = serializers.FloatField(help_text="0 is what learned nothing reaches, 100 a perfect model.")
    parameters = serializers.IntegerField(source="model.parameters", allow_null=True)
    memory_bytes = serializers.IntegerField(source="model.memory_bytes", allow_null=True)
    license = serializers.CharField(source="model.license")
    latency_ms = serializers.FloatField(source="speed.milliseconds", default=None, allow_null=True)
    difference = serializers.SerializerMethodField()
    scores = serializers.SerializerMethodField()

    @extend_schema_field(FinderDifferenceShape(allow_null=True))
    def get_difference(self, one: Candidate) -> dict[str, Any] | None:
        found = one.difference
        if found is None:
            return None
        numbers = {name: getattr(found, name) for name in ("value", "low", "high", "paired")}
        return dict(FinderDifferenceShape({**numbers, "p": one.p, "benchmarks": found.shared}).data)

    @extend_schema_field(FinderProofShape(many=True))
    def get_scores(self, one: Candidate) -> list[Any]:
        return list(FinderProofShape(one.scores.values(), many=True).data)


class FinderExcludedShape(serializers.Serializer[Any]):
    """What one filter shut out."""

    filter = serializers.CharField(source="name")
    count = serializers.IntegerField()
    alone = serializers.IntegerField(help_text="How many this filter alone shuts out.")
    nearest = serializers.FloatField(allow_null=True, help_text="What the filter would have to be to let one in.")


class FinderAnswerShape(serializers.Serializer[Answer]):
    """The finder's answer."""

    query = serializers.CharField(source="asked.query")
    chosen = FinderCandidateShape(allow_null=True, help_text="The cheapest of those that tie; null where nothing fits.")
    reasons = serializers.SerializerMethodField(help_text="Why this one, in the language asked for.")
    warnings = serializers.SerializerMethodField()
    tied = FinderCandidateShape(many=True, help_text="All that cannot be told from the best, the cheapest first.")
    behind = serializers.SerializerMethodField()
    measured = serializers.IntegerField(help_text="Models that have a score on one of the benchmarks.")
    benchmarks = serializers.SerializerMethodField(help_text="Ids of the benchmarks that count.")
    machine = serializers.CharField()
    excluded = FinderExcludedShape(many=True)
    unscored = serializers.SerializerMethodField(help_text="Some models made for the task that have no score of it.")

    def get_reasons(self, answer: Answer) -> list[str]:
        return wording.reasons(answer)

    def get_warnings(self, answer: Answer) -> list[str]:
        return wording.warnings(answer.chosen) if answer.chosen else []

    @extend_schema_field(FinderCandidateShape(many=True))
    def get_behind(self, answer: Answer) -> list[Any]:
        behind: Any = answer.behind[:SHOWN]
        return list(FinderCandidateShape(behind, many=True).data)

    def get_benchmarks(self, answer: Answer) -> list[int]:
        return [one.pk for one in answer.benchmarks]

    def get_unscored(self, answer: Answer) -> list[str]:
        models: list[Repo] = list(answer.unscored)
        return [model.full_name for model in models]


class Finder(APIView):
    @extend_schema(parameters=PARAMETERS, responses=FinderAnswerShape)
    def get(self, request: Request) -> Response:
        """Find the best model for a task within limits, by verified scores alone; the cheapest of those that tie."""
        form = FinderForm(
            request.query_params, places=places.of_task(request.query_params.get("task", ""), request.user)
        )
        if not form.is_valid():
            name, errors = next(iter(form.errors.items()))
            raise InvalidInput(f"{name}: {errors[0]}", data={"key": name})
        return Response(FinderAnswerShape(answering.answer(form.asked, request.user)).data)
