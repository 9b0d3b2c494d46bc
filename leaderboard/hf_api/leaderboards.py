"""The models that were evaluated on a data set, as clients of the Hub read its leaderboard."""

from typing import Any

from django.conf import settings
from django.db.models import F, Window
from django.db.models.functions import RowNumber
from django.http import JsonResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _

from leaderboard.models import Benchmark, Evaluation, EvaluationQuerySet
from leaderboard.results_files import DIGITS, path_of
from leaderboard.task_kinds import lower_is_better
from models_hub.hf_api.calls import Call
from models_hub.hf_api.people import avatar
from models_hub.models import Repo
from portal.errors import NotFound
from portal.models import Namespace

MOST = 500
DEFAULT = "eval.yaml"


def of_dataset(call: Call, namespace: str, name: str) -> HttpResponseBase:
    """Rank models by the primary metric of the data set's benchmark, the best first.

    Each counts with its newest public score. As on the Hub, models that name a base model are left out unless
    `base_model=false` asks for them. A data set with several benchmarks answers for `eval.yaml`, or for what `task_id`
    names.
    """
    repo = call.repo("dataset", namespace, name)
    benchmark = _benchmark_of(call, repo)
    rows = _newest(benchmark)
    if call.request.GET.get("base_model", "true").lower() not in {"false", "0"}:
        rows = rows.exclude(model__labels__text__startswith="base_model:")
    order = "value" if lower_is_better(benchmark.primary_metric) else "-value"
    shown = rows.select_related("model__namespace__user", "model__namespace__organization").order_by(order, "id")
    heavy = ("metrics", "per_class", "confusion", "details", "report", "provenance", "versions", "floors")
    found = list(shown.defer(*heavy)[:MOST])
    for row in found:
        row.benchmark = benchmark
    return JsonResponse([_entry(call, rank, row) for rank, row in enumerate(found, 1)], safe=False)


def _benchmark_of(call: Call, repo: Repo) -> Benchmark:
    """Return the newest version of the benchmark in question; raises NotFound."""
    known = Benchmark.objects.listed_for(call.user).filter(dataset=repo).current()
    rows = {row.path: row for row in known.select_related("dataset__namespace").order_by("path")[:MOST]}
    if task := call.request.GET.get("task_id"):
        rows = {path: row for path, row in rows.items() if task in {row.task, path}}
    benchmark = rows.get(DEFAULT) or next(iter(rows.values()), None)
    if benchmark is None:
        raise NotFound(
            _("%(name)s is no benchmark here. Those that are: %(url)s")
            % {"name": repo.full_name, "url": f"{call.origin}/benchmarks"}
        )
    return benchmark


def _newest(benchmark: Benchmark) -> EvaluationQuerySet:
    """Return the newest public score of each model."""
    public = Evaluation.objects.public().finished().filter(benchmark=benchmark)
    place = Window(RowNumber(), partition_by=F("model"), order_by=F("id").desc())
    return Evaluation.objects.filter(pk__in=public.annotate(place=place).filter(place=1).values("pk"))


def _entry(call: Call, rank: int, row: Evaluation) -> dict[str, Any]:
    assert row.value is not None  # a constraint: finished evaluations have one
    return {
        "rank": rank,
        "modelId": row.model.full_name,
        "value": round(row.value, DIGITS),
        "filename": path_of(row),
        "verified": True,  # computed here, from the files of both
        "source": {
            "url": f"{call.origin}{row.get_absolute_url()}",
            "name": str(settings.SITE_NAME),
            "isExternal": False,
        },
        "author": _author(call, row.model.namespace),
    }


def _author(call: Call, owner: Namespace) -> dict[str, Any]:
    held_by = owner.user or owner.organization
    return {
        "type": "org" if owner.organization else "user",
        "name": owner.name,
        "fullname": held_by.display_name if held_by else owner.name,
        "avatarUrl": avatar(call, owner.name),
    }
