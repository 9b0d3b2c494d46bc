"""Parquet, by DuckDB with nothing else open to it: one file, one thread, a bounded memory, no extension, no network."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb

from models_hub.tables.child.budget import Unreadable

ROWS_AT_A_TIME = 200
TIMES = ("TIMESTAMP", "DATE", "TIME")
SETTINGS = {
    "threads": "1",
    "temp_directory": "",
    "allow_community_extensions": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
}


class ParquetFile:
    """One file: `count` rows it says to have, `times` the columns that hold dates or times."""

    def __init__(self, path: Path, *, name: str, memory_mb: int) -> None:
        self._path = str(path)
        self._name = name
        self._memory_mb = memory_mb
        self.count = 0
        self.times: set[str] = set()

    def rows(self) -> Iterator[dict[str, Any]]:
        """Yield the rows by column name, with Python's values; raises Unreadable."""
        try:
            with self._connection() as connection:
                yield from self._rows(connection)
        except duckdb.OutOfMemoryException as error:
            raise Unreadable("memory", file=self._name) from error
        except duckdb.Error as error:
            raise Unreadable("bad_parquet", file=self._name, cause=_short(error)) from error

    def _connection(self) -> duckdb.DuckDBPyConnection:
        connection = duckdb.connect(":memory:", config=dict(SETTINGS))
        connection.execute("SET memory_limit = ?", [f"{self._memory_mb}MB"])
        connection.execute("SET allowed_paths = ?", [[self._path]])
        connection.execute("SET enable_external_access = false")
        connection.execute("SET lock_configuration = true")
        return connection

    def _rows(self, connection: duckdb.DuckDBPyConnection) -> Iterator[dict[str, Any]]:
        counted = connection.execute("SELECT num_rows FROM parquet_file_metadata(?)", [self._path]).fetchone()
        self.count = int(counted[0]) if counted else 0
        found = connection.execute("SELECT * FROM read_parquet(?)", [self._path])
        described = [(str(column[0]), str(column[1])) for column in found.description or []]
        self.times = {name for name, type_name in described if type_name.startswith(TIMES)}
        columns = [name for name, _type in described]
        while rows := found.fetchmany(ROWS_AT_A_TIME):
            for row in rows:
                yield dict(zip(columns, row, strict=True))


def _short(error: Exception) -> str:
    """Return what DuckDB says without the path of the file on this machine."""
    text = str(error).splitlines()[0] if str(error) else type(error).__name__
    words = "".join(part for part in text.split("'")[::2])[:200].strip()
    return "".join(sign if sign.isprintable() else "�" for sign in words)
