"""What our look into pickles found, in the form in which clients read the scans of the Hub.

Pickles alone are looked into: no program searches files for viruses here, and all that was not looked at is called
unscanned. What was found is kept by content; what is not known yet is looked at within a few seconds, the rest the
next time somebody asks.
"""

import time
from collections.abc import Iterable
from typing import Any

from django.utils.translation import gettext as _

from models_hub.browsing import Entry
from models_hub.models import Commit, Repo
from models_hub.viewers import choosing, pickles
from models_hub.viewers.shown import Place

SECONDS = 4.0
UNSCANNED: dict[str, Any] = {"status": "unscanned"}
# What an import is called here -> what clients call it, and the file that has it.
SAFETY = {"usual": "innocuous", "unusual": "suspicious", "dangerous": "dangerous"}
STATUS = {"usual": "safe", "unusual": "suspicious", "dangerous": "unsafe"}
ISSUES = frozenset({"suspicious", "unsafe", "error"})


def file_statuses(repo: Repo, commit: Commit, entries: Iterable[Entry]) -> dict[str, dict[str, Any]]:
    """Return the status of each file by its path."""
    until = time.monotonic() + SECONDS
    found = {}
    for entry in entries:
        if not entry.is_folder:
            scan = _scan(repo, commit, entry) if time.monotonic() < until else UNSCANNED
            found[entry.path] = {"status": scan["status"], "avScan": UNSCANNED, "pickleImportScan": scan}
    return found


def repo_status(repo: Repo, commit: Commit, files: Iterable[Entry]) -> dict[str, Any]:
    """Return the status of a revision: its files with something to know of, and whether all pickles were looked at."""
    statuses = file_statuses(repo, commit, [entry for entry in files if choosing.runs_code(entry.path)])
    issues = [
        {"path": path, "level": status["status"]} for path, status in statuses.items() if status["status"] in ISSUES
    ]
    done = all(status["status"] != "unscanned" for status in statuses.values())
    return {"scansDone": done, "filesWithIssues": issues}


def _scan(repo: Repo, commit: Commit, entry: Entry) -> dict[str, Any]:
    if not choosing.runs_code(entry.path) or not entry.size or (entry.blob and entry.blob.awaited_by):
        return UNSCANNED
    try:
        made = pickles.scan(Place(repo, commit, commit.oid, entry))
    except pickles.UNREADABLE:
        return {"status": "error", "message": _("The file could not be read as a pickle: it may import anything.")}
    if made is None:
        return UNSCANNED
    if not made["streams"] and not made["imports"]:
        return {**UNSCANNED, "message": _("No pickle was found in this file.")}
    worst = pickles.worst_of(made)
    scan: dict[str, Any] = {"status": STATUS[worst], "pickleImports": [_import(row) for row in made["imports"]]}
    if made["more"] or not made["is_whole"]:
        scan["status"] = scan["status"] if worst == "dangerous" else "error"
        scan["message"] = _("Not all of the file could be read, so the list may be incomplete.")
    return scan


def _import(row: dict[str, str]) -> dict[str, str]:
    module, _dot, name = row["name"].rpartition(".")
    return {"module": module, "name": name, "safety": SAFETY[row["level"]]}
