"""JSON to dataclass, strictly: unknown keys, missing keys and wrong types are errors that name the key."""

import json
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, NoReturn, TypeVar, Union, get_args, get_origin, get_type_hints

from worker.engine.contracts import EngineError, ErrorCode

T = TypeVar("T")


def parse_json(text: str | bytes) -> Any:
    """Parse JSON, refusing the NaN and Infinity that Python would otherwise let through, and doubled keys."""
    return json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=_unique_pairs)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _unique_pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("a key is given twice")
    return value


def read_json_object(path: Path, *, limit: int, code: ErrorCode) -> dict[str, Any]:
    """Return the JSON object in a small file; whatever is wrong with the file is one typed error."""
    try:
        with path.open("rb") as file:
            raw = file.read(limit + 1)
        if len(raw) > limit:
            raise EngineError(code, f"{path.name} is larger than {limit} bytes")
        value = parse_json(raw.decode("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise EngineError(code, f"{path.name} cannot be read as JSON: {str(error)[:200]}") from error
    if not isinstance(value, dict):
        raise EngineError(code, f"{path.name} must hold a JSON object")
    return value


def decode(cls: type[T], value: Any, *, where: str = "spec") -> T:
    """Build a dataclass from parsed JSON."""
    if not isinstance(value, dict):
        raise EngineError("bad_spec", f"{where} must be an object")
    assert is_dataclass(cls)
    hints = get_type_hints(cls)
    known = {field.name: field for field in fields(cls)}
    if unknown := sorted(set(value) - set(known)):
        raise EngineError("bad_spec", f"{where} has unknown keys: {', '.join(unknown)[:200]}")
    required = [n for n, f in known.items() if f.default is MISSING and f.default_factory is MISSING]
    if missing := [name for name in required if name not in value]:
        raise EngineError("bad_spec", f"{where} lacks: {', '.join(missing)}")
    return cls(**{name: _checked(item, hints[name], f"{where}.{name}") for name, item in value.items()})


def _checked(value: Any, hint: Any, where: str) -> Any:
    origin = get_origin(hint)
    if origin in (Union, UnionType):
        if value is None and NoneType in get_args(hint):
            return None
        return _checked(value, next(arm for arm in get_args(hint) if arm is not NoneType), where)
    if origin is Literal:
        if value in get_args(hint) and not isinstance(value, bool):
            return value
        raise EngineError("bad_spec", f"{where} must be one of: {', '.join(map(str, get_args(hint)))}")
    if origin is list and isinstance(value, list):
        return [_checked(item, get_args(hint)[0], f"{where}[{i}]") for i, item in enumerate(value)]
    if origin is dict and isinstance(value, dict):
        return {key: _checked(item, get_args(hint)[1], f"{where}.{key}") for key, item in value.items()}
    if is_dataclass(hint) and isinstance(hint, type):
        return decode(hint, value, where=where)
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    # bool is a subclass of int in Python, and "threads": true is a mistake. What may be Any is checked by whoever
    # knows more of it, as a task does of its settings.
    if hint is Any or (isinstance(hint, type) and type(value) is hint):
        return value
    raise EngineError("bad_spec", f"{where} must be {getattr(origin or hint, '__name__', hint)}")
