"""What the viewer of a table reads: made of the question in the address and the kept table."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, QueryDict

from models_hub import permissions
from models_hub.models import Commit, Repo
from models_hub.tables import looking, reading, showing, texts, whole
from models_hub.tables.looking import Asked, Table
from models_hub.tables.reading import Source
from models_hub.tables.showing import Cells, ClassNames, Head
from models_hub.tables.texts import TableUnreadable
from portal.models import Job

MAX_QUERY = 200
MAX_FILTERS = 6
MAX_COLUMNS_COUNTED = 60
LABEL_PREFIX = "is_"
PASSING = ("row", "one", "image", "view")
STATISTICS = "statistics"
PREVIEW = "preview"  # the first rows, on the card's page
PREVIEW_ROWS = 5
PASSES = frozenset(("busy", "no_space"))  # failures that are over some time later
# Failures that a job, which takes its time, may not have.
JOB_HELPS = frozenset(("needs_job", "awaited", "too_long", "memory"))


@dataclass(frozen=True)
class Filter:
    """A choice among the labels of a column."""

    name: str
    column: str
    chosen: str
    shares: list[showing.Share]


def context(request: HttpRequest, source: Source, commit: Commit, class_names: ClassNames) -> dict[str, Any]:
    """Return what `_table.html` reads: rows or statistics, or the reason why there are none."""
    shared = {
        "files": source.entries,
        "files_size": source.size,
        "names": class_names,
        "hidden": [(name, value) for name, value in request.GET.items() if name in ("config", "split")],
        "query": _query(request),
        "start_address": _address(request),
        "is_statistics": request.GET.get("view") == STATISTICS,
        "statistics_address": _address(request, q=None, view=STATISTICS, **_no_filters(request)),
        "commit": commit,
    }
    try:
        with looking.opened(reading.table_of(source)) as table:
            return {**shared, **_shown(request, table, class_names), **_completeness(source, table.facts)}
    except TableUnreadable as error:
        reason = str(error.data["reason"])
        job = whole.job_of(source) if reason in JOB_HELPS else None
        return {
            **shared,
            "problem": error.message,
            "job": job,
            "may_read_all": reason in JOB_HELPS,
            "may_try_again": reason in PASSES,
        }


def _shown(request: HttpRequest, table: Table, class_names: ClassNames) -> dict[str, Any]:
    heads = showing.heads(table.columns, table.count, class_names)
    about = {
        "facts": table.facts,
        "heads": heads,
        "notes": [texts.note_text(note) for note in table.facts["notes"]],
        "more_notes": sum(table.facts["note_counts"].values()) - len(table.facts["notes"]),
        "encodings": sorted({str(file["encoding"]).upper() for file in table.facts["files"] if file["encoding"]}),
    }
    if request.GET.get("view") == STATISTICS:
        return {**about, "counted": heads[:MAX_COLUMNS_COUNTED]}
    asked = asked_of(request.GET, table)
    cells = Cells(table.columns, class_names, needles=asked.needles, images=_address(request, image=""))
    if "one" in request.GET:
        return {**about, **_one(request, table, cells, heads)}
    return {**about, **_page(request, table, asked, cells), "filters": _filters(heads, asked)}


def _page(request: HttpRequest, table: Table, asked: Asked, cells: Cells) -> dict[str, Any]:
    size = PREVIEW_ROWS if request.GET.get("view") == PREVIEW else looking.PAGE_ROWS
    page = table.page(asked, size=size, start=min(whole_number(request.GET.get("row"), 1), max(table.count, 1)) - 1)
    rows = [
        (row.number + 1, _address(request, one=row.number + 1), cells.row(row.number, row.cells)) for row in page.rows
    ]
    return {
        "asked": asked,
        "page": page,
        "rows": rows,
        "last_number": page.rows[-1].number + 1 if page.rows else 0,
        "all_address": _address(request, q=None, **_no_filters(request)),
        "found": table.found(asked),
        "next_address": None if page.next is None else _address(request, row=page.next + 1),
        "previous_address": None if page.previous is None else _address(request, row=page.previous + 1),
    }


def _one(request: HttpRequest, table: Table, cells: Cells, heads: list[Head]) -> dict[str, Any]:
    number = whole_number(request.GET.get("one"), 1)
    row = table.row(number - 1)
    values = cells.row(number - 1, row.cells, in_full=True) if row else []
    return {
        "one": number,
        "one_cells": list(zip(heads, values, strict=True)) if row else [],
        "next_address": _address(request, one=number + 1) if number < table.count else None,
        "previous_address": _address(request, one=number - 1) if number > 1 else None,
        "rows_address": _address(request, row=max(number - (number - 1) % looking.PAGE_ROWS, 1)),
    }


def _completeness(source: Source, facts: Mapping[str, Any]) -> dict[str, Any]:
    """Say what the reader must know when these are not all rows."""
    if facts["is_whole"]:
        return {}
    totals = [file.get("all_rows") for file in facts["files"]]
    knows_all = len(totals) == len(source.entries) and all(totals)
    is_most = facts["bytes"] > reading.DIRECT.max_bytes or facts["rows"] > reading.DIRECT.max_rows
    return {
        "is_part": True,
        "all_rows": sum(totals) if knows_all else None,
        "may_read_all": not is_most,
        "job": whole.job_of(source),
    }


def may_see_job(request: HttpRequest, job: Job | None) -> bool:
    """Say whether the page may lead to the job: it is for who asked for it, and for staff."""
    return job is not None and Job.objects.visible_to(request.user).filter(pk=job.pk).exists()


def may_ask(request: HttpRequest, repo: Repo) -> bool:
    """Say whether the reader may have all rows read."""
    return request.user.is_authenticated and permissions.can_download(request.user, repo)


def asked_of(params: QueryDict, table: Table) -> Asked:
    """Return what the address asks to see; columns that cannot be filtered by are passed over."""
    labels: dict[int, str] = {}
    for name, value in params.items():
        place = table.place_of(name.removeprefix(LABEL_PREFIX)) if name.startswith(LABEL_PREFIX) else None
        if place is not None and isinstance(value, str) and value and len(labels) < MAX_FILTERS:
            labels[place] = value[:MAX_QUERY]
    return Asked(_text(params.get("q")), labels)


def whole_number(text: Any, default: int) -> int:
    """Return a number of the address, the default for anything else."""
    text = str(text or "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 12 else default


def _filters(heads: list[Head], asked: Asked) -> list[Filter]:
    found = [
        Filter(LABEL_PREFIX + head.name, head.name, asked.labels.get(place, ""), head.shares)
        for place, head in enumerate(heads)
        if len(head.shares) > 1 or place in asked.labels
    ]
    return found[:MAX_FILTERS]


def _text(value: Any) -> str:
    return str(value or "").replace("\x00", "").strip()[:MAX_QUERY]


def _query(request: HttpRequest) -> str:
    return _text(request.GET.get("q"))


def _no_filters(request: HttpRequest) -> dict[str, None]:
    return {name: None for name in request.GET if name.startswith(LABEL_PREFIX)}


def _address(request: HttpRequest, **changes: Any) -> str:
    """Return this page's address from its first row on, with some of the question changed or taken away."""
    params = request.GET.copy()
    for name in PASSING:
        params.pop(name, None)
    for name, value in changes.items():
        params.pop(name, None)
        if value is not None:
            params[name] = str(value)
    return f"{request.path}?{params.urlencode()}" if params else request.path
