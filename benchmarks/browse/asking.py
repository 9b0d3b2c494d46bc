"""`python -m benchmarks.browse.asking`: one step on the database of DATABASE_URL; its figures come last, as JSON.

The process is as gunicorn's is before it forks, and what it forks begins as gunicorn's do, with a page that nobody
asked for: it is what a web process is after a restart.
"""

import argparse
import gc
import json
import os
import time
from collections.abc import Callable
from functools import partial
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.config.settings.test")

import portal.config.wsgi  # noqa: I001  (first, since it sets Django up)
from django.contrib.auth.models import AnonymousUser
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from benchmarks.browse import stock
from benchmarks.browse.questions import QUESTIONS, question
from benchmarks.search_quality import judging
from models_hub import listing
from models_hub.models import CatalogueSnapshot, Repo
from models_hub.searching import snapshots
from models_hub.searching.trail import Trail
from portal.config import warming

Asked = list[tuple[str, float, float]]  # question, wall and CPU time in milliseconds


def quality() -> dict[str, Any]:
    """Judge the search on the small set, of which nothing stays."""
    with transaction.atomic():
        judging.load()
        found = {name: [one.questions, one.recall, one.mrr] for name, one in judging.judge().items()}
        transaction.set_rollback(True)
    return found


def load(size: int) -> dict[str, Any]:
    start = time.perf_counter()
    stock.load(Repo.objects.count(), size)
    if connection.vendor == "postgresql":
        connection.cursor().execute("ANALYZE")
    return {"seconds": time.perf_counter() - start}


def measure(repeats: int, cold: int) -> dict[str, Any]:
    """Ask one process that goes on, and for each question new ones that were asked nothing before."""
    made = _milliseconds(snapshots.make)
    size = sum(len(content) for content in CatalogueSnapshot.objects.values_list("content", flat=True))
    read = _milliseconds(lambda: snapshots.read(Trail.now()))
    found = _forked(_queries)
    connection.close()
    gc.collect()
    gc.freeze()
    new: Asked = []
    for number in range(cold):
        for name in QUESTIONS:
            new += _forked(partial(_ask_first, name, number))
    return {"snapshot": [size, made, read], "found": found, "new": new, "old": _forked(lambda: _ask_on(repeats))}


def _ask_on(repeats: int) -> Asked:
    _ask([("no filter", 0)])
    return _ask([(name, number) for number in range(repeats) for name in QUESTIONS])


def _ask_first(name: str, number: int) -> Asked:
    warming.answer(portal.config.wsgi.application)
    return _ask([(name, number)])


def _ask(asked: list[tuple[str, int]]) -> Asked:
    client, found = Client(), []
    for name, number in asked:
        start, used = time.perf_counter(), time.process_time()
        assert client.get("/models", question(name, number)).status_code == 200
        found.append((name, (time.perf_counter() - start) * 1000, (time.process_time() - used) * 1000))
    return found


def _queries() -> dict[str, tuple[int, int]]:
    """Return for each question how many answers it has, and the queries that a process makes which knows no word."""
    client, found = Client(), {}
    client.get("/models")
    for name in QUESTIONS:
        with CaptureQueriesContext(connection) as captured:
            client.get("/models", question(name, 0))
        page = listing.page_of(listing.Query.read("model", question(name, 0)), user=AnonymousUser())
        found[name] = page.count, len(captured)
    return found


def _forked(work: Callable[[], Any]) -> Any:
    """Do this in a process of its own."""
    connection.close()
    reading, writing = os.pipe()
    if not (pid := os.fork()):
        with os.fdopen(writing, "w") as answer:
            json.dump(work(), answer)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as answer:
        text = answer.read()
    os.waitpid(pid, 0)
    return json.loads(text)


def _milliseconds(act: Callable[[], object]) -> float:
    start = time.perf_counter()
    act()
    return (time.perf_counter() - start) * 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("step", choices=["quality", "load", "measure"])
    parser.add_argument("numbers", type=int, nargs="*")
    options = parser.parse_args()
    steps: dict[str, Callable[..., dict[str, Any]]] = {"quality": quality, "load": load, "measure": measure}
    print(json.dumps(steps[options.step](*options.numbers)))


if __name__ == "__main__":
    main()
