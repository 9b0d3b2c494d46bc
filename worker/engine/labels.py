"""From the labels of a model to the labels of a benchmark: declared, exact, or equal but for case; never guessed."""

from typing import Any

from worker.engine.contracts import MAX_LABELS, EngineError

MAX_LABEL_CHARACTERS = 256
SHOWN = 12


def model_labels(config: dict[str, Any]) -> list[str]:
    """Return the labels of a config.json by position, LABEL_0 and so on where it names none."""
    names = config.get("id2label")
    if names is None:
        # transformers leaves id2label out for the default of two labels.
        count = config.get("num_labels", 2)
        if type(count) is not int or not 1 <= count <= MAX_LABELS:
            raise _bad(f"num_labels must be 1 to {MAX_LABELS}")
        return [f"LABEL_{index}" for index in range(count)]
    if not isinstance(names, dict) or not 1 <= len(names) <= MAX_LABELS:
        raise _bad(f"id2label must be an object of 1 to {MAX_LABELS} labels")
    if set(names) != {str(index) for index in range(len(names))}:
        raise _bad(f"the keys of id2label must be 0 to {len(names) - 1}")
    ordered = [names[str(index)] for index in range(len(names))]
    if not all(isinstance(name, str) and 0 < len(name) <= MAX_LABEL_CHARACTERS for name in ordered):
        raise _bad(f"each label in id2label must be text of 1 to {MAX_LABEL_CHARACTERS} characters")
    return ordered


def resolve_labels(own: list[str], wanted: list[str], declared: dict[str, str] | None) -> list[int]:
    """Return for each position of the model's output the position of the benchmark's label.

    A declared map comes first, so that its author can overrule names that only look right. Every label of the model
    must lead somewhere and every label of the benchmark must be reached: a half-mapped model would get a number that
    says nothing about it.
    """
    positions = _led(own, wanted, declared)
    if lost := [name for name, position in zip(own, positions, strict=True) if position is None]:
        raise _mismatch(own, wanted, f"No benchmark label corresponds to: {_shown(lost)}.")
    _check_reached(own, wanted, positions)
    return [position for position in positions if position is not None]


def resolve_some(own: list[str], wanted: list[str], declared: dict[str, str] | None) -> list[int | None]:
    """Return the same with None for what the benchmark does not ask for: a detector may know more kinds of things."""
    positions = _led(own, wanted, declared)
    _check_reached(own, wanted, positions)
    return positions


def _led(own: list[str], wanted: list[str], declared: dict[str, str] | None) -> list[int | None]:
    declared = declared or {}
    if unknown := sorted(set(declared) - set(own)):
        raise _mismatch(own, wanted, f"label_map names labels that the model does not have: {_shown(unknown)}.")
    if unknown := sorted(set(declared.values()) - set(wanted)):
        raise _mismatch(own, wanted, f"label_map leads to labels that the benchmark does not have: {_shown(unknown)}.")
    return [_position(declared.get(name, name), wanted) for name in own]


def _check_reached(own: list[str], wanted: list[str], positions: list[int | None]) -> None:
    if unreached := [name for index, name in enumerate(wanted) if index not in positions]:
        raise _mismatch(own, wanted, f"No model label leads to: {_shown(unreached)}.")


def _position(name: str, wanted: list[str]) -> int | None:
    if name in wanted:
        return wanted.index(name)
    folded = [label.strip().casefold() for label in wanted]
    key = name.strip().casefold()
    # "A" and "a" may both be labels of one benchmark; then only the exact name decides.
    return folded.index(key) if folded.count(key) == 1 else None


def _mismatch(own: list[str], wanted: list[str], what: str) -> EngineError:
    return EngineError(
        "label_mismatch",
        f"The labels of the model and of the benchmark do not correspond. {what} "
        f"Model: {_shown(own)}. Benchmark: {_shown(wanted)}. "
        "Name the benchmark's labels in id2label of config.json, or declare label_map with an entry for each "
        f'model label, such as {{"{own[0][:40]}": "{wanted[0][:40]}"}}.',
    )


def _shown(names: list[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(repr(name[:60]) for name in names[:SHOWN]) + more


def _bad(what: str) -> EngineError:
    return EngineError("bad_config", f"config.json cannot be used: {what}")
