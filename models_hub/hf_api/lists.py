"""Lists of models and data sets: filters, sorting, pages."""

import math
import re
from datetime import datetime
from typing import Any

from django.db.models import Q
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _

from models_hub.checking import is_text
from models_hub.hf_api.calls import Call
from models_hub.hf_api.info import Info, expanded, selected
from models_hub.hf_api.shapes import page, read_cursor
from models_hub.listing import read_moment, with_children, with_storage
from models_hub.models import Repo, RepoQuerySet
from models_hub.searching import naming
from portal.errors import InvalidInput

MAX_LIMIT = 1000
MAX_LIMIT_WITH_FILES = 20  # each of these needs its tree
MAX_FILTERS = 20
MAX_SEARCHES = 4
SORTS = {
    "lastModified": "updated_at",
    "createdAt": "created_at",
    "downloads": "downloads",
    "likes": "likes",
    "trendingScore": "trend",
}
# What a value in a cursor must be, by column; the others are moments.
NUMBERS: dict[str, type | tuple[type, ...]] = {"downloads": int, "likes": int, "trend": (int, float)}
COMMON = ("author", "private", "likes", "trendingScore", "tags", "createdAt", "lastModified")
STANDARD = {
    "model": (*COMMON, "gated", "downloads", "pipeline_tag", "library_name"),
    "dataset": (*COMMON, "gated", "downloads", "description"),
    "space": (*COMMON, "sdk"),
}
FULL = ("sha", "disabled", "siblings")
# Programs that run models on one's own machine, by the format that they read.
APPS = {
    **dict.fromkeys(("llama.cpp", "ollama", "lmstudio", "jan", "koboldcpp", "llama-cpp-python"), "gguf"),
    **dict.fromkeys(("vllm", "sglang", "tgi"), "safetensors"),
}
LINKS = ("models", "datasets")  # what a Space says that it uses
_UNITS = {"": 1, "K": 10**3, "M": 10**6, "B": 10**9, "T": 10**12}
_AMOUNT = re.compile(r"(min|max):(\d{1,9}(?:\.\d{1,3})?)([KMBT]?)", re.IGNORECASE)


def repos(call: Call, kind: str) -> HttpResponseBase:
    keys = _keys(call, kind)
    limit = call.number("limit", MAX_LIMIT, MAX_LIMIT_WITH_FILES if "siblings" in keys else MAX_LIMIT)
    column = SORTS.get(call.request.GET.get("sort") or "trendingScore")
    if column is None:
        raise InvalidInput(_("“sort” must be one of: %(names)s.") % {"names": ", ".join(SORTS)})
    found = _filtered(call, Repo.objects.visible_to(call.user).listed().filter(kind=kind))
    if "usedStorage" in keys:
        found = with_storage(found)
    if "childrenModelCount" in keys:
        found = with_children(found)
    rows = list(_after(found, column, read_cursor(call)).order_by(f"-{column}", "-id")[: limit + 1])
    cursor = _cursor(rows[limit - 1], column) if len(rows) > limit else None
    whole = not call.words("expand")
    return page(call, [_row(repo, keys, whole=whole) for repo in rows[:limit]], cursor=cursor)


def _keys(call: Call, kind: str) -> tuple[str, ...]:
    if wanted := expanded(call, kind):
        return tuple(wanted)
    keys = STANDARD[kind]
    full = call.flag("full")
    keys += FULL if full else ()
    keys += ("cardData",) if full or call.flag("cardData") else ()
    return keys + (("config",) if kind == "model" and call.flag("config") else ())


def _row(repo: Repo, keys: tuple[str, ...], *, whole: bool) -> dict[str, Any]:
    shown = selected(Info(repo), keys)
    return shown | {"modelId": repo.full_name} if whole and repo.is_model else shown


def _filtered(call: Call, found: RepoQuerySet) -> RepoQuerySet:
    query = call.request.GET
    if not all(is_text(value) for name in query for value in query.getlist(name)):
        return found.none()
    for words in query.getlist("search")[:MAX_SEARCHES]:
        found = naming.narrowed(found, words[:200])
    if author := query.get("author"):
        found = found.owned_by(author)
    labels = [label for value in query.getlist("filter") for label in value.split(",") if label]
    found = found.labelled(*labels[:MAX_FILTERS])
    if task := query.get("pipeline_tag"):
        found = found.filter(task=task)
    if amounts := query.get("num_parameters"):
        found = _of_size(found, amounts)
    if query.get("gated"):
        found = found.exclude(gated="") if call.flag("gated") else found.filter(gated="")
    for app in [name for value in query.getlist("apps") for name in value.split(",") if name]:
        found = found.labelled(APPS[app]) if app in APPS else found.none()
    for field in LINKS:
        found = found.labelled(*[f"{field}:{name}" for name in query.getlist(field)[:MAX_FILTERS]])
    # Nothing here is deployed at a provider.
    if any(query.getlist(name) for name in ("inference", "inference_provider")):
        found = found.none()
    return found.select_related("namespace", "restriction").prefetch_related("labels")


def _of_size(found: RepoQuerySet, amounts: str) -> RepoQuerySet:
    """Narrow by `min:6B,max:128B`, either end of which may be missing."""
    for part in amounts.split(",")[:2]:
        amount = _AMOUNT.fullmatch(part.strip())
        if not amount:
            raise InvalidInput(_("“num_parameters” must look like min:6B,max:128B."))
        number = int(float(amount[2]) * _UNITS[amount[3].upper()])
        found = found.filter(**{f"parameters__{'gte' if amount[1].lower() == 'min' else 'lte'}": number})
    return found


def _after(found: RepoQuerySet, column: str, cursor: list[Any] | None) -> RepoQuerySet:
    """Narrow to what follows the cursor, which holds the last row's sort value and id."""
    if cursor is None or len(cursor) != 2 or not isinstance(cursor[1], int):
        return found
    if any(isinstance(part, int) and abs(part) >= 2**63 for part in cursor):
        return found
    try:
        value = read_moment(cursor[0]) if isinstance(cursor[0], str) else cursor[0]
    except ValueError:
        return found
    if isinstance(value, bool) or not isinstance(value, NUMBERS.get(column, datetime)):
        return found
    if isinstance(value, float) and not math.isfinite(value):
        return found
    return found.filter(Q(**{f"{column}__lt": value}) | Q(**{column: value, "id__lt": cursor[1]}))


def _cursor(repo: Repo, column: str) -> list[Any]:
    value = getattr(repo, column)
    return [value.isoformat() if isinstance(value, datetime) else value, repo.pk]
