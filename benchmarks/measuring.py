"""What the measurements share: processes watched from outside, and load made by clients that cost little themselves."""

import http.client
import statistics
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

import psutil

SAMPLE_SECONDS = 0.1


def processes(pid: int) -> list[psutil.Process]:
    root = psutil.Process(pid)
    return [root, *root.children(recursive=True)]


def cpu_seconds(pid: int) -> float:
    """Return the CPU time that a process and its children have used."""
    times = [process.cpu_times() for process in processes(pid)]
    return sum(time.user + time.system for time in times)


@dataclass
class Peak:
    """The largest sum of private and shared memory seen, in MB, and what it was before."""

    before: float = 0.0
    peak: float = 0.0


@contextmanager
def memory_peak(pid: int) -> Iterator[Peak]:
    """Sample the proportional set size of a process and its children while the block runs."""
    found, done = Peak(before=_pss(pid)), threading.Event()

    def sample() -> None:
        while not done.wait(SAMPLE_SECONDS):
            found.peak = max(found.peak, _pss(pid))

    watcher = threading.Thread(target=sample)
    watcher.start()
    try:
        yield found
    finally:
        done.set()
        watcher.join()


def _pss(pid: int) -> float:
    return float(sum(process.memory_full_info().pss for process in processes(pid))) / 1e6


def seconds(action: Callable[[], object]) -> float:
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def curl(url: str, size: int, connections: int) -> float:
    """Fetch a file in `connections` ranges at once, drop it, and return how many seconds it took."""
    step = -(-size // connections)
    commands = [
        ["curl", "-sf", "-o", "/dev/null", "-r", f"{start}-{min(start + step, size) - 1}", url]
        for start in range(0, size, step)
    ]

    def fetch() -> None:
        for process in [subprocess.Popen(command) for command in commands]:
            assert process.wait() == 0, f"curl failed for {url}"

    return seconds(fetch)


@dataclass(frozen=True)
class Load:
    """What a number of clients saw of one address."""

    per_second: float
    median_ms: float
    p99_ms: float
    cpu_ms: float


def load(pid: int, url: str, *, method: str, requests: int, clients: int) -> Load:
    """Send requests over `clients` kept connections; `cpu_ms` is what the server spent on each."""
    place = urlsplit(url)
    path = f"{place.path}?{place.query}" if place.query else place.path

    def client(count: int) -> list[float]:
        connection = http.client.HTTPConnection(place.hostname or "", place.port)
        times = []
        for _ in range(count):
            start = time.perf_counter()
            connection.request(method, path)
            answer = connection.getresponse()
            answer.read()
            assert answer.status == 200, f"{method} {url}: {answer.status}"
            times.append(time.perf_counter() - start)
        return times

    client(20)
    used, start = cpu_seconds(pid), time.perf_counter()
    with ThreadPoolExecutor(clients) as pool:
        times = sorted(t for some in pool.map(client, [requests // clients] * clients) for t in some)
    took = time.perf_counter() - start
    return Load(
        per_second=len(times) / took,
        median_ms=statistics.median(times) * 1000,
        p99_ms=times[int(len(times) * 0.99)] * 1000,
        cpu_ms=(cpu_seconds(pid) - used) / len(times) * 1000,
    )
