"""Results of other boards, brought here with the address where they stand. They are shown as such and never ranked."""

import csv
import datetime
import io
import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django.db import transaction
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from leaderboard import permissions
from leaderboard.models import ImportedResult, Suite
from leaderboard.models.imported import MAX_ADDRESS, MAX_TEXT
from models_hub import stated_scores
from models_hub.models import Repo
from portal.errors import InvalidInput, NotAllowed, SignInRequired
from portal.models import Asker, Event, User

MAX_FILE_BYTES = 200_000
MAX_ROWS = 200  # of a file, and of a model
COLUMNS = ("board", "url", "task", "metric", "value", "date")
NEEDED = ("board", "url", "task", "metric", "value")
_ADDRESS = re.compile(r"https?://[^\s\"'<>\\]+\Z")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


@dataclass(frozen=True, kw_only=True)
class Found:
    """One result of another board: what was measured there, in which metric, and what came out."""

    board: str
    url: str
    task: str
    metric: str
    value: float
    date: datetime.date | None = None


def found_of(values: Mapping[str, Any]) -> Found:
    """Read one result as people and files give it; InvalidInput says which field is wrong."""
    texts = {name: " ".join(_CONTROL.sub(" ", str(values.get(name) or "")).split()) for name in COLUMNS}
    for name in NEEDED:
        if not texts[name]:
            raise _bad(name, _("“%(name)s” is missing.") % {"name": name})
    for name in ("board", "task", "metric"):
        if len(texts[name]) > MAX_TEXT:
            raise _bad(name, _("“%(name)s” has more than %(max)d characters.") % {"name": name, "max": MAX_TEXT})
    if len(texts["url"]) > MAX_ADDRESS or not _is_address(texts["url"]):
        raise _bad("url", _("“url” must be the address of a page, beginning with https:// or http://."))
    day = _day(texts["date"])
    if texts["date"] and day is None:
        raise _bad("date", _("“date” must be a day such as 2026-03-31."))
    words = {name: texts[name] for name in ("board", "url", "task", "metric")}
    return Found(**words, value=_value(values["value"], texts["value"]), date=day)


def read_file(name: str, content: bytes) -> list[Found]:
    """Read a CSV file with a head of COLUMNS, or JSON: a list of such objects; an error names the row."""
    if len(content) > MAX_FILE_BYTES:
        raise InvalidInput(_("The file is larger than %(max)d kB.") % {"max": MAX_FILE_BYTES // 1000})
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidInput(_("The file must be text in UTF-8.")) from error
    rows = _of_json(text) if name.lower().endswith(".json") else _of_csv(text)
    found = []
    for number, row in enumerate(rows, start=1):
        if number > MAX_ROWS:
            raise InvalidInput(_("A file may hold at most %(max)d results.") % {"max": MAX_ROWS})
        try:
            found.append(found_of(row))
        except InvalidInput as error:
            text = _("Result %(number)d: %(why)s") % {"number": number, "why": error.message}
            raise InvalidInput(text, data={"row": number, **error.data}) from error
    if not found:
        raise InvalidInput(_("The file holds no results."))
    return found


def in_card(model: Repo) -> list[Found]:
    """Return what the card’s `model-index` states with the address of another board."""
    found = []
    for score in stated_scores.of_card(model.card):
        values = {
            "board": score.source_name or urlsplit(score.source).hostname,
            "url": score.source,
            "task": f"{score.dataset} {score.task}",
            "metric": score.metric,
            "value": score.value,
        }
        try:
            found.append(found_of({key: _cut(value) for key, value in values.items()}))
        except InvalidInput:  # without an address it is what the authors state, and shown as that
            continue
    return found


def enter(model: Repo, results: Iterable[Found], *, by: Asker, suite: Suite | None = None) -> int:
    """Keep results of a model; one that stands at the same address with the same task and metric is replaced."""
    user = _require_writer(by, model)
    rows = list(results)
    with transaction.atomic():
        # The row of the model is held, so that two at a time stay within the limit together.
        Repo.objects.select_for_update().get(pk=model.pk)
        for one in rows:
            ImportedResult.objects.update_or_create(
                model=model, url=one.url, task=one.task, metric=one.metric,
                defaults={"board": one.board, "value": one.value, "date": one.date, "suite": suite, "entered_by": user},
            )  # fmt: skip
        if ImportedResult.objects.filter(model=model).count() > MAX_ROWS:
            raise InvalidInput(_("A model may have at most %(max)d results of other boards.") % {"max": MAX_ROWS})
        Event.record("result.imported", subject=f"repo:{model.pk}", by=user, count=len(rows))
    return len(rows)


def remove(result: ImportedResult, *, by: Asker) -> None:
    """Take a result away again."""
    user = _require_writer(by, result.model)
    with transaction.atomic():
        Event.record("result.removed", subject=f"repo:{result.model_id}", by=user, url=result.url)
        result.delete()


def said_of(count: int) -> str:
    """Say how many were kept."""
    text = ngettext(
        "%(n)d result is shown now, marked as not verified here.",
        "%(n)d results are shown now, marked as not verified here.",
        count,
    )
    return text % {"n": count}


def _require_writer(by: Asker, model: Repo) -> User:
    if not isinstance(by, User):
        raise SignInRequired(_("Sign in to add results."))
    if not permissions.can_import(by, model):
        raise NotAllowed(_("Only those who may write to a model, and moderators, can add results of other boards."))
    return by


def _of_csv(text: str) -> Iterator[dict[str, Any]]:
    reader = csv.DictReader(io.StringIO(text))
    try:
        missing = [name for name in NEEDED if name not in (reader.fieldnames or ())]
        if missing:
            names = ", ".join(missing)
            raise InvalidInput(_("The first line must name the columns. Missing: %(names)s") % {"names": names})
        yield from reader
    except csv.Error as error:
        raise InvalidInput(_("The file is no proper CSV.")) from error


def _of_json(text: str) -> Iterator[dict[str, Any]]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidInput(_("The file is no proper JSON.")) from error
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise InvalidInput(_("The file must hold a list of objects."))
    yield from value


def _value(given: Any, text: str) -> float:
    try:
        number = math.nan if isinstance(given, bool) else float(text.removesuffix("%"))
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise _bad("value", _("“value” must be a number."))
    return number


def _is_address(text: str) -> bool:
    try:
        return bool(_ADDRESS.match(text) and urlsplit(text).hostname)
    except ValueError:
        return False


def _day(text: str) -> datetime.date | None:
    try:
        return parse_date(text)
    except ValueError:
        return None


def _cut(value: Any) -> Any:
    return value.strip()[:MAX_TEXT] if isinstance(value, str) and "://" not in value else value


def _bad(name: str, text: str) -> InvalidInput:
    return InvalidInput(text, data={"key": name})
