"""What must not grow with the forum, measured with ten million posts.

Pages are asked for over HTTP, one after the other, from the portal as gunicorn serves it: each time another page, so
that nothing is answered from what was kept. `explain` asks for the same pages in this process, by Django's test client,
and shows how the database found what they show. The post with many watchers is written by the verb that the page calls,
and its watchers are told by the consumers and the job that the relay starts.
"""

import os
import re
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

import psutil
import requests
from django.conf import settings
from django.db import connection, transaction
from django.test import Client
from django.test.utils import override_settings
from django.utils import timezone

from benchmarks.forum import crowd, stock, wording
from benchmarks.forum.serving import Bench, forgotten, served, signed_in
from forum import opening, reading
from forum.models import Level, Post, Topic, TopicReader
from portal.models import Event, Job, User
from worker import telling
from worker.consumers import CONSUMERS

TURNS, COLD_TURNS = 60, 30
WATCHERS = 20_000
SCANNED = 20_000  # rows that a query may look at, before `explain` shows how it does


@dataclass(frozen=True)
class Asked:
    """A page, each time another one, and the time within which 95 of 100 shall come."""

    name: str
    path: Callable[[int], str]
    aim: int = 50
    reader: str = ""


def pages(only: str = "") -> list[Asked]:
    """Return all that is measured, or those pages that are named so."""
    return [asked for asked in _pages() if only in asked.name]


def _pages() -> Iterator[Asked]:
    newest = Topic.objects.order_by("-last_post").values_list("last_post", flat=True)[:1][0] or 0
    topics, long = Topic.objects.latest("pk").pk - 1, crowd.long_topic()
    step, begin = topics // (TURNS + 2), newest - crowd.LONG
    yield Asked("list, its first pages", lambda n: f"/forum/latest?before={begin - n * 30}")
    yield Asked("list, at any depth", lambda n: f"/forum/latest?before={begin - n * step}")
    yield Asked("list of a category, at any depth", lambda n: f"/forum/c/room-{n % 8}?before={begin - n * step}")
    yield Asked("list of a tag, at any depth", lambda n: f"/forum/tags/tag-{n % 30}?before={begin - n * step}")
    yield Asked("a topic", lambda n: Topic(pk=1 + n * step, title=_title(1 + n * step)).path)
    yield Asked("page 4,000 of a long topic and its like", lambda n: f"{long.path}?page={4000 - n}")
    for reader in ("heavy", "tracker"):
        yield Asked(f"unread topics, {reader} reader", lambda n: f"/forum/unread?n={n}", reader=reader)
        yield Asked(f"count of unread topics, {reader} reader", lambda n: f"/forum/unread/count?n={n}", reader=reader)
    yield Asked("list at any depth, heavy reader", lambda n: f"/forum/latest?before={begin - n * step}", reader="heavy")
    yield Asked("inbox with 2,000 rows", lambda n: f"/notifications?n={n}", reader="heavy")
    english, chinese = wording.frequent(0), wording.frequent(1)
    search = "/forum/search?q="
    yield Asked("search, a rare word", lambda n: f"{search}rare{n * 331 % stock.RARE}", 150)
    yield Asked("search, a frequent English word", lambda n: search + english[n % len(english)], 150)
    yield Asked("search, a frequent Chinese word", lambda n: search + chinese[n % len(chinese)], 150)
    for name, spoken in (("English", english), ("Chinese", chinese)):
        yield Asked(f"search, two {name} words", lambda n, said=spoken: search + _two(said, n), 150)  # type: ignore[misc]
    yield Asked(
        "search, three English words", lambda n: f"{search}{_two(english, n)}+{english[(n * 11 + 5) % 30]}", 150
    )
    yield Asked("search, a frequent and a rare word", lambda n: f"{search}{english[n % 9]}+rare{n * 997 % 20_000}", 150)
    yield Asked("search, the beginning of many words", lambda n: f"{search}{english[n % 30][:3]}", 150)
    yield Asked("search, the beginning of thousands of rare words", lambda n: f"{search}rare{n % 9 + 1}", 150)
    yield Asked("search, such a beginning and a word", lambda n: f"{search}rare{n % 9 + 1}+{english[n % 30]}", 150)
    yield Asked("search, the latest first", lambda n: f"{search}{_two(english, n)}&order=latest&before={begin}", 150)
    yield from _narrowed(search, english)


def _narrowed(search: str, english: list[str]) -> Iterator[Asked]:
    """Return searches of a part of the forum, whose words are frequent in all of it: where they are rare costs less."""
    days = (timezone.now() - Post.objects.order_by("pk")[0].created_at).days
    two = [f"{search}{_two(english, n)}" for n in range(TURNS + 1)]
    yield Asked("search, a word in one category", lambda n: f"{search}{english[n % 9]}&category=room-{n % 8}", 150)
    yield Asked("search, two words in one category", lambda n: f"{two[n]}&category=room-{n % 8}", 150)
    yield Asked("search, two words under one tag", lambda n: f"{two[n]}&tag=tag-{n % 30}", 150)
    yield Asked("search, a word by one author", lambda n: f"{search}{english[n % 30]}&author=reader{n * 37}", 150)
    yield Asked("search, two words among solved questions", lambda n: f"{two[n]}&kind=question&solved=1", 150)
    yield Asked(
        "search, two words of two weeks",
        lambda n: f"{two[n]}&since={_day(days - n * days // 70)}&until={_day(days - n * days // 70 - 14)}",
        150,
    )


def _day(ago: int) -> str:
    return f"{timezone.now() - timedelta(days=ago):%Y-%m-%d}"


def _two(spoken: list[str], n: int) -> str:
    return f"{spoken[n % len(spoken)]}+{spoken[(n * 7 + 3) % len(spoken)]}"


def _title(pk: int) -> str:
    return Topic.objects.values_list("title", flat=True).get(pk=pk)


def measure(url: str, *, only: str = "", cold: Path | None = None) -> None:
    """Print p50 and p95 of each page, and what a post costs that very many watch.

    With the folder of a `cold` database, nothing of its files is in the memory of the machine whenever a page is asked
    for.
    """
    begun = time.perf_counter()
    _lift_floors()
    print(f"the floors of two readers, in the background: {1000 * (time.perf_counter() - begun):.0f} ms")
    print(f"load of the machine {os.getloadavg()[0]:.1f}")
    with served(url) as bench:
        for asked in pages(only):
            _time_of(bench, asked, cold)
    if not cold and not only:
        _fan_out()


def _lift_floors() -> None:
    for user in User.objects.filter(username__in=("heavy", "tracker")):
        reading.lift_floor(user)


def _time_of(bench: Bench, asked: Asked, cold: Path | None) -> None:
    """Print p50 and p95 of a page, asked for one after the other."""
    headers = {"Cookie": signed_in(asked.reader)} if asked.reader else {}
    with requests.Session() as session:
        session.get(bench.portal.url + asked.path(0), headers=headers, timeout=120)
        took = []
        for turn in range(1, (COLD_TURNS if cold else TURNS) + 1):
            if cold:
                forgotten(cold)
            begun = time.perf_counter()
            answer = session.get(bench.portal.url + asked.path(turn), headers=headers, timeout=120)
            took.append(1000 * (time.perf_counter() - begun))
            assert answer.status_code == 200, f"{asked.path(turn)}: {answer.status_code}"
    took.sort()
    p95 = took[len(took) * 95 // 100 - 1]
    verdict = f"{'under' if p95 < asked.aim else 'OVER'} {asked.aim} ms"
    print(f"{asked.name:48} p50 {statistics.median(took):7.1f} ms  p95 {p95:7.1f} ms  {verdict}", flush=True)


def _fan_out(turns: int = 10) -> None:
    """Print what a post takes which nobody watches, and one that many watch, and then telling them of it.

    As many as are told by a row of their own, and so many that one row is for all.
    """
    by = User.objects.create_user(f"writer{Event.objects.count()}", "writer@example.org", is_staff=True)
    topics = Topic.objects.select_related("category").filter(pk__in=(1, 2, 3)).order_by("pk")
    for topic, watchers in zip(topics, (0, telling.MANY, WATCHERS), strict=True):
        people = User.objects.filter(username__startswith="reader").order_by("pk")[:watchers]
        rows = [TopicReader(user=user, topic=topic, level=Level.WATCHING) for user in people]
        TopicReader.objects.bulk_create(
            rows, batch_size=5000, update_conflicts=True, unique_fields=("user", "topic"), update_fields=("level",)
        )
        posted, told = [], []
        for turn in range(turns):
            posted.append(_spent(lambda n=turn, to=topic: opening.reply(to, by=by, text=f"Word {n}.")))  # type: ignore[misc]
            told.append(_spent(_tell))
        for name, spent in ((f"a post that {len(rows)} people watch", posted), ("telling them of it", told)):
            print(f"{name:48} {_middle(spent)}", flush=True)


class _Spent(NamedTuple):
    """What something took: milliseconds, those of the processors here and in the database, and statements."""

    wall: float
    here: float
    database: float
    statements: float


def _spent(act: Callable[[], object]) -> _Spent:
    """Do something and return what it took."""
    statements: list[str] = []

    def note(execute: Any, sql: str, given: Any, many: bool, context: Any) -> Any:
        statements.append(sql)
        return execute(sql, given, many, context)

    connection.ensure_connection()
    backend = psutil.Process(connection.connection.info.backend_pid)
    before = time.perf_counter(), time.process_time(), sum(backend.cpu_times()[:2])
    with connection.execute_wrapper(note):
        act()
    after = time.perf_counter(), time.process_time(), sum(backend.cpu_times()[:2])
    wall, here, database = (1000 * (late - early) for early, late in zip(before, after, strict=True))
    return _Spent(wall, here, database, len(statements))


def _middle(rows: list[_Spent]) -> str:
    wall, here, statements = (statistics.median(row[at] for row in rows) for at in (0, 1, 3))
    database = statistics.mean(row.database for row in rows)  # counted in hundredths of seconds
    return f"{wall:.1f} ms  CPU {here:.1f} ms here, {database:.1f} ms database  {statements:.0f} statements"


def _tell() -> None:
    """Do what follows from the last post, as the relay and the worker do."""
    event = Event.objects.filter(kind="topic.commented").latest("pk")
    with transaction.atomic():
        for consume in CONSUMERS[event.kind]:
            consume(event)
    while telling.tell_next(event):
        pass
    Job.objects.filter(kind=telling.JOB_KIND).delete()


Plan = tuple[str, int, int, str]


def explain(only: str = "") -> None:
    """Print for each page how many rows and buffers its queries take; those that take many, with their plans."""
    _lift_floors()
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    with override_settings(STORAGES={**settings.STORAGES, "staticfiles": plain}, BRIEFLY_SECONDS=0):
        _explain(only)


def _explain(only: str) -> None:
    for asked in pages(only):
        client = Client()
        if asked.reader:
            client.force_login(
                User.objects.get(username=asked.reader), "allauth.account.auth_backends.AuthenticationBackend"
            )
        client.get(asked.path(0))
        for turn in (7, 41):
            plans: list[Plan] = []

            def note(execute: Any, sql: str, given: Any, many: bool, context: Any, kept: Any = plans) -> Any:
                kept.append(_plan(sql, given))
                return execute(sql, given, many, context)

            with connection.execute_wrapper(note):
                status = client.get(asked.path(turn)).status_code
            rows, buffers = sum(plan[1] for plan in plans), sum(plan[2] for plan in plans)
            print(f"\n== {asked.name}: {status}, {len(plans)} queries, {rows} rows looked at, {buffers} buffers")
            for text, seen, _buffers, sql in plans:
                if seen > SCANNED or "Seq Scan on forum_post" in text or "Seq Scan on forum_topic" in text:
                    print(f"-- {sql[:1500]}\n{text}")


def _plan(sql: str, given: Any) -> Plan:
    """Return the plan of a query as text, the rows that it looked at, its buffers, and the query.

    In the transaction of the query, whose settings count, and past the wrapper that asks for it.
    """
    if not sql.startswith("SELECT"):
        return "", 0, 0, sql
    with connection.connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, TIMING OFF) {sql}", given)
        text = "\n".join(row[0] for row in cursor.fetchall())
    seen, loops = 0, 1
    for line in text.splitlines():
        if found := re.search(r"actual rows=(\d+) loops=(\d+)", line):
            loops = int(found[2])
            seen += int(found[1]) * loops if "Scan" in line else 0
        if found := re.search(r"Rows Removed by (?:Filter|Index Recheck): (\d+)", line):
            seen += int(found[1]) * loops
    shared = re.search(r"Buffers: (.*)", text)
    buffers = sum(int(number) for number in re.findall(r"(?:hit|read)=(\d+)", shared[1])) if shared else 0
    return text, seen, buffers, sql
