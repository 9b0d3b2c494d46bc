"""The definitions of well-known sets, read from `definitions/` once."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parent / "definitions"


@dataclass(frozen=True, kw_only=True)
class Source:
    """One published form of the rows: which files, how they are read, and what becomes of a record."""

    files: tuple[str, ...]
    reader: str
    row: Mapping[str, Any]
    options: Mapping[str, Any] = field(default_factory=dict)
    # What must stand in a column, for files that hold more than this set.
    where: Mapping[str, str] = field(default_factory=dict)
    # A name in `preparing.PREPARATIONS`.
    prepare: str = ""
    # A file that goes with each of `files`: its line of the same number, or its whole document, is the value `beside`.
    beside: str = ""
    # Files of the same form with rows that a prompt may show; a set without them is asked without examples.
    examples: tuple[str, ...] = ()
    # The name under which a record holds that of its file, without folder, ending and split: a subject, mostly.
    file_column: str = ""
    # The data set repository on the Hugging Face Hub that holds these files.
    hub: str = ""
    # The collection and the judgements of a set to be searched, whose queries `files` are.
    corpus: "Source | None" = None
    judgements: "Source | None" = None

    @property
    def parts(self) -> tuple["Source", ...]:
        """The files of rows, and those that belong to them."""
        return (self, *(part for part in (self.corpus, self.judgements) if part is not None))


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A set that one can make a benchmark of."""

    name: str
    title: str
    title_zh: str
    task: str
    languages: tuple[str, ...]
    description: str
    description_zh: str
    homepage: str
    citation: str
    # An identifier of models_hub/licences.toml, "unknown" where none is stated, "other" with `license_note`.
    license: str
    license_note: str = ""
    # Whether the answers of the rows that are imported are public, and which split of the publishers these are.
    test_is_public: bool = True
    split: str
    labels: tuple[str, ...] = ()
    primary: str
    metrics: tuple[str, ...] = ()
    chance: float | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    # How many examples a prompt shows by custom, where the files with examples are there.
    shots: int = 0
    family: str = ""
    sources: tuple[Source, ...]


@cache
def entries() -> dict[str, Entry]:
    """Return every definition by its name, the families in the order of their files."""
    found: dict[str, Entry] = {}
    for path in sorted(FOLDER.glob("*.yaml")):
        document = yaml.safe_load(path.read_text("utf-8"))
        for value in document["sets"]:
            entry = _entry({**document.get("shared", {}), **value})
            if entry.name in found:
                raise ValueError(f"{entry.name} is defined twice")
            found[entry.name] = entry
    return found


def _entry(value: dict[str, Any]) -> Entry:
    made: dict[str, Any] = {key: tuple(given) if isinstance(given, list) else given for key, given in value.items()}
    return Entry(**{**made, "sources": tuple(_source(source) for source in value["sources"])})


def _source(value: dict[str, Any]) -> Source:
    parts: dict[str, Any] = {name: _source(value[name]) for name in ("corpus", "judgements") if name in value}
    lists: dict[str, Any] = {name: tuple(value[name]) for name in ("files", "examples") if name in value}
    made: dict[str, Any] = {**value, **parts, **lists}
    return Source(**made)
