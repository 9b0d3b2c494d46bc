"""Scores as `model-index`, the part of a card in which other hubs read results."""

from collections.abc import Iterable
from typing import Any

import yaml
from django.conf import settings

from leaderboard.metric_names import NAMES
from leaderboard.models import Evaluation
from models_hub.models import Repo

DIGITS = 6
MAX_RESULTS = 50


def current(model: Repo) -> list[Evaluation]:
    """Return the newest score of each benchmark that anybody may see and that the present weights reached."""
    rows = (
        Evaluation.objects.public()
        .finished()
        .filter(model=model, weights_digest=_head_weights(model))
        .select_related("model__namespace", "benchmark__dataset__namespace")
        .defer("details", "report", "provenance", "per_class", "confusion")
        .order_by("-id")[: MAX_RESULTS * 5]
    )
    newest: dict[int, Evaluation] = {}
    for row in rows:
        newest.setdefault(row.benchmark_id, row)
    return list(newest.values())[:MAX_RESULTS]


def text_of(model: Repo, evaluations: Iterable[Evaluation], *, endpoint: str) -> str:
    """Return YAML to be pasted between the two lines of dashes at the top of a card."""
    results = [_result(row, endpoint) for row in evaluations]
    found = {"model-index": [{"name": model.name, "results": results}]}
    return yaml.safe_dump(found, sort_keys=False, allow_unicode=True, width=120)


def _head_weights(model: Repo) -> str:
    digest = model.commits.filter(oid=model.head).values_list("weights_digest", flat=True).first()
    return digest or "-"  # an empty repository has no weights, and no scores of them


def _result(row: Evaluation, endpoint: str) -> dict[str, Any]:
    benchmark = row.benchmark
    declared = [name for name in dict.fromkeys([benchmark.primary_metric, *benchmark.metrics]) if row.metric(name)]
    return {
        "task": {"type": benchmark.task},
        "dataset": {
            "name": benchmark.name,
            "type": benchmark.dataset.full_name,
            "split": benchmark.split_path,
            "revision": benchmark.commit_oid,
        },
        "metrics": [_metric(row, name) for name in declared],
        "source": {
            "name": f"{settings.SITE_NAME}, evaluation {row.pk}",
            "url": f"{endpoint}{row.get_absolute_url()}",
        },
    }


def _metric(row: Evaluation, name: str) -> dict[str, Any]:
    known = NAMES.get(name)
    named = {"name": known} if isinstance(known, str) else {}
    return {"type": name, "value": round(float(row.metric(name)["value"]), DIGITS), **named}
