"""The words that repositories can be filtered by, in groups, and the tasks that are known here."""

from django.core.cache import cache
from django.http import JsonResponse
from django.http.response import HttpResponseBase
from django.utils.translation import get_language

from models_hub import listing
from models_hub.hf_api.calls import Call
from models_hub.task_names import TASKS, task_label

CACHE_SECONDS = 60


def by_type(call: Call, kind: str) -> HttpResponseBase:
    """Name the labels that public repositories bear, the most frequent first."""
    key = f"tags-by-type:{kind}:{get_language()}"
    found = cache.get(key)
    if found is None:
        found = {
            group: [{"type": group, "id": label, "label": _words(group, label)} for label in labels]
            for group, labels in listing.label_groups(kind).items()
        }
        cache.set(key, found, CACHE_SECONDS)
    return JsonResponse(found)


def tasks(call: Call) -> HttpResponseBase:
    empty: list[str] = []
    lists = dict.fromkeys(("datasets", "libraries", "metrics", "models", "spaces", "widgetModels"), empty)
    return JsonResponse(
        {slug: {"id": slug, "label": str(task.label), "summary": "", **lists} for slug, task in TASKS.items()}
    )


def _words(group: str, label: str) -> str:
    value = label.partition(":")[2] or label
    return task_label(value) if group in {"pipeline_tag", "task_categories"} else value
