"""What further runs of an evaluation look like in the REST API."""

from typing import Any

from rest_framework import serializers

from leaderboard.models import Reproduction
from portal.api.shapes import JobShape


class ReproductionShape(serializers.ModelSerializer[Reproduction]):
    """A further run of an evaluation, on whatever worker; `has_same_answers` compares digests of all answers."""

    requested_by = serializers.CharField(source="requested_by.username", allow_null=True, default=None)
    job = JobShape(allow_null=True)
    has_same_answers = serializers.BooleanField()

    class Meta:
        model = Reproduction
        fields = (
            "id", "created_at", "finished_at", "requested_by", "value", "metrics", "prediction_digest",
            "has_same_answers", "worker", "device", "device_name", "threads", "versions", "job",
        )  # fmt: skip


class AgreementShape(serializers.Serializer[Any]):
    """What the further runs say: how many gave the same answers, and from the least value to the greatest."""

    runs = serializers.IntegerField()
    same = serializers.IntegerField()
    spread = serializers.FloatField()
