"""Pieces of JSON that several answers share."""

import base64
import binascii
import json
from datetime import UTC, datetime
from typing import Any, TypeVar
from urllib.parse import urlencode

from django.db.models import Model, QuerySet
from django.http import HttpResponseBase, JsonResponse

from models_hub.browsing import Entry
from models_hub.git.pointers import pointer_text
from models_hub.hf_api.calls import Call
from models_hub.hf_api.xet_tokens import xet_hash

Row = TypeVar("Row", bound=Model)


def timestamp(moment: datetime) -> str:
    """Return the one form of a date that clients parse: milliseconds and Z."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def pointer_size(entry: Entry) -> int:
    return len(pointer_text(entry.blob.sha256, entry.size)) if entry.blob else 0


def tree_entry(entry: Entry) -> dict[str, Any]:
    """Return a file or folder as tree and paths-info show it."""
    shown: dict[str, Any] = {
        "type": "directory" if entry.is_folder else "file",
        "oid": entry.oid,
        "size": entry.size,
        "path": entry.path,
    }
    if entry.blob:
        shown["lfs"] = {"oid": entry.blob.sha256, "size": entry.size, "pointerSize": pointer_size(entry)}
    if found := xet_hash(entry):
        shown["xetHash"] = found
    return shown


def page(call: Call, rows: list[Any], *, cursor: list[Any] | None, path: str = "") -> HttpResponseBase:
    """Return a list; `cursor` is where its next page begins, named by an absolute Link."""
    response = JsonResponse(rows, safe=False)
    if cursor is not None:
        query = call.request.GET.copy()
        query["cursor"] = base64.urlsafe_b64encode(json.dumps(cursor).encode()).decode().rstrip("=")
        address = f"{call.origin}{path or call.request.path}?{urlencode(list(query.lists()), doseq=True)}"
        response["Link"] = f'<{address}>; rel="next"'
    return response


def paged(call: Call, rows: QuerySet[Row], largest: int) -> tuple[list[Row], list[Any] | None]:
    """Return one page of rows, newest first, and where the next one begins."""
    size, cursor = call.number("limit", largest, largest), read_cursor(call)
    if cursor and isinstance(cursor[0], int) and 0 <= cursor[0] < 2**63:
        rows = rows.filter(pk__lt=cursor[0])
    found = list(rows.order_by("-pk")[: size + 1])
    return found[:size], [found[size - 1].pk] if len(found) > size else None


def read_cursor(call: Call) -> list[Any] | None:
    """Return the cursor of the query, None when there is none that we gave."""
    value = call.request.GET.get("cursor", "")
    if not value or len(value) > 8000:
        return None
    try:
        cursor = json.loads(base64.urlsafe_b64decode(value + "=" * (-len(value) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        return None
    return cursor if isinstance(cursor, list) else None
