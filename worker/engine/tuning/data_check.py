"""What is wrong with training data, as codes and numbers: pages say it in the reader's words. Imports no torch."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from worker.engine.measures.entities import OUTSIDE
from worker.engine.perturbing.scripts import script_of
from worker.engine.tuning.arranged_rows import Line, Part, Source
from worker.engine.tuning.question_texts import normalised, texts_in
from worker.engine.tuning.splitting import labels_of

Finding = dict[str, Any]
Parts = Mapping[str, Sequence[Line]]

SHOWN_LINES = 20
SHOWN_LABELS = 20
FEW_ROWS = 50
FEW_OF_LABEL = 5
IMBALANCED = 5.0
# About 500 tokens, where most models end.
LONG = {"latin": 2000, "han": 600, "other": 1500}
SAMPLE = 50


def findings_of(source: Source, parts: Parts) -> list[Finding]:
    """Return everything that is to be said of the rows, the worst first."""
    found = [
        *_left_out(source),
        *_size(parts),
        *_labels(source, parts),
        *_repeated(parts),
        *_leaks(parts),
        *_conflicts(source, parts),
        *_long(source, parts),
    ]
    order = {"error": 0, "warning": 1, "info": 2}
    return sorted(found, key=lambda finding: order[finding["severity"]])


def label_counts(parts: Parts) -> dict[str, dict[str, int]]:
    """Return how often each part has each label."""
    return {
        name: dict(sorted(Counter(label for line in lines for label in labels_of(line.gold)).items()))
        for name, lines in parts.items()
    }


def imbalance_of(counts: Mapping[str, int]) -> float | None:
    """Return how many times as frequent the most frequent label is as the rarest."""
    return round(max(counts.values()) / max(1, min(counts.values())), 2) if len(counts) > 1 else None


def character_lengths(parts: Parts) -> dict[str, int]:
    """Return how long questions are, in characters."""
    lengths = [sum(map(len, texts_in(line.question))) for lines in parts.values() for line in lines]
    if not lengths:
        return {}
    return {**{f"p{share}": int(np.percentile(lengths, share)) for share in (50, 95, 99)}, "longest": max(lengths)}


def _left_out(source: Source) -> Iterator[Finding]:
    severities = {"empty_texts": "warning", "empty_labels": "warning", "unreadable": "warning"}
    for code, severity in severities.items():
        places = [(part, n) for part in source.parts.values() for n in part.skipped.get(code, [])]
        if places:
            messages = [part.messages[code] for part in source.parts.values() if part.messages.get(code)]
            yield _finding(code, severity, places, count=len(places), **({"example": messages[0]} if messages else {}))
    for part in source.parts.values():
        lost = sum(map(len, part.skipped.values()))
        if part.read and 2 * lost > part.read:
            yield {"code": "too_many_empty", "severity": "error", "part": part.name, "count": lost, "of": part.read}
        if numbers := part.skipped.get("unknown_labels"):
            labels = [label for label, _count in part.unknown.most_common(SHOWN_LABELS)]
            places = [(part, number) for number in numbers]
            yield _finding("unknown_labels", "warning", places, count=len(numbers), part=part.name, labels=labels)


def _size(parts: Parts) -> Iterator[Finding]:
    count = len(parts["train"])
    if count < FEW_ROWS:
        yield {"code": "few_rows", "severity": "warning" if count >= 2 else "error", "count": count}


def _labels(source: Source, parts: Parts) -> Iterator[Finding]:
    counts = label_counts(parts)
    learned = counts["train"]
    if not learned:
        return
    if len(learned) == 1 and source.task.name != "multi-label-classification":
        yield {"code": "one_label", "severity": "error", "labels": list(learned)}
        return
    # Nearly every word of a sentence is outside of entities; that is no fault.
    compared = {label: count for label, count in learned.items() if label != OUTSIDE}
    ratio = imbalance_of(compared)
    if ratio is not None and ratio >= IMBALANCED:
        yield {"code": "imbalance", "severity": "warning", "ratio": ratio}
    rare = sorted(label for label, count in compared.items() if count < FEW_OF_LABEL)
    if rare:
        yield {
            "code": "rare_labels", "severity": "warning", "count": len(rare), "least": FEW_OF_LABEL,
            "labels": rare[:SHOWN_LABELS],
        }  # fmt: skip
    for part, own in counts.items():
        if part != "train" and parts[part] and (missing := sorted(set(compared) - set(own))):
            yield {
                "code": "missing_labels", "severity": "info", "part": part, "labels": missing[:SHOWN_LABELS],
                "count": len(missing),
            }  # fmt: skip


def _repeated(parts: Parts) -> Iterator[Finding]:
    exact: list[Line] = []
    near: list[Line] = []
    for lines in parts.values():
        seen: set[str] = set()
        folded: set[str] = set()
        for line in lines:
            text = _whole(line)
            key = normalised(text)
            if text in seen:
                exact.append(line)
            elif key in folded:
                near.append(line)
            seen.add(text)
            folded.add(key)
    for code, found in (("duplicates", exact), ("near_duplicates", near)):
        if found:
            yield _of_lines(code, "warning" if code == "duplicates" else "info", found, count=len(found))


def _leaks(parts: Parts) -> Iterator[Finding]:
    learned: dict[str, Line] = {}
    for line in parts["train"]:
        learned.setdefault(normalised(_whole(line)), line)
    for part, lines in parts.items():
        found = [] if part == "train" else [line for line in lines if normalised(_whole(line)) in learned]
        if found:
            examples = [
                {part: line.number, "train": learned[normalised(_whole(line))].number} for line in found[:SHOWN_LINES]
            ]
            yield _of_lines("leaks", "warning", found, count=len(found), part=part, examples=examples)


def _conflicts(source: Source, parts: Parts) -> Iterator[Finding]:
    """Return texts with different labels: one of them must be wrong."""
    if "labels" not in source.settings:
        return
    answers: defaultdict[str, list[Line]] = defaultdict(list)
    for lines in parts.values():
        for line in lines:
            answers[normalised(_whole(line))].append(line)
    found = [lines for lines in answers.values() if len({json.dumps(line.gold, sort_keys=True) for line in lines}) > 1]
    if found:
        rows = [line for lines in found for line in lines]
        yield _of_lines("conflicting_labels", "warning", rows, count=len(found), rows=len(rows))


def _long(source: Source, parts: Parts) -> Iterator[Finding]:
    if not source.task.reads_text:
        return
    sample = " ".join(_whole(line)[:200] for line in parts["train"][:SAMPLE])
    limit = LONG[script_of(sample)]
    found = [line for lines in parts.values() for line in lines if len(_whole(line)) > limit]
    if found:
        yield _of_lines("long_texts", "info", found, count=len(found), limit=limit)


def _whole(line: Line) -> str:
    return "\n".join(texts_in(line.question))


def _of_lines(code: str, severity: str, lines: Sequence[Line], **values: Any) -> Finding:
    shown = [line.number if line.part == "train" else f"{line.part} {line.number}" for line in lines[:SHOWN_LINES]]
    return {"code": code, "severity": severity, **values, "lines": shown}


def _finding(code: str, severity: str, places: Sequence[tuple[Part, int]], **values: Any) -> Finding:
    shown = [number if part.name == "train" else f"{part.name} {number}" for part, number in places[:SHOWN_LINES]]
    return {"code": code, "severity": severity, **values, "lines": shown}
