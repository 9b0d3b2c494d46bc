"""The program that reads published files: one JSON request on standard input, one JSON answer on standard output."""

import json
import sys
from pathlib import Path
from typing import Any

from leaderboard.catalogue.entries import entries
from leaderboard.catalogue.files import Upload
from leaderboard.catalogue.importing import import_files
from leaderboard.catalogue.refusals import ImportRefused
from models_hub.tables.child import confining

MB = 1024**2


def main() -> None:
    sys.setrecursionlimit(1500)
    request = json.loads(sys.stdin.readline())
    entry = entries()[request["entry"]]
    uploads = [Upload(file["name"], Path(file["path"])) for file in request["files"]]
    confining.limit(memory_bytes=request["memory_mb"] * MB, cpu_seconds=request["cpu_seconds"])
    confining.leave_network()
    if any(part.reader == "parquet" for source in entry.sources for part in source.parts):
        # Loaded before the walls go up.
        from leaderboard.catalogue import parquet  # noqa: F401
    out = Path(request["out"])
    confining.show_only(readable=[upload.path for upload in uploads], writable=out.parent)
    try:
        imported = import_files(entry, uploads, out)
        _say(rows=imported.rows, left_out=imported.left_out, examples=imported.examples, files=imported.files[:100])
    except ImportRefused as error:
        _say(refused=error.code, data=error.data)
    except MemoryError:
        _say(refused="memory", data={})


def _say(**facts: Any) -> None:
    print(json.dumps(facts), flush=True)  # noqa: T201 - this is what the parent reads


if __name__ == "__main__":
    main()
