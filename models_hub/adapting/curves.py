"""Curves of runs for pictures, tables and other programs."""

import struct
from collections.abc import Container, Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from models_hub.adapting import aids, following, registry, texts
from models_hub.models import Repo, Run

MAX_DRAWN = 400  # points of one line: a picture shows no more
POLYNOMIAL = 0x82F63B78  # of CRC-32C, reflected


def of(points: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the lines of a picture: {"loss": [[step, value]], "lr", "grad_norm", "dev": {name: [[step, value]]}}."""
    steps = [point for point in points if point["kind"] == "step" and "step" in point]
    looks = [point for point in points if point["kind"] == "dev" and "step" in point]
    lines = {name: _thinned(_line(steps, name)) for name in ("loss", "lr", "grad_norm", "examples_per_second")}
    scored = [{"step": look["step"], **look["metrics"]} for look in looks]
    dev = {name: _thinned(_line(scored, name)) for name in following.metric_names(looks)}
    return {**lines, "dev_loss": _thinned(_line(looks, "loss")), "dev": dev}


def last(points: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the newest numbers of a run, and its best look at the dev part."""
    found: dict[str, Any] = {}
    for point in points:
        if point["kind"] == "step":
            found |= {key: value for key, value in point.items() if key not in ("seq", "kind")}
        elif point["kind"] == "phase":
            found["phase"] = point["phase"]
        elif point["kind"] == "dev" and point["best"]:
            found["best"] = point
    return found


def differences(runs: Sequence[Run], seen: Container[int]) -> list[tuple[str, list[Any]]]:
    """Return what runs were asked for differently: the name, and a value of each run, None where it has none.

    Repositories that are in `seen` are named, others stand there with their commit alone.
    """
    tables = [_asked(run, seen) for run in runs]
    names = dict.fromkeys(name for table in tables for name in table)
    usual = {name: _in_words(option.default) for name, option in registry.options().items()}
    rows = [(name, [table.get(name, usual.get(name)) for table in tables]) for name in names]
    return [(name, values) for name, values in rows if len(set(map(str, values))) > 1]


def metric_rows(runs: Sequence[Run]) -> list[tuple[str, list[dict[str, Any]]]]:
    """Return each metric of the test part with what every run has of it."""
    tables = [run.scores.get("after", {}).get("metrics", {}) for run in runs]
    names = dict.fromkeys(name for table in tables for name in table)
    return [(name, [table.get(name, {}) for table in tables]) for name in names]


def _asked(run: Run, seen: Container[int]) -> dict[str, Any]:
    flat = {
        "base": _named(run.base, run.base_commit, seen),
        "data": _named(run.data, run.data_commit, seen),
        "seed": run.seed,
        **{role: _named(aid.repo, aid.commit, seen) for role, aid in aids.of(run).items()},
        **run.recipe,
        **run.architecture,
    }
    flat |= flat.pop("method_options", {})
    flat |= {f"harden {name}": value for name, value in flat.pop("harden_options", {}).items()}
    flat |= {f"teacher {name}": value for name, value in run.options.get("teacher", {}).items()}
    asked = {name: _in_words(value) for name, value in flat.items()}
    if method := texts.METHODS.get(str(asked.get("method", ""))):
        asked["method"] = str(method.label)
    return asked


def _named(repo: Repo | None, commit: str, seen: Container[int]) -> str:
    return f"{repo.full_name} {commit[:7]}" if repo is not None and repo.pk in seen else commit[:7]


def _in_words(value: Any) -> Any:
    """Return numbers as they are, and what else there is to choose in the reader's words."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return value if is_number or value is None else texts.choice_label(str(value))


def _line(points: Iterable[Mapping[str, Any]], name: str) -> list[list[float]]:
    return [[point["step"], point[name]] for point in points if name in point]


def _thinned(line: list[list[float]]) -> list[list[float]]:
    """Return at most MAX_DRAWN points: means of neighbours, so that no peak is drawn where there was none."""
    size = -(-len(line) // MAX_DRAWN)
    if size <= 1:
        return line
    groups = (line[start : start + size] for start in range(0, len(line), size))
    return [[group[-1][0], sum(value for _step, value in group) / len(group)] for group in groups]


def tensorboard(points: Iterable[Mapping[str, Any]], *, started: datetime) -> bytes:
    """Return an events file of TensorBoard with the scalars of a run.

    Records of TFRecord (length, its checksum, content, its checksum) with `Event` messages of
    tensorflow/core/util/event.proto: wall_time = 1 (double), step = 2, file_version = 3, summary = 5.
    """
    began = started.timestamp()
    parts = [_record(_double(1, began) + _bytes(3, b"brain.Event:2"))]
    for point in points:
        step = int(point.get("step", 0))
        scalars: dict[str, float] = {}
        if point["kind"] == "step":
            names = (
                "loss",
                "aux_loss",
                "lr",
                "grad_norm",
                "examples_per_second",
                "tokens_per_second",
                "padding",
                "rss_mb",
            )
            scalars = {f"train/{name}": point[name] for name in names if name in point}
        elif point["kind"] == "dev":
            scalars = {f"dev/{name}": value for name, value in point["metrics"].items()}
            scalars |= {"dev/loss": point["loss"]} if "loss" in point else {}
        if scalars:
            values = b"".join(_bytes(1, _bytes(1, name.encode()) + _float(2, value)) for name, value in scalars.items())
            when = began + float(point.get("seconds", 0))
            parts.append(_record(_double(1, when) + _key(2, 0) + _varint(step) + _bytes(5, values)))
    return b"".join(parts)


def _record(content: bytes) -> bytes:
    length = struct.pack("<Q", len(content))
    return length + _checksum(length) + content + _checksum(content)


def _checksum(content: bytes) -> bytes:
    table, crc = _crc_table(), 0xFFFFFFFF
    for byte in content:
        crc = table[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    crc ^= 0xFFFFFFFF
    masked = (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF
    return struct.pack("<I", masked)


@cache
def _crc_table() -> list[int]:
    table = []
    for byte in range(256):
        crc = byte
        for _bit in range(8):
            crc = (crc >> 1) ^ (POLYNOMIAL if crc & 1 else 0)
        table.append(crc)
    return table


def _key(field: int, wire: int) -> bytes:
    return _varint(field << 3 | wire)


def _varint(value: int) -> bytes:
    found = bytearray()
    while value > 127:
        found.append(value & 127 | 128)
        value >>= 7
    return bytes([*found, value])


def _bytes(field: int, content: bytes) -> bytes:
    return _key(field, 2) + _varint(len(content)) + content


def _double(field: int, value: float) -> bytes:
    return _key(field, 1) + struct.pack("<d", value)


def _float(field: int, value: float) -> bytes:
    return _key(field, 5) + struct.pack("<f", value)
