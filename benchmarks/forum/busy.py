"""The list and the topic page under load: requests per second, latency, CPU per request, the size of a page."""

import os
import re
import subprocess
import tempfile

import psutil
import requests

from benchmarks.forum.serving import Bench, served, signed_in

CONNECTIONS = 8
LANES = 2


def measure(url: str, topics: int, posts: int, seconds: int) -> None:
    """Ask for pages as nobody and as somebody who is signed in."""
    print(f"wrk with {CONNECTIONS} connections for {seconds} s; load of the machine {os.getloadavg()[0]:.1f}")
    with served(url) as bench, tempfile.NamedTemporaryFile("w", suffix=".lua") as lua:
        one = requests.get(f"{bench.portal.url}/forum/t/{topics // 2}", timeout=30).url.removeprefix(bench.portal.url)
        lua.write(_each_topic())
        lua.flush()
        for who, cookie in (("guest", ""), ("signed in", signed_in("reader1"))):
            _load(bench, f"list of topics, {who}", "/forum/latest", seconds, cookie=cookie)
            _load(bench, f"a topic of {posts} posts, {who}", one, seconds, cookie=cookie)
            _load(bench, f"other topics each time, {who}", one, seconds, cookie=cookie, script=lua.name)


def _each_topic() -> str:
    """Return a script of wrk that asks for many topics by their own addresses."""
    from forum.models import Topic

    paths = ",".join(f'"{topic.path}"' for topic in Topic.objects.order_by("?")[:2000])
    return f"""local paths, n = {{{paths}}}, 0
request = function() n = n + 1; return wrk.format("GET", paths[1 + n % #paths]) end
"""


def _load(bench: Bench, name: str, path: str, seconds: int, *, cookie: str = "", script: str = "") -> None:
    url = bench.portal.url + path
    headers = {"Cookie": cookie} if cookie else {}
    size = len(requests.get(url, headers=headers, timeout=30).content)
    command = ["wrk", f"-t{LANES}", f"-c{CONNECTIONS}", "--latency"]
    command += ["-H", f"Cookie: {cookie}"] if cookie else []
    command += ["-s", script] if script else []
    subprocess.run([*command, "-d3s", url], check=True, capture_output=True)  # warm-up
    before = _cpu_of(bench.pid), _cpu_of(bench.database)
    said = subprocess.run([*command, f"-d{seconds}s", url], check=True, capture_output=True, text=True).stdout
    after = _cpu_of(bench.pid), _cpu_of(bench.database)
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


def _cpu_of(pid: int) -> float:
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
