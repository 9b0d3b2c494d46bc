"""Bombs of every kind end with their own reason, and nothing of a run is left."""

import json
import os
import resource
import secrets
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.worker.sandboxes import HERE, HERE_BARE, ROOMY, USER, USER_BARE, Kind, kinds, limits, processes_with, python
from worker import sandbox
from worker.sandbox import LAUNCH_FAILED, cgroups, slots
from worker.sandbox.detection import detect

DAEMON = """
import os, signal, sys, time
marker = sys.argv[1]
signal.signal(signal.SIGTERM, signal.SIG_IGN)
signal.signal(signal.SIGHUP, signal.SIG_IGN)
for _ in range(3):
    if os.fork() == 0:
        try:
            os.setsid()
        except OSError:
            pass
        if os.fork() == 0:
            for descriptor in range(3):
                os.close(descriptor)
            time.sleep(60)
        os._exit(0)
print("ready", flush=True)
time.sleep(float(sys.argv[2]))
"""


@pytest.fixture(autouse=True, scope="module")
def swept() -> Iterator[None]:
    """The control groups of the workers that were killed here are taken away, as the next worker would."""
    yield
    detect.cache_clear()
    sandbox.detect()


def wait_until(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not happened():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


@kinds()
def test_a_memory_bomb_ends_with_memory(kind: Kind, tmp_path: Path) -> None:
    code = """
import time
held = []
while True:
    held.append(b"x" * (8 << 20))
    time.sleep(0.01)
"""
    outcome = kind.attempt(code, tmp_path, limits=limits(memory_mb=128)).outcome
    assert outcome.killed_because == "memory", outcome
    assert outcome.returncode == -signal.SIGKILL


@kinds(HERE, USER)
def test_memory_of_children_is_counted_together(kind: Kind, tmp_path: Path) -> None:
    code = """
import os, time
for _ in range(6):
    if os.fork() == 0:
        break
held = b"x" * (40 << 20)
time.sleep(5)
"""
    outcome = kind.attempt(code, tmp_path, limits=limits(memory_mb=160)).outcome
    assert outcome.killed_because == "memory", outcome


@kinds()
def test_a_fork_bomb_is_stopped(kind: Kind, tmp_path: Path) -> None:
    code = """
import os, time
made = 0
try:
    while made < 200:
        if os.fork() == 0:
            time.sleep(30)
        made += 1
except OSError:
    print(made, flush=True)
time.sleep(0.3)
"""
    attempt = kind.attempt(code, tmp_path, limits=limits(processes=24))
    # Without namespaces the kernel counts all processes of the user, and those of other runs come and go meanwhile.
    assert 0 < attempt.answer <= 60


@kinds(HERE, USER_BARE)
def test_a_run_that_sleeps_too_long_ends_with_wall_time(kind: Kind, tmp_path: Path) -> None:
    outcome = kind.attempt("import time; time.sleep(60)", tmp_path, limits=limits(wall_seconds=0.6)).outcome
    assert outcome.killed_because == "wall_time"
    assert 0.5 < outcome.seconds < 30  # of 60


@kinds(HERE, USER_BARE)
def test_an_endless_loop_ends_with_cpu_time(kind: Kind, tmp_path: Path) -> None:
    outcome = kind.attempt("while True: pass", tmp_path, limits=limits(cpu_seconds=1)).outcome
    assert outcome.killed_because == "cpu_time", outcome


@kinds(HERE, USER)
def test_processor_time_of_children_is_counted_together(kind: Kind, tmp_path: Path) -> None:
    code = """
import os
for _ in range(3):
    if os.fork() == 0:
        break
while True: pass
"""
    outcome = kind.attempt(code, tmp_path, limits=limits(cpu_seconds=2)).outcome
    assert outcome.killed_because == "cpu_time", outcome


ONE_FILE = "f = open('big', 'wb')\nwhile True: f.write(bytes(1 << 20))"
MANY_FILES = """
import time
for number in range(10**6):
    open(f"file-{number}", "wb").write(bytes(1 << 18))
    time.sleep(0.002)
"""
EMPTY_FILES = """
for number in range(10**6):
    open(f"file-{number}", "wb").close()
"""
DELETED_FILES = """
import os, time
held = []
for number in range(40):
    held.append(open("gone", "wb"))
    os.unlink("gone")
    held[-1].write(bytes(1 << 20)); held[-1].flush()
time.sleep(10)
"""
DEEP_FOLDERS = """
import os, time
for _ in range(300):
    os.mkdir("d" * 200)
    os.chdir("d" * 200)
time.sleep(10)
"""
CLOSED_FOLDER = """
import os, time
os.mkdir("closed"); os.mkdir("closed/inner"); os.chdir("closed/inner"); os.chmod("..", 0)
held = []
for number in range(40):
    held.append(open(f"file-{number}", "wb"))
    held[-1].write(bytes(1 << 20)); held[-1].flush()
time.sleep(10)
"""
FILLERS = {
    "one file": ONE_FILE,
    "many files": MANY_FILES,
    "empty files": EMPTY_FILES,
    "deleted files": DELETED_FILES,
    "deep folders": DEEP_FOLDERS,
    "closed folder": CLOSED_FOLDER,
}


@pytest.mark.parametrize("filler", FILLERS)
def test_a_disk_filler_ends_with_disk(filler: str, tmp_path: Path) -> None:
    outcome = HERE.attempt(FILLERS[filler], tmp_path, limits=limits(disk_mb=8)).outcome
    assert outcome.killed_because == "disk", outcome
    assert outcome.seconds < ROOMY.wall_seconds
    sandbox.discard(tmp_path / "out")
    assert not (tmp_path / "out").exists()


@kinds(HERE_BARE, USER, USER_BARE)
def test_hiding_places_do_not_help_a_disk_filler_that_has_the_workers_own_user(kind: Kind, tmp_path: Path) -> None:
    for filler in (ONE_FILE, DELETED_FILES, CLOSED_FOLDER):
        outcome = kind.attempt(filler, tmp_path, limits=limits(disk_mb=8)).outcome
        assert outcome.killed_because == "disk", outcome
        sandbox.discard(tmp_path / "out")


def test_a_flood_of_lines_is_bounded_and_costs_the_worker_little(tmp_path: Path) -> None:
    code = "import os\nwhile True: os.write(1, b'line\\n' * 10000); os.write(2, b'noise' * 10000)"
    before = resource.getrusage(resource.RUSAGE_SELF).ru_utime
    attempt = HERE.attempt(code, tmp_path, limits=limits(wall_seconds=1.5))
    spent = resource.getrusage(resource.RUSAGE_SELF).ru_utime - before
    assert attempt.outcome.killed_because == "wall_time"
    assert 100 < len(attempt.lines) < 600
    assert set(attempt.lines) == {"line"}
    assert len(attempt.outcome.stderr_tail) <= 16 * 1024
    assert spent < 1


def test_a_line_without_end_is_cut(tmp_path: Path) -> None:
    code = "import sys; sys.stdout.write('x' * 3_000_000 + '\\nnext\\n' + 'last')"
    attempt = HERE.attempt(code, tmp_path)
    assert [len(line) for line in attempt.lines] == [8192, 4, 4]


def test_bytes_that_are_no_text_are_shown_as_such(tmp_path: Path) -> None:
    attempt = HERE.attempt("import os; os.write(1, b'\\xff\\x00ok\\n'); os.write(2, b'\\xfe')", tmp_path)
    assert attempt.lines == ["\ufffd\x00ok"]
    assert attempt.outcome.stderr_tail == "\ufffd"


@kinds()
def test_daemons_do_not_outlive_the_run(kind: Kind, tmp_path: Path) -> None:
    marker = secrets.token_hex(8)
    attempt = kind.attempt(DAEMON, tmp_path, marker, "0")
    assert attempt.lines == ["ready"]
    assert attempt.outcome.returncode == 0
    assert attempt.outcome.seconds < 30
    assert processes_with(marker) == []


@kinds()
def test_nothing_is_left_when_the_worker_is_killed(kind: Kind) -> None:
    marker = secrets.token_hex(8)
    with kind.start(DAEMON, marker, "60") as worker:
        assert worker.stdout is not None
        assert worker.stdout.readline() == "ready\n"
        wait_until(lambda: len(processes_with(marker)) >= 4)
        worker.kill()
        wait_until(lambda: not processes_with(marker))


def test_the_control_group_of_a_worker_that_was_killed_is_taken_away_by_the_next() -> None:
    places = cgroups.find()
    if places is None or not sandbox.detect().own_user:
        pytest.skip("no control group is writable")
    with HERE.start("import os, time; print(os.getuid(), flush=True); time.sleep(60)") as worker:
        assert worker.stdout is not None
        slot = int(worker.stdout.readline()) - slots.FIRST_UID
        assert slot in cgroups.slots_with_group(places)
        worker.kill()
    wait_until(lambda: not cgroups.of_slot(places, slot).members())
    detect.cache_clear()
    sandbox.detect()
    assert slot not in cgroups.slots_with_group(places)


@kinds(HERE, HERE_BARE)
def test_a_stop_ends_the_run_with_its_reason(kind: Kind, tmp_path: Path) -> None:
    asked = iter([None, None, "cancelled by alice"])
    outcome = sandbox.run(
        python("import time; time.sleep(60)"), readonly=[], writable=tmp_path, limits=limits(), on_line=print,
        should_stop=lambda: next(asked), policy=kind.policy,
    )  # fmt: skip
    assert outcome.killed_because == "stopped:cancelled by alice"
    assert outcome.seconds < 30  # of 60


@kinds(HERE, HERE_BARE)
def test_an_error_of_the_caller_ends_the_run(kind: Kind, tmp_path: Path) -> None:
    marker = secrets.token_hex(8)

    def broken(line: str) -> None:
        raise ValueError(line)

    with pytest.raises(ValueError, match="ready"):
        sandbox.run(
            python(DAEMON, marker, "60"), readonly=[], writable=tmp_path, limits=limits(), on_line=broken,
            should_stop=lambda: None, policy=kind.policy,
        )  # fmt: skip
    assert processes_with(marker) == []


@kinds(HERE, HERE_BARE)
@pytest.mark.parametrize(
    ("code", "status"),
    [("raise SystemExit(7)", 7), ("raise SystemExit(125)", 1), ("import ctypes; ctypes.string_at(0)", -signal.SIGSEGV)],
)
def test_the_exit_status_is_the_commands_own(kind: Kind, code: str, status: int, tmp_path: Path) -> None:
    outcome = kind.attempt(code, tmp_path).outcome
    assert (outcome.returncode, outcome.killed_because) == (status, None)


@kinds(HERE, HERE_BARE)
def test_a_sandbox_that_cannot_be_put_up_says_so(kind: Kind, tmp_path: Path) -> None:
    outcome = sandbox.run(
        python("pass"), readonly=[tmp_path / "absent"], writable=tmp_path, limits=limits(), on_line=print,
        should_stop=lambda: None, policy=kind.policy,
    )  # fmt: skip
    assert outcome.returncode == LAUNCH_FAILED
    assert "No such file" in outcome.stderr_tail


def test_open_files_are_limited(tmp_path: Path) -> None:
    code = """
import json, os
held = []
try:
    while True: held.append(os.open("/dev/null", os.O_RDONLY))
except OSError as error:
    print(json.dumps(len(held)))
"""
    answer = HERE.attempt(code, tmp_path, limits=limits(open_files=48)).answer
    assert 40 <= answer < 48


def test_runs_at_the_same_time_have_different_users(tmp_path: Path) -> None:
    if not sandbox.detect().own_user:
        pytest.skip("runs share the worker's user here")
    code = "import os, time; print(os.getuid(), flush=True); time.sleep(60)"
    with HERE.start(code) as first, HERE.start(code) as second:
        assert first.stdout is not None
        assert second.stdout is not None
        uids = {first.stdout.readline(), second.stdout.readline()}
        first.kill()
        second.kill()
    assert len(uids) == 2


def test_a_run_starts_within_a_fraction_of_a_second(tmp_path: Path) -> None:
    seconds = sorted(HERE.attempt("pass", tmp_path).outcome.seconds for _ in range(5))
    assert seconds[0] < 0.5, json.dumps(seconds)


def test_the_peak_of_memory_is_reported(tmp_path: Path) -> None:
    code = "import time; held = b'x' * (64 << 20); time.sleep(0.5)"
    peak = HERE.attempt(code, tmp_path).outcome.peak_rss_bytes
    assert peak is not None
    assert 64 << 20 < peak < 128 << 20


def test_a_worker_thread_may_run_while_others_are_busy(tmp_path: Path) -> None:
    """The launcher is a process of its own: nothing is forked from a process with threads."""
    folders = [tmp_path / str(number) for number in range(4)]
    for folder in folders:
        folder.mkdir()
    with ThreadPoolExecutor(4) as pool:
        attempts = list(pool.map(lambda folder: HERE.attempt("print(1)", folder), folders))
    assert [attempt.lines for attempt in attempts] == [["1"]] * 4
    assert os.listdir(tmp_path / "0") == ["out"]
