"""`make bench`: start-up time and idle memory of the whole stack, and the time of its pages."""

import statistics
import tempfile
import time
from pathlib import Path

import psutil
import requests

from tests.live import LivePortal

SETTLE_SECONDS = 20
REPEATS = 30


def idle_memory(pid: int) -> list[tuple[str, float]]:
    """Return (command, proportional set size in MB) of a process and all below it."""
    root = psutil.Process(pid)
    rows = []
    for process in [root, *root.children(recursive=True)]:
        command = " ".join(process.cmdline()[1:4]) or process.name()
        rows.append((command, process.memory_full_info().pss / 1e6))
    return rows


def page_milliseconds(url: str) -> float:
    """Return the median time of a page over one kept connection."""
    with requests.Session() as session:
        session.get(url, timeout=30)
        times = []
        for _ in range(REPEATS):
            start = time.perf_counter()
            session.get(url, timeout=30).raise_for_status()
            times.append((time.perf_counter() - start) * 1000)
    return statistics.median(times)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        portal = LivePortal(Path(folder), with_worker=True)
        with portal:  # the first start migrates and collects; the second is what is measured
            pass
        start = time.perf_counter()
        with portal:
            print(f"second start until the portal answers: {time.perf_counter() - start:.1f} s")
            time.sleep(SETTLE_SECONDS)
            assert portal.process is not None
            rows = idle_memory(portal.process.pid)
            for command, megabytes in rows:
                print(f"  {megabytes:7.1f} MB  {command[:90]}")
            print(f"idle memory of the stack: {sum(megabytes for _command, megabytes in rows):.0f} MB (PSS)")
            baseline = page_milliseconds(portal.url + "/healthz")
            print(f"/healthz (the baseline): {baseline:.1f} ms")
            for page in ("/", "/models", "/datasets", "/leaderboard", "/accounts/login/"):
                took = page_milliseconds(portal.url + page)
                print(f"{page}: {took:.1f} ms, {took / baseline:.1f} times the baseline")


if __name__ == "__main__":
    main()
