"""kill -9 of the web process amid commits, and of all of it: what was accepted stays, nothing half-written is visible.

What was under way on each way in is in tests/wire/test_killed.py.
"""

import json
import os
import signal
import subprocess
import threading
import time
from pathlib import Path

import pytest
import requests

from tests.live import LivePortal

pytestmark = pytest.mark.live
FILES = 50  # of one commit


@pytest.fixture
def portal(tmp_path: Path):
    with LivePortal(tmp_path) as made:
        yield made


def commit_body(number: int) -> str:
    """A commit of FILES small files in a folder of its own, as the client sends it."""
    lines = [{"key": "header", "value": {"summary": f"commit {number}"}}]
    for n in range(FILES):
        file = {"path": f"f{number}/{n}.txt", "content": "eA==", "encoding": "base64"}
        lines.append({"key": "file", "value": file})
    return "\n".join(json.dumps(line) for line in lines)


def pages_of(url: str) -> list[dict[str, str]]:
    """Follow the pages of a listing."""
    rows: list[dict[str, str]] = []
    while url:
        answer = requests.get(url, timeout=30)
        rows += answer.json()
        url = answer.links.get("next", {}).get("url", "")
    return rows


def test_the_web_process_killed_in_commits_keeps_whole_commits_only(portal: LivePortal):
    token = portal.user("kate")
    headers = {"Authorization": f"Bearer {token}"}
    assert requests.post(f"{portal.url}/api/repos/create", json={"name": "weights"}, headers=headers, timeout=30).ok
    accepted: list[str] = []

    def commit_forever() -> None:
        number = 0
        while True:
            number += 1
            try:
                answer = requests.post(
                    f"{portal.url}/api/models/kate/weights/commit/main", data=commit_body(number),
                    headers={**headers, "Content-Type": "application/x-ndjson"}, timeout=60,
                )  # fmt: skip
            except requests.RequestException:
                return
            if answer.ok:
                accepted.append(answer.json()["commitOid"])

    thread = threading.Thread(target=commit_forever)
    thread.start()
    deadline = time.monotonic() + 60
    while len(accepted) < 3:
        assert time.monotonic() < deadline, portal.log()[-3000:]
        time.sleep(0.03)  # so that the next commit is under way
    portal.kill()
    thread.join(60)
    portal.start()
    history = pages_of(f"{portal.url}/api/models/kate/weights/commits/main")
    oids = {row["id"] for row in history}
    assert accepted
    assert set(accepted) <= oids, "an accepted commit was lost"
    tree = pages_of(f"{portal.url}/api/models/kate/weights/tree/main?recursive=true")
    folders = {row["path"].split("/")[0] for row in tree if row["path"].startswith("f")}
    files = [row for row in tree if row["type"] == "file" and row["path"].startswith("f")]
    assert len(files) == FILES * len(folders), "a commit is half visible"


def test_a_killed_supervisor_takes_its_children_along(tmp_path: Path):
    with LivePortal(tmp_path, with_worker=True) as portal:
        assert portal.process is not None
        children = subprocess.run(
            ["pgrep", "-P", str(portal.process.pid)], capture_output=True, text=True, check=True
        ).stdout.split()
        assert len(children) >= 4  # redis, web, relay, worker
        os.kill(portal.process.pid, signal.SIGKILL)
        portal.process.wait(10)
        deadline = time.monotonic() + 60
        while any(os.path.exists(f"/proc/{pid}") for pid in children):
            assert time.monotonic() < deadline, "children outlived their supervisor"
            time.sleep(0.2)
        portal.start()  # the lock, the port and the socket are free again
