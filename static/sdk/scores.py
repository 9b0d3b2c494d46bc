#!/usr/bin/env python3
"""Scores of a portal from a shell: ask for evaluations, see how they stand, read boards, find a model.

One file that needs Python 3.9 or newer and nothing else. It speaks to the portal that PORTAL names, with the token in
PORTAL_TOKEN or HF_TOKEN, and says how it went by its exit code:

    0  done                               4  there is no such thing, or you may not see it
    1  something was refused or failed    5  the portal does not answer, or not properly
    2  it was called wrongly              6  a limit is reached; the message says when to ask again
    3  no token, or one that may not
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from typing import Any, Callable, Iterable, Mapping, Sequence

DONE, REFUSED, USAGE, NOT_ALLOWED, NOT_FOUND, UNREACHABLE, LIMIT = range(7)
CODES = {401: NOT_ALLOWED, 403: NOT_ALLOWED, 404: NOT_FOUND, 429: LIMIT, 507: LIMIT}
UNFINISHED = ("queued", "leased", "running")
TIMEOUT = 60
WAIT_SECONDS = 5
PAGE = 50

Opener = Callable[..., Any]


class Failed(Exception):
    """What went wrong, with the exit code that says so."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code


class Portal:
    """One portal and whoever asks it."""

    def __init__(self, address: str, token: str, opener: Opener) -> None:
        self.address = address.rstrip("/")
        self._token = token
        self._open = opener

    def get(self, path: str, **query: Any) -> Any:
        """Read something; values that are empty are not sent, lists are sent one by one."""
        given = {name: value for name, value in query.items() if value not in (None, "", [])}
        return self._ask("GET", f"{path}?{urllib.parse.urlencode(given, doseq=True)}" if given else path)

    def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """Send something; its key lets the portal do it once, even where the answer is lost and it is sent again."""
        return self._ask("POST", path, body, {"Idempotency-Key": str(uuid.uuid4())})

    def _ask(self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Any:
        request = urllib.request.Request(f"{self.address}/api/v1/{path}", method=method)
        request.add_header("Accept", "application/json")
        for name, value in (headers or {}).items():
            request.add_header(name, value)
        if self._token:
            request.add_header("Authorization", f"Bearer {self._token}")
        data = None
        if body is not None:
            data = json.dumps(body).encode()
            request.add_header("Content-Type", "application/json")
        try:
            with self._open(request, data, TIMEOUT) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise Failed(
                _message(error), CODES.get(error.code, UNREACHABLE if error.code >= 500 else REFUSED)
            ) from error
        except (OSError, ValueError) as error:
            raise Failed(f"{self.address} does not answer properly: {error}", UNREACHABLE) from error


def _message(error: urllib.error.HTTPError) -> str:
    try:
        found = json.load(error)
    except ValueError:
        return f"HTTP {error.code}"
    text = str(found.get("error") or found.get("detail") or f"HTTP {error.code}")
    fields = found.get("fields") or {}
    return " ".join([text, *(f"{name}: {wrong}" for name, wrong in fields.items())])


def submit(portal: Portal, asked: argparse.Namespace) -> int:
    """Ask for evaluations of models on a board or on benchmarks, and perhaps wait for them."""
    body = {"models": asked.models, "revision": asked.revision}
    body.update({name: value for name, value in (("board", asked.board), ("benchmarks", asked.benchmark)) if value})
    results = portal.post("submissions", body)["results"]
    if asked.wait:
        _wait(portal, results, quiet=asked.json)
    if asked.json:
        _print(results)
    else:
        _table(("model", "benchmark", "state", "score", "why"), (_pair(one) for one in results))
        left = portal.get("submissions/allowance")
        if left["limit"]:
            print(f"{left['left']} of {left['limit']} evaluations in 24 hours are left.", file=sys.stderr)
    return REFUSED if any(_is_bad(one) for one in results) else DONE


def _wait(portal: Portal, results: list[dict[str, Any]], *, quiet: bool) -> None:
    while True:
        pending = [one for one in results if one["evaluation"] and one["evaluation"]["state"] in UNFINISHED]
        if not pending:
            return
        if not quiet:
            job = pending[0]["evaluation"]["job"]
            print(f"{len(pending)} to go: {job['explanation'] if job else ''}", file=sys.stderr)
        time.sleep(WAIT_SECONDS)
        for one in pending:
            one["evaluation"] = portal.get(f"evaluations/{one['evaluation']['id']}")


def _is_bad(one: Mapping[str, Any]) -> bool:
    return bool(one["error"]) or one["evaluation"]["state"] in ("failed", "cancelled")


def _pair(one: Mapping[str, Any]) -> tuple[Any, ...]:
    if one["error"]:
        return one["model"], one["benchmark"], "refused", "", one["error"]["message"]
    return _evaluation(one["evaluation"])


def _evaluation(row: Mapping[str, Any]) -> tuple[Any, ...]:
    benchmark, score, job = row["benchmark"], row["primary"], row["job"]
    named = f"{benchmark['name']} v{benchmark['version']}"
    value = f"{score['value']:.4f} [{score['low']:.4f}, {score['high']:.4f}]" if score else ""
    return row["model"]["repo"], named, row["state"], value, job["explanation"] if job and not score else ""


def status(portal: Portal, asked: argparse.Namespace) -> int:
    """Show what you asked for, newest first."""
    rows = portal.get("submissions", state=asked.state, limit=asked.limit)["results"]
    if asked.json:
        _print(rows)
    else:
        _table(("model", "benchmark", "state", "score", "why"), (_evaluation(row) for row in rows))
    return DONE


def board(portal: Portal, asked: argparse.Namespace) -> int:
    """Show the first places of a board, or the names of all boards."""
    if not asked.slug:
        rows = portal.get("suites", limit=PAGE)["results"]
        if asked.json:
            _print(rows)
        else:
            _table(("slug", "title"), ((row["slug"], row["title"]) for row in rows))
        return DONE
    found = portal.get(f"leaderboard/{urllib.parse.quote(asked.slug)}")
    if asked.json:
        _print(found)
        return DONE
    _table(
        ("rank", "may be", "model", "score", "interval", "parameters"),
        (
            (
                row["rank"], f"{row['best_rank']}-{row['worst_rank']}", row["model"], f"{row['score']:.1f}",
                f"[{row['low']:.1f}, {row['high']:.1f}]", row["parameters"] or "",
            )
            for row in found["rows"][: asked.limit]
        ),
    )  # fmt: skip
    return DONE


def find(portal: Portal, asked: argparse.Namespace) -> int:
    """Find one model for a task; 1 where nothing that fits has a score."""
    names = ("task", "language", "on", "memory", "disk", "latency", "machine", "device", "licence")
    found = portal.get("finder", **{name: getattr(asked, name) for name in names})
    if asked.json:
        _print(found)
    elif found["chosen"]:
        print(found["chosen"]["model"])
        for line in (*found["reasons"], *found["warnings"]):
            print(f"  {line}")
    else:
        print("No measured model fits.", file=sys.stderr)
        for one in found["excluded"]:
            near = f"; the nearest needs {one['nearest']:.3g}" if one["nearest"] is not None else ""
            print(f"  {one['filter']} shuts out {one['count']}{near}", file=sys.stderr)
    return DONE if found["chosen"] else REFUSED


def _print(value: Any) -> None:
    print(json.dumps(value, ensure_ascii=False, indent=1))


def _table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Print columns that are as wide as what stands in them; the last one is never filled up."""
    lines = [tuple(head), *(tuple(str(cell) for cell in row) for row in rows)]
    widths = [max(len(line[place]) for line in lines) for place in range(len(head))]
    for line in lines:
        print("  ".join(cell.ljust(widths[place]) for place, cell in enumerate(line)).rstrip())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="scores.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--portal", help="its address; without it that in PORTAL, else http://localhost:8000")
    parser.add_argument("--json", action="store_true", help="print what the portal answers")
    commands = parser.add_subparsers(required=True, metavar="command")

    one = commands.add_parser("submit", help="ask for evaluations")
    one.add_argument("models", nargs="+", metavar="owner/name")
    one.add_argument("--board", help="all benchmarks of a board, by its slug")
    one.add_argument("--benchmark", action="append", type=int, metavar="ID", help="may be repeated")
    one.add_argument("--revision", default="main", help="of the models")
    one.add_argument("--wait", action="store_true", help="until all are over")
    one.set_defaults(run=submit)

    one = commands.add_parser("status", help="what you asked for, newest first")
    one.add_argument("--state", choices=("waiting", "running", "done", "failed", "cancelled"))
    one.add_argument("--limit", type=int, default=PAGE)
    one.set_defaults(run=status)

    one = commands.add_parser("board", help="the first places of a board, or all boards")
    one.add_argument("slug", nargs="?")
    one.add_argument("--limit", type=int, default=20)
    one.set_defaults(run=board)

    one = commands.add_parser("find", help="one model for a task")
    one.add_argument("task")
    one.add_argument("--language", help="of the texts it is measured on; several with commas")
    one.add_argument("--on", help="board:<slug> or benchmark:<id> that alone shall count")
    one.add_argument("--memory", type=float, metavar="MB")
    one.add_argument("--disk", type=float, metavar="MB")
    one.add_argument("--latency", type=float, metavar="MS")
    one.add_argument("--machine")
    one.add_argument("--device", choices=("server", "laptop", "phone", "browser"))
    one.add_argument("--licence", action="append", help="a class such as permissive; may be repeated")
    one.set_defaults(run=find)
    return parser


def main(arguments: Sequence[str], environment: Mapping[str, str], opener: Opener = urllib.request.urlopen) -> int:
    """Do what the arguments say and return the exit code."""
    try:
        asked = _parser().parse_args(arguments)
    except SystemExit as end:
        return int(end.code or 0)
    if asked.run is submit and not (asked.board or asked.benchmark):
        print("Name a --board or a --benchmark.", file=sys.stderr)
        return USAGE
    address = asked.portal or environment.get("PORTAL") or "http://localhost:8000"
    token = environment.get("PORTAL_TOKEN") or environment.get("HF_TOKEN") or ""
    try:
        code: int = asked.run(Portal(address, token, opener), asked)
        return code
    except Failed as error:
        print(error, file=sys.stderr)
        return error.code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
