"""Folders of data sets as they are published: the rows as they are, a card with where they are from, a benchmark.

The rows lie in `<data>/<tier>/<name>/{train,dev,test}.jsonl`; `<data>/datasets.json` says their licence and source.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import yaml

from demo.errors import DemoFailed
from demo.files import write_text
from demo.showcase.world import SetPlan

SPLITS = ("train", "dev", "test")
# Licences as cards name them; of others the card says what is written in the list of the data.
LICENSES = {
    "CC BY 4.0": "cc-by-4.0", "CC BY 3.0": "cc-by-3.0", "CC BY-SA 4.0": "cc-by-sa-4.0", "CC BY-SA 3.0": "cc-by-sa-3.0",
    "CC BY 2.0 FR": "cc-by-2.0", "Apache-2.0": "apache-2.0", "MIT": "mit",
}  # fmt: skip
LABELLED = frozenset({"text-classification", "text-pair-classification", "multi-label-classification"})


@dataclass(frozen=True)
class Source:
    """What the list of the data says of one set."""

    name: str
    folder: Path
    language: str
    license: str
    license_note: str
    citation: str
    notes: tuple[str, ...]
    repositories: tuple[str, ...]

    @property
    def splits(self) -> list[str]:
        return [split for split in SPLITS if (self.folder / f"{split}.jsonl").is_file()]

    def rows(self, split: str) -> Iterator[dict[str, Any]]:
        with (self.folder / f"{split}.jsonl").open(encoding="utf-8") as lines:
            yield from map(json.loads, lines)


def read_sources(data: Path) -> dict[str, Source]:
    """Read the list of the data; raises DemoFailed where there is none."""
    path = data / "datasets.json"
    if not path.is_file():
        raise DemoFailed(f"There is no {path}: name the folder that holds datasets.json with --data.")
    listed = json.loads(path.read_text(encoding="utf-8"))
    entries = listed["datasets"] if isinstance(listed, dict) else listed
    return {entry["name"]: _source(data, entry) for entry in entries}


def build_set(plan: SetPlan, source: Source, folder: Path) -> Path:
    """Write the folder of a set, the same bytes every time, and return it."""
    for split in source.splits:
        rows = source.rows(split) if split != "test" else _asked(plan, source)
        text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        write_text(folder / "data" / f"{split}.jsonl", text)
    write_text(folder / "README.md", _card(plan, source))
    write_text(folder / "eval.yaml", yaml.safe_dump(definition(plan, source), sort_keys=False, allow_unicode=True))
    return folder


def definition(plan: SetPlan, source: Source) -> dict[str, Any]:
    """Return the eval.yaml of a set."""
    found: dict[str, Any] = {
        "version": 1,
        "name": plan.title,
        "name_zh": plan.title_zh,
        "task": plan.task,
        "split": {"path": "data/test.jsonl"},
        "license": source.license,
    }
    if plan.fields:
        found["fields"] = plan.fields
    if plan.task in LABELLED or plan.task == "token-classification":
        found["labels"] = labels_of(plan, source)
    if plan.primary:
        found["primary"] = plan.primary
    if plan.max_length:
        found["max_length"] = plan.max_length
    if plan.before_text is not None:
        found["before_text"] = plan.before_text
    if not plan.robustness:
        found["robustness"] = False
    return found


def labels_of(plan: SetPlan, source: Source) -> list[str]:
    """Return every label that some row bears; of tags, O first and each kind with its B and I."""
    column = {"multi-label-classification": "labels", "token-classification": "tags"}.get(plan.task, "label")
    values = [row[column] for split in source.splits for row in source.rows(split)]
    found = {label for value in values for label in (value if isinstance(value, list) else [value])}
    if plan.task != "token-classification":
        return sorted(found)
    kinds = sorted({tag.partition("-")[2] for tag in found} - {""})
    return ["O", *(f"{place}-{kind}" for kind in kinds for place in "BI")]


def _asked(plan: SetPlan, source: Source) -> Iterator[dict[str, Any]]:
    """Yield the test rows that are asked, evenly spread where they are not all."""
    rows = list(source.rows("test"))
    if plan.rows is None or plan.rows >= len(rows):
        yield from rows
        return
    step = len(rows) / plan.rows
    yield from (rows[int(place * step)] for place in islice(range(plan.rows), plan.rows))


def _source(data: Path, entry: dict[str, Any]) -> Source:
    sources = entry.get("sources", ())
    return Source(
        name=entry["name"],
        folder=data / entry["tier"] / entry["name"],
        language=entry["lang"],
        license=LICENSES.get(entry["licence"], "other"),
        license_note=entry["licence"],
        citation=entry.get("citation", ""),
        notes=tuple(entry[key] for key in ("split_note", "note") if entry.get(key)),
        repositories=tuple(f"{one['repo']} at {one['commit']}" for one in sources if one.get("commit")),
    )


def _card(plan: SetPlan, source: Source) -> str:
    languages = [source.language] if source.language in ("en", "zh") else ["en", "zh"]
    facts = {
        "license": source.license,
        "language": languages,
        "task_categories": [plan.task],
        "pretty_name": plan.title,
    }
    counts = ", ".join(f"{_count(plan, source, split)} rows of {split}" for split in source.splits)
    told = [f"Licence: {source.license_note}"]
    told += [f"Cite: {source.citation}"] if source.citation else []
    told += [f"Source: {one}" for one in source.repositories]
    told += [f"{note.strip()[:1].upper()}{note.strip()[1:]}" for note in source.notes]
    if plan.rows:
        told.append("Of the test rows some are left out, evenly spread, so that small machines are done with it soon.")
    head = yaml.safe_dump(facts, sort_keys=False, allow_unicode=True)
    body = f"# {plan.title}\n\nThe set `{source.name}`, as JSON lines: {counts}.\n\n"
    return f"---\n{head}---\n\n{body}" + "".join(f"- {line}\n" for line in told)


def _count(plan: SetPlan, source: Source, split: str) -> int:
    return sum(1 for _row in (_asked(plan, source) if split == "test" else source.rows(split)))
