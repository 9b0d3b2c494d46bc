"""/api/v1/compare: models and versions beside each other."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from leaderboard.api.shapes import AskedShape
from leaderboard.comparing import facts
from leaderboard.models import Evaluation
from portal.api.schema import query


class ChosenShape(serializers.Serializer[Any]):
    """A model as it is now, or one of its versions."""

    model = serializers.CharField(source="model.full_name")
    revision = serializers.CharField(help_text="As it was asked for; empty for the model as it is now.")
    commit = serializers.CharField(source="commit.oid", allow_null=True, default=None)


class ResultShape(serializers.Serializer[Evaluation]):
    """The evaluation that stands for one of the compared."""

    evaluation = serializers.IntegerField(source="pk")
    commit = serializers.CharField(source="commit_oid")
    value = serializers.FloatField()
    low = serializers.FloatField(allow_null=True)
    high = serializers.FloatField(allow_null=True)
    n = serializers.IntegerField(allow_null=True)
    is_outdated = serializers.BooleanField()


class PairShape(serializers.Serializer[Any]):
    """What the first of two has over the second; `first` and `second` are places in `models`, from 0."""

    first = serializers.IntegerField()
    second = serializers.IntegerField()
    metric = serializers.CharField()
    difference = serializers.FloatField()
    low = serializers.FloatField()
    high = serializers.FloatField()
    p = serializers.FloatField(allow_null=True, help_text="null where only intervals can be compared")
    corrected = serializers.FloatField(allow_null=True, help_text="p by Holm over all pairs of the answer")
    test = serializers.CharField()
    smallest = serializers.FloatField(
        allow_null=True, help_text="The smallest difference that four of five such tests would have found."
    )
    verdict = serializers.CharField(help_text="ahead, behind or even; apart or overlap where only intervals are known")


class ComparedTaskShape(serializers.Serializer[Any]):
    """One benchmark; `results` are in the order of `models`, null for one that was not measured on it."""

    benchmark = AskedShape()
    metric = serializers.CharField(help_text="The one that ranks, of which the results are.")
    tested = serializers.CharField(help_text="The one whose single examples are compared; may be another or none.")
    results = serializers.ListField(child=ResultShape(allow_null=True))
    pairs = PairShape(many=True)


class ComparisonShape(serializers.Serializer[Any]):
    """Models beside each other, with the address of the page that shows the same."""

    url = serializers.CharField(source="address")
    models = ChosenShape(many=True, source="chosen")
    benchmarks = ComparedTaskShape(many=True, source="tasks")


class Compare(APIView):
    @extend_schema(
        parameters=[
            query("model", str, "owner/name or owner/name@revision; up to five, each as a parameter of its own"),
            query("pairs", str, "“all” compares every two; without it each is compared with the first"),
        ],
        responses=ComparisonShape,
    )
    def get(self, request: Request) -> Response:
        """Compare models or versions on the benchmarks that they share, with paired tests."""
        names = request.query_params.getlist("model")
        found = facts.compare(names, request.user, all_pairs=request.query_params.get("pairs") == "all")
        return Response(ComparisonShape(found).data)
