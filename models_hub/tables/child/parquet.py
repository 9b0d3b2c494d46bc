"""Parquet, by DuckDB with nothing else open to it: one file, one thread, a bounded memory, no extension, no network."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb

from models_hub.tables.child.budget import Budget, Unreadable

ROWS_AT_A_TIME = 200
TIMES = ("TIMESTAMP", "DATE", "TIME")


def read(path: Path, *, name: str, memory_mb: int, budget: Budget, types: dict[str, str]) -> Iterator[dict[str, Any]]:
    """Yield the rows by column name, with Python's values; `types` learns which columns hold times."""
    connection = duckdb.connect(
        ":memory:",
        config={
            "threads": "1",
            "memory_limit": f"{memory_mb}MB",
            "temp_directory": "",
            "allow_community_extensions": "false",
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "allowed_paths": [str(path)],
            "enable_external_access": "false",
            "lock_configuration": "true",
            "preserve_insertion_order": "true",
        },
    )
    try:
        found = connection.execute("SELECT * FROM read_parquet(?)", [str(path)])
        described = found.description or []
        columns = [str(column[0]) for column in described]
        types.update({str(column[0]): "time" for column in described if str(column[1]).startswith(TIMES)})
        while rows := found.fetchmany(ROWS_AT_A_TIME):
            for row in rows:
                yield dict(zip(columns, row, strict=True))
    except duckdb.OutOfMemoryException as error:
        raise Unreadable("memory", file=name) from error
    except duckdb.Error as error:
        if budget.rows and not isinstance(error, duckdb.InvalidInputException):
            raise Unreadable("bad_parquet", file=name, cause=_short(error)) from error
        raise Unreadable("bad_parquet", file=name, cause=_short(error)) from error
    finally:
        connection.close()


def _short(error: Exception) -> str:
    """Return what DuckDB says without the path of the file on this machine."""
    text = str(error).splitlines()[0] if str(error) else type(error).__name__
    return "".join(part for part in text.split("'")[::2])[:200].strip()
