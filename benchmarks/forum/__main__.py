"""`python -m benchmarks.forum`: what the pages of the forum cost, on a PostgreSQL of its own, served by gunicorn.

First 5,000 topics of 20 posts: wrk with 8 connections asks for the list and for topics, as nobody and as somebody who
is signed in. CPU per request is that of the web processes and of the database together. With `--deep`, 500,000 topics
and ten million posts: lists at any depth, unread topics of somebody who has read nearly all, page 4,000 of a long
topic, the inbox, search, and a post that 20,000 people watch. wrk comes with Debian: `apt-get install wrk`.
"""

import argparse
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

import psutil
import requests

from tests.live import LivePortal
from tests.worker import postgres

CONNECTIONS = 8
LANES = 2
TURNS = 60
WATCHERS = 20_000


@dataclass(frozen=True)
class Bench:
    """The portal that is measured, and its database."""

    portal: LivePortal
    database: int  # the process of the postmaster
    cookie: str

    @property
    def pid(self) -> int:
        assert self.portal.process is not None
        return self.portal.process.pid


@contextmanager
def started(topics: int, posts: int, *, searched: bool) -> Iterator[Bench]:
    """Load a forum into a fresh cluster and serve it."""
    with postgres.cluster() as url, tempfile.TemporaryDirectory(prefix="forum-bench-") as folder:
        os.environ["DATABASE_URL"], os.environ["DATA_DIR"] = url, folder
        os.environ["DJANGO_SETTINGS_MODULE"] = "portal.config.settings.base"
        import django

        django.setup()
        from benchmarks.forum import stock

        stock.load(topics, posts, searched=searched)
        place = Path(unquote(urlsplit(url).netloc.rpartition("@")[2]))
        pid = int((place / "data" / "postmaster.pid").read_text().split()[0])
        with LivePortal(Path(folder), DATABASE_URL=url) as portal:
            yield Bench(portal, pid, _signed_in("reader1"))


def _signed_in(name: str) -> str:
    """Return the cookies of a browser in which this person is signed in."""
    from django.test import Client

    from portal.models import User

    client = Client()
    client.force_login(User.objects.get(username=name), "allauth.account.auth_backends.AuthenticationBackend")
    return "; ".join(f"{key}={morsel.value}" for key, morsel in client.cookies.items())


def cpu_of(pid: int) -> float:
    """Return the CPU seconds of a process and its children, ended ones included."""
    total = 0.0
    root = psutil.Process(pid)
    for one in [root, *root.children(recursive=True)]:
        try:
            spent = one.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += spent.user + spent.system + spent.children_user + spent.children_system
    return total


def load_with_wrk(bench: Bench, name: str, path: str, seconds: int, *, cookie: str = "", script: str = "") -> None:
    """Print requests per second, latency, CPU per request and the size of a page under load."""
    url = bench.portal.url + path
    headers = {"Cookie": cookie} if cookie else {}
    size = len(requests.get(url, headers=headers, timeout=30).content)
    command = ["wrk", f"-t{LANES}", f"-c{CONNECTIONS}", "--latency"]
    command += ["-H", f"Cookie: {cookie}"] if cookie else []
    command += ["-s", script] if script else []
    subprocess.run([*command, "-d3s", url], check=True, capture_output=True)  # warm-up
    before = cpu_of(bench.pid), cpu_of(bench.database)
    said = subprocess.run([*command, f"-d{seconds}s", url], check=True, capture_output=True, text=True).stdout
    after = cpu_of(bench.pid), cpu_of(bench.database)
    count = int(_found(r"(\d+) requests in", said))
    web, database = (1000 * (late - early) / max(count, 1) for early, late in zip(before, after, strict=True))
    bad = _found(r"Non-2xx or 3xx responses: (\d+)", said)
    rate, middle, late = (
        _found(pattern, said) for pattern in (r"Requests/sec:\s+(\S+)", r"^ +50%\s+(\S+)", r"^ +99%\s+(\S+)")
    )
    print(
        f"{name:34} {float(rate):7.1f}/s  p50 {middle:>9}  p99 {late:>9}  "
        f"CPU {web + database:5.2f} ms ({web:.2f} web, {database:.2f} database)  {size / 1000:.1f} KB"
        + (f"  {bad} REFUSED" if bad else ""),
        flush=True,
    )


def _found(pattern: str, text: str) -> str:
    found = re.search(pattern, text, re.MULTILINE)
    return found[1] if found else ""


def time_of(bench: Bench, name: str, paths: Callable[[int], str], aim: float, cookie: str = "") -> None:
    """Print p50 and p95 of a page, asked for one after the other, each time another one."""
    headers = {"Cookie": cookie} if cookie else {}
    with requests.Session() as session:
        session.get(bench.portal.url + paths(0), headers=headers, timeout=120)
        took = []
        for turn in range(TURNS):
            begun = time.perf_counter()
            answer = session.get(bench.portal.url + paths(turn + 1), headers=headers, timeout=120)
            took.append(1000 * (time.perf_counter() - begun))
            assert answer.status_code == 200, f"{paths(turn + 1)}: {answer.status_code}"
    took.sort()
    p95 = took[len(took) * 95 // 100 - 1]
    verdict = f"{'under' if p95 < aim else 'OVER'} {aim:.0f} ms"
    print(f"{name:44} p50 {statistics.median(took):7.1f} ms  p95 {p95:7.1f} ms  {verdict}", flush=True)


def pages(topics: int, posts: int, seconds: int) -> None:
    """Measure the list and the topic page under load."""
    print(f"{topics} topics of {posts} posts, wrk with {CONNECTIONS} connections for {seconds} s")
    with started(topics, posts, searched=False) as bench, tempfile.NamedTemporaryFile("w", suffix=".lua") as lua:
        print(f"load of the machine {os.getloadavg()[0]:.1f}")
        one = requests.get(f"{bench.portal.url}/forum/t/{topics // 2}", timeout=30).url.removeprefix(bench.portal.url)
        lua.write(_each_topic(topics))
        lua.flush()
        for who, cookie in (("guest", ""), ("signed in", bench.cookie)):
            load_with_wrk(bench, f"list of topics, {who}", "/forum/latest", seconds, cookie=cookie)
            load_with_wrk(bench, f"a topic of {posts} posts, {who}", one, seconds, cookie=cookie)
            load_with_wrk(bench, f"other topics each time, {who}", one, seconds, cookie=cookie, script=lua.name)


def _each_topic(topics: int) -> str:
    """Return a script of wrk that asks for many topics by their own addresses."""
    from forum.models import Topic

    paths = ",".join(f'"{topic.path}"' for topic in Topic.objects.order_by("?")[:2000])
    return f"""local paths, n = {{{paths}}}, 0
request = function() n = n + 1; return wrk.format("GET", paths[1 + n % #paths]) end
"""


def deep(topics: int, posts: int) -> None:
    """Measure what must not grow with the forum."""
    print(f"{topics} topics, {topics * posts} posts")
    with started(topics, posts, searched=True) as bench:
        from benchmarks.forum import stock
        from forum import reading
        from forum.models import Topic
        from portal.models import User

        stock.heavy_reader(topics)
        long = Topic.objects.get(pk=stock.long_topic(topics))
        heavy = _signed_in("heavy")
        print(f"load of the machine {os.getloadavg()[0]:.1f}")
        newest = topics * posts
        time_of(bench, "list, at any depth", lambda n: f"/forum/latest?before={newest - n * topics // (TURNS + 2)}", 50)
        time_of(bench, "list of a category, at any depth",
                lambda n: f"/forum/c/room-{n % 8}?before={newest - n * topics // (TURNS + 2)}", 50)  # fmt: skip
        time_of(bench, "list of a tag, at any depth",
                lambda n: f"/forum/tags/tag-{n % 30}?before={newest - n * topics // (TURNS + 2)}", 50)  # fmt: skip
        time_of(bench, "page 4,000 of a long topic and its like", lambda n: f"{long.path}?page={4000 - n}", 50)
        begun = time.perf_counter()
        reading.lift_floor(User.objects.get(username="heavy"))
        print(f"the floor of the heavy reader, in the background: {1000 * (time.perf_counter() - begun):.0f} ms")
        time_of(bench, "unread topics of the heavy reader", lambda n: f"/forum/unread?n={n}", 50, heavy)
        time_of(bench, "count of unread topics of the heavy reader", lambda n: f"/forum/unread/count?n={n}", 50, heavy)
        time_of(bench, "list, for the heavy reader", lambda n: f"/forum/latest?n={n}", 50, heavy)
        time_of(bench, "inbox with 2,000 rows", lambda n: f"/notifications?n={n}", 50, heavy)
        asked = [*stock.ENGLISH, *stock.CHINESE]
        time_of(bench, "search, a frequent word", lambda n: f"/forum/search?q={asked[n % len(asked)]}", 150)
        time_of(bench, "search, two frequent words",
                lambda n: f"/forum/search?q={asked[n % 30]}+{asked[(n * 7 + 3) % 30]}", 150)  # fmt: skip
        time_of(bench, "search, a rare word", lambda n: f"/forum/search?q=rare{n * 331 % stock.RARE}", 150)
        _fan_out()


def _fan_out() -> None:
    """Print how long a post takes which nobody watches, and one that many watch."""
    from benchmarks.forum import stock
    from forum import opening
    from forum.models import Topic
    from portal.models import User

    by = User.objects.create_user("writer", "writer@example.org", is_staff=True)
    quiet = Topic.objects.select_related("category").get(pk=1)
    loud = Topic.objects.select_related("category").get(pk=2)
    stock.watch(loud.pk, WATCHERS)
    for name, topic in (("nobody watches", quiet), (f"{WATCHERS} people watch", loud)):
        took = []
        for turn in range(10):
            begun = time.perf_counter()
            opening.reply(topic, by=by, text=f"One more word, number {turn} of {name}.")
            took.append(1000 * (time.perf_counter() - begun))
        print(f"a post in a topic that {name}: {statistics.median(took):.1f} ms")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--topics", type=int, default=0, help="5,000, with --deep 500,000")
    parser.add_argument("--posts", type=int, default=20, help="of each topic")
    parser.add_argument("--seconds", type=int, default=8, help="of each measurement with wrk")
    parser.add_argument("--deep", action="store_true", help="what must not grow with the forum")
    options = parser.parse_args()
    if not options.deep and shutil.which("wrk") is None:
        sys.exit("wrk is not installed here, and without it nothing can be measured: apt-get install wrk")
    if postgres.programs() is None:
        sys.exit("PostgreSQL is not installed here: apt-get install postgresql")
    if options.deep:
        deep(options.topics or 500_000, options.posts)
    else:
        pages(options.topics or 5_000, options.posts, options.seconds)


if __name__ == "__main__":
    main()
