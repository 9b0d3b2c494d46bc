"""Keeps the portal's processes running: prefixes their logs, restarts what dies, stops cleanly."""

import ctypes
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import IO

FIRST_DELAY, LAST_DELAY = 0.5, 30.0
HEALTHY_SECONDS = 20
STOP_SECONDS = 25
COLOURS = ("36", "32", "33", "35", "34", "31")
PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)

Print = Callable[[str], None]


def _die_with_parent() -> None:
    """Ask the kernel to end this child when the supervisor is killed, so that none is left behind."""
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


@dataclass
class Child:
    """One process that should always run, or once if `once`."""

    name: str
    command: Sequence[str]
    once: bool = False
    process: subprocess.Popen[str] | None = None
    reader: threading.Thread | None = None
    started: float = 0.0
    delay: float = FIRST_DELAY
    due: float = 0.0
    done: bool = False


@dataclass
class Supervisor:
    """Runs children until it is told to stop."""

    env: Mapping[str, str]
    write: Print = print
    coloured: bool = field(default_factory=sys.stdout.isatty)
    children: list[Child] = field(default_factory=list)
    stopping: threading.Event = field(default_factory=threading.Event)

    def start(self, name: str, command: Sequence[str], *, once: bool = False) -> Child:
        """Start one more child."""
        child = Child(name, command, once)
        self.children.append(child)
        self._spawn(child)
        return child

    def watch(self, until: Callable[[], bool] = lambda: False) -> bool:
        """Restart what dies, with growing delays, until `stopping` is set or `until` says so; returns its answer."""
        while not self.stopping.wait(0.2):
            for child in self.children:
                self._tend(child)
            if until():
                return True
        return False

    def stop(self) -> None:
        """End the children in reverse order of their start: first politely, then for good."""
        self.stopping.set()
        for child in reversed(self.children):
            if child.process and child.process.poll() is None:
                child.process.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        for child in reversed(self.children):
            if child.process is None:
                continue
            try:
                child.process.wait(max(deadline - time.monotonic(), 0.1))
            except subprocess.TimeoutExpired:
                self._say(f"{child.name} did not stop in time and is killed")
                child.process.kill()
                child.process.wait()
            if child.reader:
                child.reader.join(1)

    def _spawn(self, child: Child) -> None:
        child.started = time.monotonic()
        child.process = subprocess.Popen(
            child.command,
            env=dict(self.env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
            # Ctrl-C reaches the whole foreground group: only the supervisor shall act on it.
            start_new_session=True,
            preexec_fn=_die_with_parent,  # one system call: no lock, no allocation
        )
        assert child.process.stdout is not None
        child.reader = threading.Thread(target=self._relay_lines, args=(child, child.process.stdout), daemon=True)
        child.reader.start()

    def _relay_lines(self, child: Child, lines: IO[str]) -> None:
        label = f"{child.name:<6}|"
        if self.coloured:
            colour = COLOURS[self.children.index(child) % len(COLOURS)]
            label = f"\x1b[{colour}m{label}\x1b[0m"
        with lines:
            for line in lines:
                self._say(f"{label} {line.rstrip()}")

    def _say(self, line: str) -> None:
        """Write a line of the log. That its disk is full, or its reader gone, ends neither the portal nor the log."""
        with suppress(OSError):
            self.write(line)

    def _tend(self, child: Child) -> None:
        if child.done or child.process is None or child.process.poll() is None:
            return
        now = time.monotonic()
        if child.once and child.process.returncode == 0:
            child.done = True
            return
        if child.due == 0.0:
            if now - child.started > HEALTHY_SECONDS:
                child.delay = FIRST_DELAY
            child.due = now + child.delay
            status = child.process.returncode
            self._say(f"{child.name} ended with status {status}; starts again in {child.delay:.1f} s")
            child.delay = min(child.delay * 2, LAST_DELAY)
        elif now >= child.due:
            self._try_again(child, now)

    def _try_again(self, child: Child, now: float) -> None:
        """Start a child anew. A machine out of memory, which may be why it died, refuses that for a while."""
        try:
            self._spawn(child)
        except OSError as error:
            child.due = now + child.delay
            self._say(f"{child.name} cannot be started ({error.strerror}); another try in {child.delay:.1f} s")
            child.delay = min(child.delay * 2, LAST_DELAY)
        else:
            child.due = 0.0
