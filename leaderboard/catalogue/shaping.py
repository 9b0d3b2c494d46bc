"""A record as it was published to a row of ours, column by column, as its definition says.

A column is the name of a value (`question.stem`, `choices.*.text`), or a mapping: `from` names the value, `list` or
`join` several of them, `as` says how it is read, `map` gives each value another name, `drop` leaves a row out.
"""

import base64
import re
from collections.abc import Callable, Mapping
from typing import Any

from leaderboard.catalogue.refusals import ImportRefused, shown

Record = Mapping[str, Any]

# A line of a benchmark holds a mebibyte; base64 makes four bytes of three.
MAX_IMAGE_BYTES = 700_000
IMAGES = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"RIFF")
MAX_PIXEL = 255


class LeftOut(Exception):
    """The row has no answer that anybody could be asked for, and its publishers say so."""


def shaped(record: Record, columns: Mapping[str, Any]) -> dict[str, Any]:
    """Return the row; raises LeftOut or ImportRefused."""
    return {name: _column(record, name, how) for name, how in columns.items()}


def _column(record: Record, name: str, how: Any) -> Any:
    if isinstance(how, str):
        return as_text(found(record, how))
    if "value" in how:
        return how["value"]
    if "list" in how:
        values = [found(record, path, None) for path in how["list"]]
        return [as_text(value) for value in values if value not in (None, "")]
    if "join" in how:
        parts = [as_text(found(record, path, "")) for path in how["join"]]
        return how.get("with", " ").join(part for part in parts if part.strip())
    value = found(record, how["from"])
    if value in how.get("drop", ()):
        raise LeftOut
    value = WAYS[how.get("as", "text")](value, how, record)
    if "map" not in how:
        return value
    return [_mapped(each, how, name) for each in value] if isinstance(value, list) else _mapped(value, how, name)


def _mapped(value: Any, how: Mapping[str, Any], name: str) -> Any:
    key = value if isinstance(value, str) else as_text(value)
    names = how["map"]
    if key not in names:
        raise ImportRefused("unknown_value", column=name, value=shown(key))
    return names[key]


_MISSING: Any = object()


def found(record: Any, path: str, default: Any = _MISSING) -> Any:
    """Return a value by its path; `*` stands for every item of a list."""
    value = record
    parts = path.split(".")
    for at, part in enumerate(parts):
        if part == "*" and isinstance(value, list):
            rest = ".".join(parts[at + 1 :])
            return [found(item, rest, default) if rest else item for item in value]
        if isinstance(value, list) and part.isdecimal() and int(part) < len(value):
            value = value[int(part)]
        elif isinstance(value, Mapping) and part in value:
            value = value[part]
        elif default is not _MISSING:
            return default
        else:
            raise ImportRefused("missing_column", column=path)
    return value


def as_text(value: Any) -> str:
    """Return a single value as text; yes and no as JSON writes them."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if isinstance(value, str | int | float):
        return str(value).strip()
    raise ImportRefused("not_text", value=shown(value))


def _text(value: Any, how: Mapping[str, Any], record: Record) -> str:
    return as_text(value)


def _texts(value: Any, how: Mapping[str, Any], record: Record) -> list[str]:
    if not isinstance(value, list):
        raise ImportRefused("not_texts", value=shown(value))
    return [as_text(item) for item in value]


def _split(value: Any, how: Mapping[str, Any], record: Record) -> list[str]:
    parts = as_text(value).split(how.get("by", ","))
    return [part.strip() for part in parts if part.strip()]


def _characters(value: Any, how: Mapping[str, Any], record: Record) -> list[str]:
    return [char for char in as_text(value) if not char.isspace()]


def _number(value: Any, how: Mapping[str, Any], record: Record) -> float:
    try:
        return float(as_text(value))
    except ValueError:
        raise ImportRefused("not_a_number", value=shown(value)) from None


def _numbers(value: Any, how: Mapping[str, Any], record: Record) -> list[float]:
    return [_number(item, how, record) for item in value] if isinstance(value, list) else [_number(value, how, record)]


def _index(value: Any, how: Mapping[str, Any], record: Record) -> int:
    """Return a position counted from 0; the file may count from `first`."""
    text = as_text(value)
    if not re.fullmatch(r"-?\d{1,6}", text):
        raise ImportRefused("not_a_number", value=shown(value))
    return int(text) - int(how.get("first", 0))


def _letter(value: Any, how: Mapping[str, Any], record: Record) -> int:
    text = as_text(value)
    if len(text) != 1 or not "A" <= text <= "Z":
        raise ImportRefused("not_a_letter", value=shown(value))
    return ord(text) - ord("A")


def _position(value: Any, how: Mapping[str, Any], record: Record) -> int:
    """Return where the value stands in the list that `of` names."""
    options = [as_text(item) for item in found(record, how["of"])]
    if as_text(value) not in options:
        raise ImportRefused("not_a_choice", value=shown(value))
    return options.index(as_text(value))


def _after_hashes(value: Any, how: Mapping[str, Any], record: Record) -> str:
    """Return the number after the last “####”, without its thousands commas."""
    _solution, mark, final = as_text(value).rpartition("####")
    if not mark or not final.strip():
        raise ImportRefused("no_final_answer", value=shown(value))
    return final.strip().replace(",", "")


def _tags(value: Any, how: Mapping[str, Any], record: Record) -> list[str]:
    """Return tags in IOB2; numbers stand for the names in `names`."""
    tags = _texts(value, how, record)
    if names := how.get("names"):
        if any(not tag.isdecimal() or int(tag) >= len(names) for tag in tags):
            raise ImportRefused("unknown_value", column="tags", value=shown(tags))
        tags = [names[int(tag)] for tag in tags]
    return iob2(tags)


def iob2(tags: list[str]) -> list[str]:
    """Return IOB1, IOB2, BIOES and BMES tags as IOB2: an entity begins with B-, and goes on with I-."""
    result: list[str] = []
    before = "O"
    for tag in tags:
        if tag.upper() in ("O", ""):
            result.append("O")
        else:
            prefix, mark, kind = tag[0].upper(), tag[1:2], tag[2:]
            if prefix not in "BIESM" or mark not in ("-", "_") or not kind:
                raise ImportRefused("bad_tag", value=shown(tag))
            goes_on = prefix in "IEM" and before[1:] == f"-{kind}"
            result.append(f"I-{kind}" if goes_on else f"B-{kind}")
        # What ended an entity is not gone on with: after S- and E- the same kind begins anew.
        before = "O" if tag[:1].upper() in "ES" and result[-1] != "O" else result[-1]
    return result


def _image(value: Any, how: Mapping[str, Any], record: Record) -> str:
    """Return a PNG, JPEG or WebP file as base64; the evaluation looks into it."""
    raw = value.get("bytes") if isinstance(value, Mapping) else value
    if not isinstance(raw, bytes) or not raw.startswith(IMAGES) or len(raw) > MAX_IMAGE_BYTES:
        raise ImportRefused("not_an_image", most=MAX_IMAGE_BYTES)
    return base64.b64encode(raw).decode("ascii")


def _pixels(value: Any, how: Mapping[str, Any], record: Record) -> list[list[int]]:
    rows = [[_index(pixel, how, record) for pixel in row] for row in value]
    if not all(0 <= pixel <= MAX_PIXEL for row in rows for pixel in row):
        raise ImportRefused("not_an_image", most=MAX_IMAGE_BYTES)
    return rows


WAYS: dict[str, Callable[[Any, Mapping[str, Any], Record], Any]] = {
    "text": _text,
    "texts": _texts,
    "split": _split,
    "characters": _characters,
    "number": _number,
    "numbers": _numbers,
    "index": _index,
    "letter": _letter,
    "position": _position,
    "after_hashes": _after_hashes,
    "tags": _tags,
    "image": _image,
    "pixels": _pixels,
}
