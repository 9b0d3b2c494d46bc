"""The file that a reading leaves behind: rows by number, the words to search, labels to filter by, and the facts."""

import json
import sqlite3
from array import array
from pathlib import Path
from typing import Any

from models_hub.tables.child import cells
from models_hub.tables.child.columns import Column

FORMAT = 2
MAX_COLUMNS = 200
MAX_ROW = 400_000  # characters of JSON
MAX_IMAGES_BYTES = 256 * 1024 * 1024
BATCH = 500
SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;
CREATE TABLE rows (n INTEGER PRIMARY KEY, data TEXT NOT NULL);
CREATE TABLE words (n INTEGER PRIMARY KEY, words TEXT NOT NULL);
CREATE TABLE labels (c INTEGER, value TEXT, n INTEGER, PRIMARY KEY (c, value, n)) WITHOUT ROWID;
CREATE TABLE images (n INTEGER, i INTEGER, kind TEXT NOT NULL, body BLOB NOT NULL, PRIMARY KEY (n, i)) WITHOUT ROWID;
"""


class Table:
    """Takes rows and counts them."""

    def __init__(self, path: Path) -> None:
        self._database = sqlite3.connect(path, isolation_level=None)
        self._database.executescript("PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA temp_store=MEMORY;")
        self._database.executescript(SCHEMA)
        self._database.execute("BEGIN")
        self._pending: list[tuple[int, str, str]] = []
        self._places: dict[str, int] = {}
        self._hashes = array("Q")
        self._image_bytes = 0
        self.columns: list[Column] = []
        self.left_out: set[str] = set()
        self.count = 0

    def add(self, row: dict[str, Any], *, are_texts: bool) -> int:
        """Keep a row; returns how many characters it has."""
        values: list[Any] = [None] * len(self.columns)
        images: list[tuple[str, bytes]] = []
        for name, value in row.items():
            place = self._place(name, are_texts=are_texts)
            if place is None:
                continue
            while len(values) <= place:
                values.append(None)
            before = len(images)
            values[place] = cells.plain(value, images)
            if len(images) == before + 1:
                self.columns[place].note_image()
            self.columns[place].add(value if isinstance(value, str) else values[place])
        data = cells.dump(values)
        if len(data) > MAX_ROW:
            values = cells.shortened(values, MAX_ROW)
            data = cells.dump(values)
        self._hashes.append(hash(data) & (1 << 64) - 1)
        words = "\n".join(cells.words(values)).casefold()
        if not words.isascii():
            words = words.encode("utf-8", "replace").decode()
        self._pending.append((self.count, data, words))
        self._keep_images(images)
        self.count += 1
        if len(self._pending) >= BATCH:
            self._flush()
        return len(data) + sum(len(body) for _kind, body in images)

    def _place(self, name: str, *, are_texts: bool) -> int | None:
        """Return the number of a column, which begins where it is first met; None for one too many."""
        place = self._places.get(name)
        if place is None and len(self.columns) < MAX_COLUMNS:
            place = self._places[name] = len(self.columns)
            self.columns.append(Column(name, are_texts=are_texts))
        elif place is None and len(self.left_out) < 1_000_000:
            self.left_out.add(name)
        return place

    def _keep_images(self, images: list[tuple[str, bytes]]) -> None:
        for index, (kind, body) in enumerate(images):
            self._image_bytes += len(body)
            if self._image_bytes <= MAX_IMAGES_BYTES:
                self._database.execute("INSERT INTO images VALUES (?, ?, ?, ?)", (self.count, index, kind, body))

    def _flush(self) -> None:
        self._database.executemany("INSERT INTO rows VALUES (?, ?)", [row[:2] for row in self._pending])
        self._database.executemany("INSERT INTO words VALUES (?, ?)", [(row[0], row[2]) for row in self._pending])
        self._pending.clear()

    def finish(self, facts: dict[str, Any]) -> None:
        """Write what was counted, and close."""
        self._flush()
        columns = [column.facts(self.count) for column in self.columns]
        for place, column in enumerate(columns):
            if column["labels"]:
                self._index_labels(place, several=column["several"])
        facts |= {
            "format": FORMAT,
            "rows": self.count,
            "columns": columns,
            "columns_left_out": len(self.left_out),
            "duplicates": self.count - len(set(self._hashes)),
        }
        self._database.execute("INSERT INTO meta VALUES ('facts', ?)", (cells.dump(facts),))
        self._database.execute("COMMIT")
        self._database.close()

    def _index_labels(self, place: int, *, several: bool) -> None:
        for number, data in self._database.execute("SELECT n, data FROM rows"):
            values = json.loads(data)
            value = values[place] if place < len(values) else None
            found = value if several else [value]
            if found:
                self._database.executemany(
                    "INSERT OR IGNORE INTO labels VALUES (?, ?, ?)",
                    [(place, label(item), number) for item in found if item not in (None, "")],
                )


def label(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
