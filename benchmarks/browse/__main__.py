"""`python -m benchmarks.browse`: lists and search over many repositories, on SQLite and on a PostgreSQL of its own.

For each number of repositories: the queries of each question, and the time of the server as p50 and p95, each time with
other words. “New” are processes that were forked for that one question, as after a restart; “old” is one that goes on
and is asked everything. All of it takes about six minutes on two cores.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.browse.questions import QUESTIONS
from tests import databases
from tests.worker import postgres

SIZES = "1000,10000,100000"
AIM = 100.0


def step(url: str, name: str, *numbers: int) -> Any:
    """Do one step of `asking` on a database."""
    command = [sys.executable, "-m", "benchmarks.browse.asking", name, *map(str, numbers)]
    done = subprocess.run(command, env={**os.environ, "DATABASE_URL": url}, stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def load(size: int, url: str) -> float:
    return float(step(url, "load", size)["seconds"])


@contextmanager
def all_databases(wanted: list[str]) -> Iterator[dict[str, str]]:
    """Yield the addresses of fresh databases that have all tables."""
    with tempfile.TemporaryDirectory(prefix="browse-") as folder:
        path = Path(folder) / "browse.sqlite3"
        shutil.copyfile(databases.sqlite(), path)
        urls = {"SQLite": f"sqlite:///{path}"}
        if "PostgreSQL" not in wanted:
            yield urls
            return
        with postgres.cluster() as url:
            yield {name: address for name, address in {**urls, "PostgreSQL": url}.items() if name in wanted}


def show(name: str, size: int, found: dict[str, Any]) -> None:
    """Print a table, and what stands for all questions together."""
    content, made, read = found["snapshot"]
    print(f"\n{name}, {size} repositories; load of the machine {os.getloadavg()[0]:.1f}; the snapshot has "
          f"{content / 1e6:.2f} MB, is made in {made:.0f} ms and read in {read:.1f} ms")  # fmt: skip
    print(f"{'question':22} {'found':>6} {'queries':>7} | new: {'p50':>6} {'p95':>6} {'cpu':>6} | "
          f"old: {'p50':>6} {'p95':>6} {'cpu':>6}  ms")  # fmt: skip
    for question in (*QUESTIONS, ""):
        count, queries = found["found"].get(question, ("", ""))
        figures = [_figures([row for row in found[kind] if question in ("", row[0])]) for kind in ("new", "old")]
        new, old = (f"{p50:11.0f} {p95:6.0f} {cpu:6.0f}" for p50, p95, cpu in figures)
        print(f"{question or 'all questions':22} {count:>6} {queries:>7} | {new} | {old}")
    worst = max(_figures(found[kind])[1] for kind in ("new", "old"))
    print(f"p95 of all questions {'is' if worst < AIM else 'IS NOT'} under {AIM:.0f} ms", flush=True)


def _figures(rows: list[Any]) -> tuple[float, float, float]:
    """Return p50 and p95 of the wall time, and p95 of the time that the process itself worked."""
    walls, cpus = sorted(row[1] for row in rows), sorted(row[2] for row in rows)
    at = -(-len(rows) * 95 // 100) - 1
    return walls[len(rows) // 2], walls[at], cpus[at]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default=SIZES)
    parser.add_argument("--databases", default="SQLite,PostgreSQL")
    parser.add_argument("--repeats", type=int, default=15, help="how often the old process is asked each question")
    parser.add_argument("--cold", type=int, default=5, help="how many new processes are asked each question")
    options = parser.parse_args()
    begun = time.monotonic()
    with all_databases(options.databases.split(",")) as urls, ThreadPoolExecutor() as pool:
        for name, url in urls.items():
            for way, (questions, recall, rank) in step(url, "quality").items():
                print(f"{name}: {way:20} {questions} questions, recall@10 {recall:.3f}, MRR {rank:.3f}", flush=True)
        for size in map(int, options.sizes.split(",")):
            loaded = pool.map(partial(load, size), urls.values())
            print(f"\n{size} repositories loaded in", *(f"{seconds:.0f} s" for seconds in loaded), flush=True)
            for name, url in urls.items():
                show(name, size, step(url, "measure", options.repeats, options.cold))
    print(f"\n{time.monotonic() - begun:.0f} s in all")


if __name__ == "__main__":
    main()
