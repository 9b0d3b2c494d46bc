"""Looking into a kept table: pages of rows by number, search, filters by label; each within a bounded time."""

import json
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from models_hub.tables import texts

PAGE_ROWS = 50
MAX_PAGE_ROWS = 100
MAX_PAGE_SIZE = 4_000_000  # characters of JSON, after which a page ends with the row that it is at
MAX_WORDS = 6
SEARCH_SECONDS = 1.5
COUNT_SECONDS = 1.0
WINDOW = 20_000  # rows that are looked at before the clock is
STEPS = 20_000  # of SQLite's machine, between two looks at the clock


@dataclass(frozen=True)
class Asked:
    """What somebody wants to see: rows from a number on that hold these words and labels."""

    words: str = ""
    labels: Mapping[int, str] = field(default_factory=dict)  # place of a column -> value

    @property
    def needles(self) -> list[str]:
        return [word.casefold() for word in self.words.split()[:MAX_WORDS]]

    @property
    def is_all(self) -> bool:
        return not self.needles and not self.labels


@dataclass(frozen=True)
class Row:
    """One row and its number, from 0."""

    number: int
    cells: list[Any] = field(default_factory=list)


@dataclass(frozen=True)
class Page:
    """Rows that follow each other, and where the pages before and after begin (None: there is none).

    Where the time ran out, `is_cut` is set and the next page goes on behind what was looked at.
    """

    rows: list[Row]
    next: int | None
    previous: int | None
    is_cut: bool = False


@dataclass(frozen=True)
class Found:
    """How many rows were found; at least that many where not all could be looked at in time."""

    count: int
    is_exact: bool


class Table:
    """An open table. Its columns and counts are in `facts`."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        row = database.execute("SELECT value FROM meta WHERE key = 'facts'").fetchone()
        self.facts: dict[str, Any] = json.loads(row[0])
        self.count: int = int(self.facts["rows"])
        self.columns: list[dict[str, Any]] = self.facts["columns"]

    def page(self, asked: Asked, start: int = 0, size: int = PAGE_ROWS) -> Page:
        """Return the rows from number `start` on."""
        size = min(max(size, 1), MAX_PAGE_ROWS)
        start = max(start, 0)
        if asked.is_all:
            statement = "SELECT n, data FROM rows WHERE n >= ? ORDER BY n LIMIT ?"
            rows = list(_bounded(self._database.execute(statement, (start, size))))
            after = start + len(rows)
            before = max(start - size, 0) if start else None
            return Page(rows, after if after < self.count else None, before)
        return self._search(asked, start, size)

    def _search(self, asked: Asked, start: int, size: int) -> Page:
        deadline = time.monotonic() + SEARCH_SECONDS
        found: list[int] = []
        position = start
        while len(found) <= size and position < self.count and time.monotonic() < deadline:
            end = min(position + WINDOW, self.count)
            found += self._numbers(asked, position, end, size + 1 - len(found))
            position = end
        is_cut = len(found) <= size and position < self.count
        after = found[size] if len(found) > size else position if is_cut else None
        rows = list(_bounded(self._data(found[:size])))
        if len(rows) < len(found[:size]):
            after, is_cut = found[len(rows)], False
        return Page(rows, after, self._before(asked, start, size), is_cut)

    def _data(self, numbers: list[int]) -> Iterator[tuple[int, str]]:
        for number in numbers:
            yield from self._database.execute("SELECT n, data FROM rows WHERE n = ?", (number,))

    def _before(self, asked: Asked, start: int, size: int) -> int | None:
        """Return where the page before begins: at the row that is `size` matches back."""
        if not start:
            return None
        deadline = time.monotonic() + SEARCH_SECONDS / 2
        found: list[int] = []
        position = start
        while len(found) < size and position > 0 and time.monotonic() < deadline:
            begin = max(position - WINDOW, 0)
            found += self._numbers(asked, begin, position, size - len(found), backwards=True)
            position = begin
        return found[-1] if found else None

    def _numbers(self, asked: Asked, start: int, end: int, limit: int, *, backwards: bool = False) -> list[int]:
        """Return which rows of a window hold what is asked for, at most `limit`."""
        source, values = _matching(asked, start, end)
        order = "DESC" if backwards else "ASC"
        found = self._database.execute(f"SELECT first.n {source} ORDER BY first.n {order} LIMIT ?", (*values, limit))
        return [int(number) for (number,) in found]

    def found(self, asked: Asked) -> Found:
        """Return how many rows there are of what is asked for."""
        if asked.is_all:
            return Found(self.count, is_exact=True)
        deadline = time.monotonic() + COUNT_SECONDS
        total, position = 0, 0
        while position < self.count and time.monotonic() < deadline:
            end = min(position + WINDOW, self.count)
            source, values = _matching(asked, position, end)
            total += self._database.execute(f"SELECT count(*) {source}", values).fetchone()[0]
            position = end
        return Found(total, is_exact=position >= self.count)

    def row(self, number: int) -> Row | None:
        """Return one row in full."""
        found = self._database.execute("SELECT n, data FROM rows WHERE n = ?", (number,)).fetchone()
        return Row(found[0], json.loads(found[1])) if found else None

    def image(self, number: int, index: int) -> tuple[str, bytes] | None:
        """Return an image that a row holds: its format and its bytes."""
        statement = "SELECT kind, body FROM images WHERE n = ? AND i = ?"
        found = self._database.execute(statement, (number, index)).fetchone()
        return (str(found[0]), bytes(found[1])) if found else None

    def place_of(self, name: str) -> int | None:
        """Return the place of a column that can be filtered by."""
        places = (place for place, column in enumerate(self.columns) if column["name"] == name and column["labels"])
        return next(places, None)


def _matching(asked: Asked, start: int, end: int) -> tuple[str, list[Any]]:
    """Return the rest of a query for the rows of a window, as constant SQL with its values apart.

    The index of labels leads where there is one to go by; all words are looked through only where there is none.
    """
    labels, needles = list(asked.labels.items()), asked.needles
    tables = [*["labels"] * len(labels), *["words"] * bool(needles)]
    names = ["first", *(f"other{number}" for number in range(1, len(tables)))]
    joined = " CROSS JOIN ".join(f"{table} AS {name}" for table, name in zip(tables, names, strict=True))
    conditions = ["first.n >= ?", "first.n < ?"]
    values: list[Any] = [start, end]
    conditions += [f"{name}.n = first.n" for name in names[1:]]
    for name, (place, value) in zip(names, labels, strict=False):
        conditions.append(f"{name}.c = ? AND {name}.value = ?")
        values += [place, value]
    for needle in needles:
        conditions.append(f"instr({names[-1]}.words, ?)")
        values.append(needle)
    return f"FROM {joined} WHERE {' AND '.join(conditions)}", values


def _bounded(found: Iterable[tuple[int, str]]) -> Iterator[Row]:
    """Yield rows until a page is full of them; one is always given."""
    size = 0
    for number, data in found:
        size += len(data)
        if size > MAX_PAGE_SIZE and size > len(data):
            return
        yield Row(number, json.loads(data))


@contextmanager
def opened(path: Path) -> Iterator[Table]:
    """Open a kept table for reading; whatever its child made of it, no question to it runs for long.

    Raises TableUnreadable.
    """
    deadline = time.monotonic() + 2 * (SEARCH_SECONDS + COUNT_SECONDS)
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro&immutable=1", uri=True)) as database:
            database.execute("PRAGMA trusted_schema = OFF")
            database.execute("PRAGMA query_only = ON")
            database.set_progress_handler(lambda: time.monotonic() > deadline, STEPS)
            yield _table(database)
    except sqlite3.OperationalError as error:  # the time is over
        raise texts.failure("busy") from error
    except sqlite3.Error as error:
        path.unlink(missing_ok=True)  # it is made anew when it is asked for again
        raise texts.failure("crashed") from error


def _table(database: sqlite3.Connection) -> Table:
    try:
        return Table(database)
    except (ValueError, KeyError, TypeError) as error:
        raise sqlite3.DatabaseError("no table of ours") from error
