"""`python -m benchmarks.boards`: a board of many models, with the time of the server and the queries of each way to see
it, and the time of the bootstrap alone.

Rows are loaded into a database of its own, without the relay: the board is computed once, as `standings` does it, and
then read. Nothing is cached between questions but what one process keeps.
"""

import argparse
import os
import random
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from tests import databases

MODELS, BENCHMARKS = 10_000, 20
BATCH = 2000
REPEATS = 7
AIM_MS, AIM_BOOTSTRAP = 300.0, 1.0
LICENCES = (
    ("mit", "permissive"),
    ("apache-2.0", "permissive"),
    ("gpl-3.0", "copyleft"),
    ("cc-by-nc-4.0", "restricted"),
)
ARCHITECTURES = ("BertForSequenceClassification", "LlamaForCausalLM", "Qwen2ForCausalLM", "T5ForConditionalGeneration")
TASKS = ("text-classification", "text-pair-classification", "token-classification", "text-retrieval")
MACHINES = ("A processor", "Another processor")
FLOORS = {"chance": {"metrics": {"accuracy": 0.5}}}


def load(models: int, benchmarks: int) -> None:
    """Make a board of so many models with a score of every benchmark, but for one in fifty that lacks some."""
    from django.db import transaction
    from django.utils import timezone

    from leaderboard.models import Benchmark, Suite
    from models_hub.models import Repo
    from portal.models import User

    owners = [User.objects.create_user(f"maker{number}", f"m{number}@example.org").namespace for number in range(50)]
    asked = []
    for number in range(benchmarks):
        name = f"benchmark-{number}"
        dataset = Repo.objects.create(kind="dataset", namespace=owners[0], name=name, lower=name, languages=["en"])
        asked.append(
            Benchmark.objects.create(
                dataset=dataset, commit_oid="0" * 40, version=1, meaning=str(number), name=f"Benchmark {number}",
                standing="approved", task=TASKS[number % len(TASKS)], split_path="test.jsonl", data_sha256="0" * 64,
                data_size=1, primary_metric="accuracy", metrics=["accuracy"],
            )
        )  # fmt: skip
    suite = Suite.objects.create(
        slug="large", title="A large board", description="Many models, made for measuring.", standing="approved"
    )
    for position, benchmark in enumerate(asked):
        suite.entries.create(benchmark=benchmark, weight=1, position=position)
    now = timezone.now()
    for start in range(0, models, BATCH):
        with transaction.atomic():
            _load_some(range(start, min(start + BATCH, models)), owners, asked, now)


def _load_some(numbers: range, owners: list[Any], benchmarks: list[Any], now: datetime) -> None:
    from leaderboard.models import Evaluation
    from models_hub.models import Commit, Repo

    chance = random.Random(numbers.start)
    repos = []
    for number in numbers:
        name = f"model-{number:05}"
        licence, license_class = chance.choice(LICENCES)
        parameters = int(10 ** chance.uniform(5.5, 9.8))
        repos.append(
            Repo(
                kind="model", namespace=chance.choice(owners), name=name, lower=name, head=f"{number:040x}",
                parameters=parameters, size=4 * parameters, license=licence, license_class=license_class,
                architecture=chance.choice(ARCHITECTURES), languages=chance.choice((["en"], ["zh"], ["en", "zh"])),
                precisions=[chance.choice(("F32", "F16", "I8"))], created_at=now, updated_at=now,
            )
        )  # fmt: skip
    repos = Repo.objects.bulk_create(repos)
    commit = {"tree_oid": "0" * 40, "title": "Weights", "author_name": "maker", "authored_at": now}
    Commit.objects.bulk_create(
        [Commit(repo=repo, oid=repo.head, weights_digest=f"{repo.pk:064x}", **commit) for repo in repos]
    )
    rows = []
    for repo in repos:
        skill = chance.gauss(0.72, 0.08)
        lacking = chance.random() < 0.02
        for benchmark in benchmarks[: len(benchmarks) // 2] if lacking else benchmarks:
            value = min(max(skill + chance.gauss(0, 0.04), 0.3), 0.99)
            latency = (repo.parameters or 1) ** 0.7 / 20_000
            rows.append(
                Evaluation(
                    model=repo, commit_oid=repo.head, weights_digest=f"{repo.pk:064x}", files_digest=f"{repo.pk:064x}",
                    benchmark=benchmark, engine_version="1", n=2000, value=value, low=value - 0.02, high=value + 0.02,
                    finished_at=now - timedelta(minutes=chance.randrange(200_000)), floors=FLOORS, device="cpu",
                    threads=2, relative_drop=chance.uniform(0, 0.3), metrics={"ece": {"value": chance.uniform(0, 0.2)}},
                    contamination=chance.choice(("unknown", "unknown", "not_found", "declared")),
                    report={"device_name": MACHINES[repo.pk % 2], "latency": {"p50_ms": latency},
                            "peak_rss_bytes": 300_000_000 + 4 * (repo.parameters or 0)},
                )
            )  # fmt: skip
    Evaluation.objects.bulk_create(rows, batch_size=500)


def measure(name: str, ask: Callable[[], object]) -> None:
    """Print the median and the longest time of a question, the time that the process worked, and its queries."""
    from django.db import connection

    asked = []

    def counting(execute: Callable[..., Any], *given: Any) -> Any:
        asked.append(given[0])
        return execute(*given)

    with connection.execute_wrapper(counting):
        ask()
    walls, works = [], []
    for _repeat in range(REPEATS):
        began, worked = time.perf_counter(), time.process_time()
        ask()
        walls.append(1000 * (time.perf_counter() - began))
        works.append(1000 * (time.process_time() - worked))
    wall, work = statistics.median(walls), statistics.median(works)
    verdict = "" if wall < AIM_MS else f"  OVER {AIM_MS:.0f} ms"
    print(f"{name:34} {len(asked):3} queries {wall:7.0f} ms {max(walls):7.0f} at most {work:7.0f} worked{verdict}")


def bootstrap(models: int = 60, items: int = 2000, draws: int = 2000) -> None:
    """Print how long the draws of one benchmark take from the numbers of its examples to ranks."""
    import numpy as np

    from worker.engine.statistics import boards
    from worker.engine.statistics.ranking import TaskScores

    random_state = np.random.RandomState(0)
    hits = (random_state.random_sample((models, items)) < random_state.uniform(0.6, 0.9, (models, 1))).astype(float)
    took = []
    for _repeat in range(3):
        began = time.perf_counter()
        plan = boards.plan_of(["classification"], [1.0], draws=draws, seed=0)
        by_task = boards.drawn_items(plan, 0, TaskScores(items, hits)).T[None]
        drawn = boards.mean_in_draws(plan, by_task.astype(np.float32))
        boards.rank_intervals(drawn, np.arange(models))
        took.append(time.perf_counter() - began)
    verdict = "" if min(took) < AIM_BOOTSTRAP else f"  OVER {AIM_BOOTSTRAP:.0f} s"
    print(f"bootstrap of {models} models x {items} examples x {draws} draws: {statistics.median(took):.2f} s{verdict}")


def ask_all() -> None:
    """Measure every way to see the board."""
    from django.test import Client

    from leaderboard import ranking
    from leaderboard.board_views import View
    from leaderboard.models import Suite

    suite = Suite.objects.approved().get()
    first = ranking.board_of(suite)
    client = Client(raise_request_exception=True)

    def page(query: str = "") -> Callable[[], object]:
        return lambda: client.get(f"/leaderboard/large?{query}").content

    measure("rows of the board alone", lambda: ranking.board_of(suite))
    measure("ranks alone (what charts read)", lambda: ranking.places_of(suite))
    measure("page of the board", page())
    measure("second page", page(first.view.query(after=first.next)))
    measure("at most 25M parameters", page("size=25M"))
    measure("a licence and a language", page("license=permissive&language=zh"))
    measure("latency on a machine", page("max_latency=20"))
    measure("without declared training data", page("contamination=not-declared"))
    measure("found by name", page("q=model-0042"))
    for order in ("borda", "parameters", "latency", f"b{first.columns[0].benchmark_id}"):
        measure(f"ordered by {order}", page(f"sort={order}"))
    measure("Pareto data and chart", lambda: client.get("/leaderboard/large/charts").content)
    measure("REST API", lambda: client.get("/api/v1/leaderboard/large").content)
    measure("list of boards", lambda: client.get("/leaderboard?q=large").content)
    measure("filters that leave nothing", lambda: ranking.board_of(suite, View(language="xx")))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=int, default=MODELS)
    parser.add_argument("--benchmarks", type=int, default=BENCHMARKS)
    parser.add_argument("--keep", type=Path, help="a folder in which the database stays, for looking at the pages")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="boards-") as temporary:
        folder = options.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "portal.sqlite3"
        is_there = path.exists()
        if not is_there:
            shutil.copyfile(databases.sqlite(), path)
        os.environ["DATABASE_URL"] = f"sqlite:///{path}"
        os.environ["DATA_DIR"] = str(folder)
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.config.settings.test")
        import portal.config.wsgi  # noqa: F401, I001  (first, since it sets Django up)

        from leaderboard import standings
        from leaderboard.models import BoardRow, Suite

        bootstrap()
        if not is_there:
            began = time.perf_counter()
            load(options.models, options.benchmarks)
            print(f"loaded {options.models} x {options.benchmarks} scores in {time.perf_counter() - began:.0f} s")
        if not BoardRow.objects.exists():
            began = time.perf_counter()
            standings.renew(Suite.objects.get())
            print(f"computed the board in {time.perf_counter() - began:.0f} s")
        began = time.perf_counter()
        standings.renew(Suite.objects.get(), BoardRow.objects.values_list("model", flat=True)[:1])
        print(f"renewed the row of one model in {time.perf_counter() - began:.1f} s")
        ask_all()


if __name__ == "__main__":
    main()
