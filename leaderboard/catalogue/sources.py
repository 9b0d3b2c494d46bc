"""The records of one published file, by the reader of its source."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from leaderboard.catalogue import reading
from leaderboard.catalogue.entries import Source


def records(source: Source, name: str, file: BinaryIO, folder: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield each record with the number of its line; `folder` is where a copy may lie."""
    if source.reader != "parquet":
        return reading.records(name, file, source.reader, source.options)
    # DuckDB is loaded by the program that has its walls up already, and for these files alone.
    from leaderboard.catalogue import parquet

    return parquet.records(name, file, folder)
