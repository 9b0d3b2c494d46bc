"""The program itself: read the files of one table into one file of rows."""

import gzip
import json
import sys
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, cast

from models_hub.tables.child import confining, delimited, objects
from models_hub.tables.child.arrow import ArrowFile
from models_hub.tables.child.budget import Budget, Notes, Unreadable
from models_hub.tables.child.lines import Lines
from models_hub.tables.child.writing import Table

TELL_EVERY = 0.3  # seconds
# What one may know of a file, but is no reason for having no rows of it.
HARMLESS = frozenset(("gb18030", "other_delimiter", "same_name", "bad_characters"))
MB = 1024**2


def main() -> None:
    sys.setrecursionlimit(1500)
    request = json.loads(sys.stdin.readline())
    confining.limit(memory_bytes=request["memory_mb"] * MB, cpu_seconds=request["kill_cpu_seconds"])
    confining.leave_network()
    if any(source["format"] == "parquet" for source in request["sources"]):
        # Loaded before the walls go up, and not at all where there is no use for it.
        from models_hub.tables.child import parquet  # noqa: F401
    out = Path(request["out"])
    confining.show_only(readable=[Path(source["path"]) for source in request["sources"]], writable=out.parent)
    try:
        _Reading(request).run(out)
    except Unreadable as error:
        _say(failure=error.code, data=error.data)
    except MemoryError:
        _say(failure="memory", data={})


def _say(**facts: Any) -> None:
    print(json.dumps(facts), flush=True)  # noqa: T201 - this is what the parent reads


class _Reading:
    """One run over all files of a table."""

    def __init__(self, request: dict[str, Any]) -> None:
        self.sources: list[dict[str, Any]] = request["sources"]
        self.memory_mb: int = request["memory_mb"]
        self.budget = Budget(
            max_bytes=request["max_bytes"],
            max_rows=request["max_rows"],
            max_values=request["max_values"],
            cpu_seconds=request["cpu_seconds"],
        )
        self.notes = Notes()
        self.times: set[str] = set()
        self.told = time.monotonic()
        self.files_read = 0

    def run(self, out: Path) -> None:
        table = Table(out)
        files = []
        for source in self.sources:
            if self.budget.is_spent:
                break
            first = table.count
            about = self._read_or_note(source, table)
            files.append({"name": source["name"], "first": first, "rows": table.count - first, **about})
            self.files_read += 1
        serious = [note for note in self.notes.kept if note["code"] not in HARMLESS]
        if not table.count and serious:
            note = serious[0]
            raise Unreadable(note["code"], file=note["file"], line=note["line"], **note["data"])
        for column in table.columns:
            if column.name in self.times:
                column.are_times()
        table.finish(
            {
                "files": files,
                "is_whole": not self.budget.is_spent,
                "bytes": self.budget.bytes,
                "notes": self.notes.kept,
                "note_counts": self.notes.counts,
            }
        )
        _say(done=True)

    def _read_or_note(self, source: dict[str, Any], table: Table) -> dict[str, Any]:
        """Add the rows of one file; one that is broken does not hide the others."""
        try:
            return self._read(source, table)
        except Unreadable as error:
            data = {name: value for name, value in error.data.items() if name not in ("file", "line")}
            self.notes.add(error.code, file=source["name"], line=error.data.get("line"), **data)
            return {"encoding": ""}

    def _read(self, source: dict[str, Any], table: Table) -> dict[str, Any]:
        """Add the rows of one file; returns what else is known of it."""
        if source["format"] == "parquet":
            return self._read_parquet(source, table)
        if source["format"] == "arrow":
            return self._read_arrow(source, table)
        with _open(source) as file:
            lines = Lines(
                file, name=source["name"], budget=self.budget, notes=self.notes, is_cut=source.get("is_cut", False)
            )
            before, size = self.budget.bytes, max(Path(source["path"]).stat().st_size, 1)
            try:
                rows = self._rows(source, lines)
                are_texts = source["format"] in ("csv", "tsv")
                self._take(table, rows, lambda: (self.budget.bytes - before) / size, are_texts=are_texts)
            except (EOFError, zlib.error, gzip.BadGzipFile) as error:
                if not source.get("is_cut"):
                    self.notes.add("bad_gzip", file=source["name"], line=lines.number, cause=str(error)[:120])
                self.budget.is_spent = True
        return {"encoding": lines.encoding}

    def _rows(self, source: dict[str, Any], lines: Lines) -> Iterator[dict[str, Any]]:
        name, notes = source["name"], self.notes
        if source["format"] == "jsonl":
            return objects.read_lines(lines, name=name, notes=notes)
        if source["format"] == "json":
            return objects.read_document(lines, name=name, budget=self.budget, notes=notes)
        delimiter = source.get("delimiter") or ("\t" if source["format"] == "tsv" else None)
        return delimited.read(lines, name=name, delimiter=delimiter, notes=notes)

    def _read_parquet(self, source: dict[str, Any], table: Table) -> dict[str, Any]:
        from models_hub.tables.child.parquet import ParquetFile

        file = ParquetFile(Path(source["path"]), name=source["name"], memory_mb=self.memory_mb // 2)
        before = table.count
        done = lambda: (table.count - before) / max(file.count, 1)  # noqa: E731 - it reads where it is used
        self._take(table, file.rows(), done, are_texts=False, counts_bytes=True)
        self.times |= file.times
        return {"encoding": "", "all_rows": file.count}

    def _read_arrow(self, source: dict[str, Any], table: Table) -> dict[str, Any]:
        file = ArrowFile(Path(source["path"]), name=source["name"], is_cut=source.get("is_cut", False))
        self._take(table, file.rows(), lambda: file.position / file.size, are_texts=False, counts_bytes=True)
        self.times |= file.times
        self.budget.is_spent |= source.get("is_cut", False)
        return {"encoding": ""}

    def _take(
        self,
        table: Table,
        rows: Iterator[dict[str, Any]],
        done: Callable[[], float],
        *,
        are_texts: bool,
        counts_bytes: bool = False,
    ) -> None:
        """Add rows until the budget is spent; `done` says which part of their file was read."""
        for row in rows:
            if not self.budget.take_row(len(row) or 1):
                break
            size = table.add(row, are_texts=are_texts)
            if counts_bytes and not self.budget.take(size):
                break
            if time.monotonic() - self.told > TELL_EVERY:
                self.told = time.monotonic()
                _say(rows=table.count, share=(self.files_read + min(done(), 1)) / len(self.sources))


def _open(source: dict[str, Any]) -> BinaryIO:
    if source["name"].endswith(".gz"):
        return cast("BinaryIO", gzip.open(source["path"], "rb"))
    return open(source["path"], "rb")


if __name__ == "__main__":
    main()
