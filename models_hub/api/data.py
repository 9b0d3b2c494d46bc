"""/api/v1/datasets/…/splits, /rows and /statistics: what the page of a data set shows of its rows."""

from collections.abc import Callable, Mapping
from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from models_hub import browsing, permissions
from models_hub.api.pages import HubView, address_of
from models_hub.models import DEFAULT_BRANCH, Commit, Repo
from models_hub.tables import looking, reading, splits, texts
from models_hub.tables.looking import Asked, Table
from models_hub.tables.reading import Source
from models_hub.tables.splits import Config, Split
from portal.api.reserved_names import ReservedNames
from portal.api.schema import query
from portal.errors import InvalidInput, NotFound

REVISION = query("revision", str, "A branch, tag or commit; `main` without it.")
PLACE = [
    REVISION,
    query("config", str, "A configuration; the first without it."),
    query("split", str, "A split; the first without it."),
]


class DataSplitShape(serializers.Serializer[None]):
    """One split and the files that hold it."""

    config = serializers.CharField()
    split = serializers.CharField()
    files = serializers.ListField(child=serializers.CharField())


class DataSplitsShape(serializers.Serializer[None]):
    """The splits of all configurations, in order."""

    splits = DataSplitShape(many=True)


class DataRowShape(serializers.Serializer[None]):
    """One row; `row_idx` counts from 0."""

    row_idx = serializers.IntegerField()
    row = serializers.DictField()


class DataRowsShape(ReservedNames):
    """Rows of a split. `partial`: only its first rows were read, and searched."""

    config = serializers.CharField()
    split = serializers.CharField()
    num_rows_total = serializers.IntegerField()
    num_rows_found = serializers.IntegerField(help_text="How many rows hold what was asked for.")
    found_is_exact = serializers.BooleanField(help_text="False: there may be more, the time ran out.")
    partial_ = serializers.BooleanField()
    rows = DataRowShape(many=True)
    next = serializers.URLField(allow_null=True)


class DataLabelShape(serializers.Serializer[None]):
    """How often a label occurs; `name` is what the card calls it."""

    value = serializers.CharField()
    name = serializers.CharField()
    count = serializers.IntegerField()


class DataHistogramShape(serializers.Serializer[None]):
    """Counts between edges, of which there is one more."""

    edges = serializers.ListField(child=serializers.FloatField())
    counts = serializers.ListField(child=serializers.IntegerField())


class DataSummaryShape(serializers.Serializer[None]):
    """Of numbers, or of lengths; `std` is that of a sample."""

    count = serializers.IntegerField()
    min = serializers.FloatField()
    max = serializers.FloatField()
    mean = serializers.FloatField(allow_null=True)
    median = serializers.FloatField()
    std = serializers.FloatField(allow_null=True)
    histogram = DataHistogramShape(allow_null=True)


class DataColumnShape(serializers.Serializer[None]):
    """What was counted of one column."""

    name = serializers.CharField()
    type = serializers.CharField()
    missing = serializers.IntegerField()
    distinct = serializers.IntegerField()
    numbers = DataSummaryShape(allow_null=True)
    lengths = DataSummaryShape(allow_null=True, help_text="Characters of texts, or items of lists.")
    labels = DataLabelShape(many=True, allow_null=True)


class DataStatisticsShape(ReservedNames):
    """What was counted of a split, and what is wrong with its files."""

    config = serializers.CharField()
    split = serializers.CharField()
    num_rows = serializers.IntegerField()
    duplicates = serializers.IntegerField(help_text="Rows that are like an earlier one in everything.")
    partial_ = serializers.BooleanField()
    columns = DataColumnShape(many=True)
    notes = serializers.ListField(child=serializers.CharField())


class Splits(HubView):
    @extend_schema(parameters=[REVISION], responses=DataSplitsShape)
    def get(self, request: Request, kind: str, namespace: str, name: str) -> Response:
        """List configurations and splits, as the card or the names of files tell them."""
        repo = self.repo(request, kind, namespace, name)
        commit = _commit(repo, request)
        found = [
            {"config": config.name, "split": split.name, "files": split.paths}
            for config in splits.configs_of(repo, commit)
            for split in config.splits
        ]
        return Response({"splits": found})


class Rows(HubView):
    @extend_schema(
        parameters=[
            *PLACE,
            query("offset", int, "The number of the first row, from 0."),
            query("length", int, "How many rows, at most 100."),
            query("query", str, "Words that a row must hold, in any case."),
            query("where", str, "`column:value`, for a column of labels; may be repeated.", many=True),
        ],
        responses=DataRowsShape,
    )
    def get(self, request: Request, kind: str, namespace: str, name: str) -> Response:
        """Read rows, all of them or those that hold words and labels."""
        return _answer(self.repo(request, kind, namespace, name), request, _rows)


class Statistics(HubView):
    @extend_schema(parameters=PLACE, responses=DataStatisticsShape)
    def get(self, request: Request, kind: str, namespace: str, name: str) -> Response:
        """Read what was counted of each column."""
        return _answer(self.repo(request, kind, namespace, name), request, _statistics)


def _commit(repo: Repo, request: Request) -> Commit:
    return browsing.resolve_revision(repo, request.query_params.get("revision") or DEFAULT_BRANCH)


def _answer(repo: Repo, request: Request, made: Callable[[Request, Config, Table], Mapping[str, Any]]) -> Response:
    permissions.require_download(request.user, repo)
    commit = _commit(repo, request)
    config, split = _split(repo, commit, request)
    source = Source(repo, splits.entries_of(repo, commit, split), config.delimiter)
    with looking.opened(reading.table_of(source)) as table:
        partial = not table.facts["is_whole"]
        answer = {"config": config.name, "split": split.name, "partial": partial, **made(request, config, table)}
    return Response(answer)


def _split(repo: Repo, commit: Commit, request: Request) -> tuple[Config, Split]:
    values = request.query_params
    wanted = values.get("config")
    for config in splits.configs_of(repo, commit):
        split = config.split(values.get("split")) if wanted in (None, config.name) else None
        if split is not None:
            return config, split
    raise NotFound(_("This data set has no such split."))


def _rows(request: Request, config: Config, table: Table) -> Mapping[str, Any]:
    asked = _asked(request, table)
    length = _number(request, "length", looking.PAGE_ROWS)
    page = table.page(asked, start=_number(request, "offset", 0), size=length)
    found = table.found(asked)
    names = [str(column["name"]) for column in table.columns]
    return {
        "num_rows_total": table.count,
        "num_rows_found": found.count,
        "found_is_exact": found.is_exact,
        "rows": [
            {"row_idx": row.number, "row": {name: _cell(row.cells, place) for place, name in enumerate(names)}}
            for row in page.rows
        ],
        "next": None if page.next is None else address_of(request, {"offset": str(page.next)}),
    }


def _cell(cells: list[Any], place: int) -> Any:
    return cells[place] if place < len(cells) else None


def _asked(request: Request, table: Table) -> Asked:
    labels: dict[int, str] = {}
    for condition in request.query_params.getlist("where"):
        column, _colon, value = condition.partition(":")
        place = table.place_of(column)
        if place is None:
            raise InvalidInput(_("“%(column)s” is no column of labels.") % {"column": column[:100]})
        labels[place] = value
    return Asked(request.query_params.get("query", "").replace("\x00", "")[:200], labels)


def _number(request: Request, name: str, default: int) -> int:
    text = request.query_params.get(name, "")
    if text and not (text.isascii() and text.isdigit() and len(text) < 12):
        raise InvalidInput(_("“%(name)s” must be a whole number.") % {"name": name})
    return int(text) if text else default


def _statistics(_request: Request, config: Config, table: Table) -> Mapping[str, Any]:
    facts = table.facts
    return {
        "num_rows": table.count,
        "duplicates": facts["duplicates"],
        "columns": [_column(column, config.class_names.get(str(column["name"]), {})) for column in table.columns],
        "notes": [texts.note_text(note) for note in facts["notes"]],
    }


def _column(column: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    kept = {name: column[name] for name in ("name", "type", "missing", "distinct", "numbers")}
    labels = [
        {"value": value, "name": names.get(str(value), value), "count": count}
        for value, count in column["labels"] or []
    ]
    return {**kept, "lengths": column["sizes"], "labels": labels or None}
