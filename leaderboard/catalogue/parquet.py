"""Parquet files, by the reader of tables; what it needs is a file on disk."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from leaderboard.catalogue.refusals import ImportRefused, shown
from models_hub.tables.child.budget import Unreadable
from models_hub.tables.child.parquet import ParquetFile

MEMORY_MB = 512


def records(name: str, file: BinaryIO, folder: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the rows of a Parquet file with their numbers; `folder` is where a copy may lie."""
    with tempfile.NamedTemporaryFile(suffix=".parquet", dir=folder) as copy:
        while block := file.read(1 << 20):
            copy.write(block)
        copy.flush()
        try:
            yield from enumerate(ParquetFile(Path(copy.name), name=shown(name), memory_mb=MEMORY_MB).rows(), 1)
        except Unreadable as error:
            raise ImportRefused("bad_parquet", file=shown(name), cause=shown(error.data.get("cause", ""))) from error
