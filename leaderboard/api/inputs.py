"""The shape of what is sent; its meaning is checked by the verbs."""

from typing import Any

from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from rest_framework import serializers

from leaderboard.benchmarks import DEFINITION_PATH
from leaderboard.bulk import MAX_PAIRS
from leaderboard.models import Benchmark, Evaluation
from models_hub.models import DEFAULT_BRANCH, Repo
from portal.errors import NotFound
from portal.models import Asker

BIGGEST_ID = 2**63 - 1


class BenchmarkInput(serializers.Serializer[None]):
    dataset = serializers.CharField(max_length=200)
    revision = serializers.CharField(max_length=255, default=DEFAULT_BRANCH)
    path = serializers.CharField(max_length=255, default=DEFINITION_PATH)


class EvaluationInput(serializers.Serializer[None]):
    model = serializers.CharField(max_length=200)
    benchmark = serializers.IntegerField(min_value=1, max_value=BIGGEST_ID)
    revision = serializers.CharField(max_length=255, default=DEFAULT_BRANCH)


class BatchInput(serializers.Serializer[None]):
    models = serializers.ListField(child=serializers.CharField(max_length=200), min_length=1, max_length=MAX_PAIRS)
    benchmarks = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=BIGGEST_ID), min_length=1, max_length=MAX_PAIRS
    )
    revision = serializers.CharField(max_length=255, default=DEFAULT_BRANCH)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if len(attrs["models"]) * len(attrs["benchmarks"]) > MAX_PAIRS:
            raise serializers.ValidationError(_("At most %(max)d pairs may be asked for at once.") % {"max": MAX_PAIRS})
        return attrs


class WishInput(serializers.Serializer[None]):
    model = serializers.CharField(max_length=200)
    benchmark = serializers.IntegerField(min_value=1, max_value=BIGGEST_ID)


class WeightedBenchmarkInput(serializers.Serializer[None]):
    id = serializers.IntegerField(min_value=1, max_value=BIGGEST_ID)
    weight = serializers.FloatField(default=1.0)


class SuiteInput(serializers.Serializer[None]):
    slug = serializers.CharField(max_length=60)
    title = serializers.CharField(max_length=120)
    title_zh = serializers.CharField(max_length=120, default="", allow_blank=True)
    description = serializers.CharField(max_length=5000, default="", allow_blank=True)
    description_zh = serializers.CharField(max_length=5000, default="", allow_blank=True)
    ends_at = serializers.DateTimeField(default=None, allow_null=True)
    another_version = serializers.BooleanField(default=False, help_text="To follow the suite that has the slug.")
    benchmarks = WeightedBenchmarkInput(many=True)


class SuiteEndInput(serializers.Serializer[None]):
    ends_at = serializers.DateTimeField(allow_null=True)


class DecisionInput(serializers.Serializer[None]):
    approve = serializers.BooleanField()
    reason = serializers.CharField(max_length=1000, default="", allow_blank=True)


class SubmissionInput(serializers.Serializer[None]):
    model = serializers.CharField(max_length=200)
    revision = serializers.CharField(max_length=255, default=DEFAULT_BRANCH)


def find_repo(user: Asker, name: str, *kinds: str) -> Repo:
    """Return the repository “owner/name” of the first of `kinds` that has one; hidden and missing are the same."""
    namespace, _slash, short = name.partition("/")
    for kind in kinds:
        repo = Repo.objects.visible_to(user).select_related("namespace").named(kind, namespace, short).first()
        if repo is not None:
            return repo
    raise NotFound(
        _("There is no repository “%(name)s”, or you may not see it.") % {"name": name}, code="repo_not_found"
    )


def find_benchmark(user: Asker, number: int) -> Benchmark:
    """Return the benchmark of an id; hidden and missing are the same."""
    found = Benchmark.objects.visible_to(user).select_related("dataset__namespace").filter(pk=number).first()
    if found is None:
        raise NotFound(_("There is no benchmark %(id)d.") % {"id": number}, code="benchmark_not_found")
    return found


def find_evaluation(user: Asker, evaluation_id: int) -> Evaluation:
    """Return an evaluation that the user may see; Http404 for any other."""
    rows = Evaluation.objects.visible_to(user).latest().select_related("predictions")
    return get_object_or_404(rows, pk=evaluation_id)
