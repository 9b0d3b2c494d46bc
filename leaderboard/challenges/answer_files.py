"""Files of predictions that people send: CSV or JSON lines, checked line by line, and written as the engine reads them.

What is sent is hostile: every line, every field and the whole are bounded, and nothing is kept of a refused file.
"""

import csv
import io
import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from leaderboard.models import Challenge
from portal.errors import InvalidInput, TooLarge

MAX_BYTES = 32 * 1024**2
MAX_LINE = 256 * 1024
MAX_ANSWER = 1000  # characters of an answer found in a passage
WRITTEN, A_TOKEN = 1000, 16  # characters of a text: some, and so many for each token that a model may write
SHOWN = 20  # wrong lines that are named
LARGEST = 1e9
PLACES = 6
EVEN = 1e-3  # by how much probabilities may miss 1

Value = dict[str, Any]


class BadAnswers(InvalidInput):
    """A file of predictions that cannot be used; `data["lines"]` names its first wrong lines."""

    code = "bad_predictions"


@dataclass(frozen=True)
class Answer:
    """How one kind of answer is written: the columns of CSV, an example, and what makes the engine's row of it."""

    column: str
    example: str | Promise
    read: Callable[[Mapping[str, Any], Challenge], Value]


class _Wrong(Exception):
    """What is wrong with one line."""


def _label(row: Mapping[str, Any], challenge: Challenge) -> Value:
    scores = row.get("scores")
    if scores is None and all(label in row for label in challenge.labels):
        scores = {label: row[label] for label in challenge.labels}
    if scores is None:
        label = row.get("label")
        if not isinstance(label, str) or label not in challenge.labels:
            _wrong(_("“%(value)s” is none of the labels") % {"value": _short(label)})
        return {"label": label, "scores": {one: float(one == label) for one in challenge.labels}}
    found = _scores(scores, challenge)
    total = sum(found.values())
    if abs(total - 1) > EVEN:
        _wrong(_("the probabilities add up to %(sum)s, not to 1") % {"sum": f"{total:.4g}"})
    even = {label: round(score / total, PLACES) for label, score in found.items()}
    best = max(even, key=lambda label: even[label])
    if isinstance(row.get("label"), str) and row["label"] in even and even[row["label"]] == even[best]:
        best = row["label"]
    return {"label": best, "scores": even}


def _labels(row: Mapping[str, Any], challenge: Challenge) -> Value:
    given = row.get("labels")
    if isinstance(given, str):
        given = [label.strip() for label in given.split("|") if label.strip()]
    if not isinstance(given, list) or len(given) > len(challenge.labels):
        _wrong(_("labels must be a list"))
    for label in given:
        if not isinstance(label, str) or label not in challenge.labels:
            _wrong(_("“%(value)s” is none of the labels") % {"value": _short(label)})
    return {
        "labels": [label for label in challenge.labels if label in given],
        "scores": {label: float(label in given) for label in challenge.labels},
    }


def _value(row: Mapping[str, Any], challenge: Challenge) -> Value:
    return {"value": _number(row.get("value"), LARGEST)}


def _similarity(row: Mapping[str, Any], challenge: Challenge) -> Value:
    return {"similarity": _number(row.get("similarity"), 1.0)}


def _found(row: Mapping[str, Any], challenge: Challenge) -> Value:
    text = _text(row.get("text"), MAX_ANSWER)
    return {"text": text, "start": 0 if text else None}


def _written(row: Mapping[str, Any], challenge: Challenge) -> Value:
    longest = WRITTEN + A_TOKEN * int(challenge.settings.get("max_new_tokens", 128))
    return {"text": _text(row.get("text"), longest), "tokens": 0, "stopped": "end"}


ANSWERS: dict[str, Answer] = {
    **dict.fromkeys(
        ("text-classification", "text-pair-classification"),
        Answer("label", gettext_lazy("one of the labels; or a column for each label with its probability"), _label),
    ),
    "multi-label-classification": Answer("labels", gettext_lazy("labels with “|” between them, or none"), _labels),
    "text-regression": Answer("value", gettext_lazy("a number"), _value),
    "sentence-similarity": Answer("similarity", gettext_lazy("a number from −1 to 1"), _similarity),
    "question-answering": Answer("text", gettext_lazy("the answer, or nothing"), _found),
    **dict.fromkeys(
        ("text-generation", "translation", "summarization"), Answer("text", gettext_lazy("a text"), _written)
    ),
}


def read(challenge: Challenge, name: str, chunks: Iterable[bytes], rows: int) -> list[bytes]:
    """Return the lines that the engine reads, in the order of the ids; raises BadAnswers naming every wrong line.

    Ids are the whole numbers from 1 to `rows`; each must be there once.
    """
    raw = _collected(chunks)
    lines = _csv(raw) if name.lower().endswith(".csv") else _json_lines(raw)
    answer = ANSWERS[challenge.task]
    found: dict[int, bytes] = {}
    first: dict[int, int] = {}
    wrong: list[tuple[int, str]] = []
    for number, row in lines:
        try:
            if isinstance(row, _Wrong):
                raise row
            identity = _identity(row.get("id"), rows)
            if identity in first:
                _wrong(_("the id %(id)d was on line %(line)d already") % {"id": identity, "line": first[identity]})
            first[identity] = number
            value = {"id": str(identity), **answer.read(row, challenge)}
            found[identity] = json.dumps(value, ensure_ascii=False).encode()
        except _Wrong as error:
            wrong.append((number, str(error)))
            if len(wrong) >= SHOWN:
                break
    missing = [identity for identity in range(1, rows + 1) if identity not in first] if len(wrong) < SHOWN else []
    if wrong or missing:
        raise _refusal(wrong, missing)
    return [found[identity] + b"\n" for identity in range(1, rows + 1)]


def _refusal(wrong: list[tuple[int, str]], missing: list[int]) -> BadAnswers:
    parts = [_("line %(line)d: %(what)s") % {"line": line, "what": what} for line, what in wrong]
    if missing:
        named = ", ".join(map(str, missing[:SHOWN])) + (" …" if len(missing) > SHOWN else "")
        text = ngettext("%(n)d id is missing: %(ids)s", "%(n)d ids are missing: %(ids)s", len(missing))
        parts.append(text % {"n": len(missing), "ids": named})
    lines = [{"line": line, "error": what} for line, what in wrong]
    return BadAnswers("\n".join(parts), data={"key": "file", "lines": lines, "missing": missing[:SHOWN]})


def _collected(chunks: Iterable[bytes]) -> bytes:
    raw = bytearray()
    for chunk in chunks:
        raw += chunk
        if len(raw) > MAX_BYTES:
            raise TooLarge(
                _("The file may have at most %(max)d MiB.") % {"max": MAX_BYTES // 1024**2}, data={"key": "file"}
            )
    return bytes(raw)


def _csv(raw: bytes) -> Iterator[tuple[int, Mapping[str, Any] | _Wrong]]:
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadAnswers(_("The file is not UTF-8."), data={"key": "file"}) from error
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    header: list[str] | None = None
    while True:
        try:
            cells = next(reader, None)
        except csv.Error as error:
            yield reader.line_num, _Wrong(_("not CSV: %(why)s") % {"why": str(error)[:100]})
            return
        if cells is None:
            break
        if not cells:
            continue
        if header is None:
            header = [cell.strip() for cell in cells]
            if "id" not in header or len(set(header)) != len(header):
                raise BadAnswers(_("The first line must name the columns, “id” among them."), data={"key": "file"})
        elif len(cells) != len(header):
            text_ = _("%(found)d fields, where the first line names %(wanted)d")
            yield reader.line_num, _Wrong(text_ % {"found": len(cells), "wanted": len(header)})
        else:
            yield reader.line_num, dict(zip(header, cells, strict=True))


def _json_lines(raw: bytes) -> Iterator[tuple[int, Mapping[str, Any] | _Wrong]]:
    for number, line in enumerate(raw.removeprefix(b"\xef\xbb\xbf").split(b"\n"), start=1):
        if not line.strip():
            continue
        yield number, _json(line)


def _json(line: bytes) -> Mapping[str, Any] | _Wrong:
    if len(line) > MAX_LINE:
        return _Wrong(_("it is longer than %(max)d bytes") % {"max": MAX_LINE})
    try:
        value = json.loads(line.decode("utf-8"), parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return _Wrong(_("not JSON"))
    return value if isinstance(value, dict) else _Wrong(_("not a JSON object"))


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _identity(value: object, rows: int) -> int:
    text = str(value).strip() if isinstance(value, int | str) and not isinstance(value, bool) else ""
    if text.isascii() and text.isdigit() and len(text) < 10 and 1 <= int(text) <= rows:
        return int(text)
    return _wrong(_("“%(value)s” is no id of the questions, which go from 1 to %(rows)d")
                  % {"value": _short(value), "rows": rows})  # fmt: skip


def _scores(value: object, challenge: Challenge) -> dict[str, float]:
    if not isinstance(value, dict) or set(value) != set(challenge.labels):
        _wrong(_("there must be a probability for each label"))
    found = {label: _number(value[label], 1.0) for label in challenge.labels}
    if min(found.values()) < 0:
        _wrong(_("a probability is below 0"))
    return found


def _number(value: object, most: float) -> float:
    try:
        found = float(value) if isinstance(value, int | float | str) and not isinstance(value, bool) else math.nan
    except (ValueError, OverflowError):
        found = math.nan
    if not math.isfinite(found) or abs(found) > most:
        _wrong(_("“%(value)s” is no number of at most %(most)g") % {"value": _short(value), "most": most})
    return found


def _text(value: object, longest: int) -> str:
    if not isinstance(value, str):
        _wrong(_("there is no text"))
    try:
        value.encode()
    except UnicodeEncodeError:
        _wrong(_("the text cannot be written as UTF-8"))
    if len(value) > longest:
        _wrong(_("the text is longer than %(max)d characters") % {"max": longest})
    return value


def _short(value: object) -> str:
    return str(value)[:40] if isinstance(value, str | int | float) else "…"


def _wrong(what: str) -> NoReturn:
    raise _Wrong(what)
