"""Large uploads in a real browser: cut off twice, they arrive intact, and neither side's memory grows with them."""

import hashlib
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import requests
from playwright.sync_api import Page, expect, sync_playwright

from tests.live import PASSWORD, LivePortal, free_port
from tests.servers import need

pytestmark = [pytest.mark.live, pytest.mark.browser]
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
MIB = 1024**2
SIZE = 2 * 1024**3 + 12_345
# What the processes of one side may grow by, whatever the size of the file.
MOST_GROWTH = 384 * MIB  # of 2048: what a busy machine has not yet collected is counted too
SECONDS = 600


class Line:
    """The line between browser and portal, which can be cut."""

    def __init__(self, target: int) -> None:
        self.port, self._target = free_port(), target
        self._listener: socket.socket | None = None
        self._open: list[socket.socket] = []
        self.mend()

    def mend(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def cut(self) -> None:
        assert self._listener is not None
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for sock in self._open:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()
        self._open = []

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                near, _address = listener.accept()
                try:
                    far = socket.create_connection(("127.0.0.1", self._target))
                except OSError:
                    near.close()
                    continue
                self._open += [near, far]
                for ends in ((near, far), (far, near)):
                    threading.Thread(target=self._pump, args=ends, daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while block := source.recv(256 * 1024):
                sink.sendall(block)
        for sock in (source, sink):
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()


def children(pid: int) -> list[int]:
    found = [pid]
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):
            for child in task.read_text().split():
                found += children(int(child))
    return found


def anonymous_memory(pid: int) -> int:
    """Return the bytes that a process and its descendants hold for themselves."""
    total = 0
    for one in set(children(pid)):
        with suppress(OSError):
            lines = Path(f"/proc/{one}/status").read_text().splitlines()
            total += sum(int(line.split()[1]) * 1024 for line in lines if line.startswith(("RssAnon", "RssShmem")))
    return total


class Memory:
    """The most that the processes of both sides came to hold, above what they held at first."""

    def __init__(self, portal: LivePortal, browser: int) -> None:
        self._portal, self._browser = portal, browser
        self._first = self._now()
        self.growth = {"portal": 0, "browser": 0}

    def look(self) -> None:
        for side, now in self._now().items():
            self.growth[side] = max(self.growth[side], now - self._first[side])

    def _now(self) -> dict[str, int]:
        assert self._portal.process is not None
        return {
            "portal": anonymous_memory(self._portal.process.pid),
            "browser": anonymous_memory(self._browser),
        }


@pytest.fixture
def portal(tmp_path: Path) -> Iterator[LivePortal]:
    with LivePortal(tmp_path) as started:
        token = started.user("wanda")
        answer = requests.post(
            f"{started.url}/api/repos/create",
            json={"name": "heavy"},
            headers={"Authorization": f"Bearer {token}"},
            timeout=30,
        )
        assert answer.ok, answer.text
        yield started


@pytest.fixture
def line(portal: LivePortal) -> Iterator[Line]:
    line = Line(portal.port)
    yield line
    line.cut()


@pytest.fixture
def page(portal: LivePortal, line: Line) -> Iterator[Page]:
    [chromium] = need("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        page = browser.new_context(locale="en-US").new_page()
        address = f"http://127.0.0.1:{line.port}"
        page.goto(f"{address}/accounts/login/")
        page.fill("[name=login]", "wanda")
        page.fill("[name=password]", PASSWORD)
        page.locator("main button[type=submit]").click()
        page.wait_for_url(lambda found: "login" not in found)
        page.goto(f"{address}/wanda/heavy/upload/main")
        yield page
        browser.close()


def browser_pid() -> int:
    """Return the process of Chromium that this test started, among the descendants of its own."""
    for pid in children(os.getpid()):
        with suppress(OSError):
            command = Path(f"/proc/{pid}/cmdline").read_bytes()
            if b"--remote-debugging-pipe" in command and b"--type=" not in command:
                return pid
    raise AssertionError("no browser")


def large_file(path: Path) -> str:
    """Write a sparse file of which no two parts are the same; returns its sha256."""
    with path.open("wb") as file:
        for start in range(0, SIZE, MIB):
            file.seek(start)
            file.write(start.to_bytes(8, "little") * 64)
        file.truncate(SIZE)
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def percent(page: Page) -> int:
    return int(page.get_by_role("progressbar").get_attribute("aria-valuenow") or 0)


def wait_until(page: Page, wanted: int, memory: Memory) -> None:
    deadline = time.monotonic() + SECONDS
    while percent(page) < wanted:
        assert time.monotonic() < deadline, page.locator("#upload").inner_text()
        assert not page.locator("#upload-errors .alert").count(), page.locator("#upload-errors").inner_text()
        memory.look()
        page.wait_for_timeout(100)


def choose(page: Page, *paths: Path) -> None:
    page.locator("input[name=files]").set_input_files([str(path) for path in paths])


def test_two_gibibytes_arrive_though_the_line_is_cut_and_the_portal_restarts(
    portal: LivePortal, line: Line, page: Page, tmp_path: Path
):
    path = tmp_path / "heavy.bin"
    digest = large_file(path)
    choose(page, path)
    memory = Memory(portal, browser_pid())
    began = time.monotonic()
    page.get_by_role("button", name="Publish").click()

    wait_until(page, 15, memory)
    line.cut()
    expect(page.locator("#upload-progress")).to_have_attribute("data-state", "waiting", timeout=60_000)
    line.mend()

    wait_until(page, 40, memory)
    portal.kill()
    page.wait_for_timeout(1500)
    portal.start()
    memory = Memory(portal, browser_pid())

    wait_until(page, 60, memory)
    page.reload()
    expect(page.locator("#unfinished")).to_contain_text("have arrived")
    page.get_by_role("button", name="Go on").click()
    choose(page, path)
    page.get_by_role("button", name="Publish").click()
    wait_until(page, 99, memory)
    page.wait_for_url("**/tree/main", timeout=SECONDS * 1000)
    memory.look()
    seconds = time.monotonic() - began
    print(f"{SIZE} bytes in {seconds:.0f} s; memory grew by at most {memory.growth}")

    [entry] = requests.get(f"{portal.url}/api/models/wanda/heavy/tree/main?expand=0", timeout=30).json()[1:]
    assert (entry["lfs"]["oid"], entry["size"]) == (digest, SIZE)
    stored = portal.data / "blobs" / digest[:2] / digest[2:4] / digest
    with stored.open("rb") as file:
        assert hashlib.file_digest(file, "sha256").hexdigest() == digest
    assert max(memory.growth.values()) < MOST_GROWTH, memory.growth


# Stands in for the reader, who cannot be asked here: a picker whose file lies in the storage of the page’s own origin.
PICKER = """window.showOpenFilePicker = async () => {
  const root = await navigator.storage.getDirectory();
  const handle = await root.getFileHandle("picked.bin", { create: true });
  if ((await handle.getFile()).size === 0) {
    const file = await handle.createWritable();
    await file.write(new Uint8Array(60_000_000).fill(7));
    await file.close();
  }
  return [handle];
};"""


def test_after_a_reload_an_upload_goes_on_without_choosing_its_files_again(
    portal: LivePortal, line: Line, page: Page
) -> None:
    page.add_init_script(PICKER)
    page.reload()
    page.locator("input[name=files]").click()
    expect(page.locator("#chosen")).to_contain_text("picked.bin")
    page.get_by_role("button", name="Publish").click()
    while percent(page) < 10:
        page.wait_for_timeout(20)
    line.cut()
    expect(page.locator("#upload-progress")).to_have_attribute("data-state", "waiting", timeout=60_000)
    line.mend()
    page.reload()
    page.get_by_role("button", name="Go on").click()
    page.wait_for_url("**/tree/main", timeout=60_000)
    files = requests.get(f"{portal.url}/api/models/wanda/heavy/tree/main", timeout=30).json()
    assert {one["path"]: one["size"] for one in files}["picked.bin"] == 60_000_000


def test_a_folder_of_500_small_files_is_one_commit_in_seconds(portal: LivePortal, page: Page, tmp_path: Path):
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(500):
        (folder / f"{number}.txt").write_text(f"file {number}\n" * 50, encoding="utf-8")
    page.locator("[data-folder-input]").set_input_files(str(folder))
    began = time.monotonic()
    page.get_by_role("button", name="Publish").click()
    page.wait_for_url("**/tree/main", timeout=60_000)
    seconds = time.monotonic() - began
    print(f"500 files in {seconds:.1f} s")
    assert seconds < 40
    files = requests.get(f"{portal.url}/api/models/wanda/heavy/tree/main/many", timeout=30).json()
    assert len(files) == 500
    commits = requests.get(f"{portal.url}/api/models/wanda/heavy/commits/main", timeout=30).json()
    assert len(commits) == 2
