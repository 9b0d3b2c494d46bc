"""The kinds of sandbox that one machine can show: as who is running, and as an ordinary user."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from worker import sandbox
from worker.sandbox import Limits, Outcome, Policy

ORDINARY_USER = 65534
SYSTEM_PYTHON = "/usr/bin/python3.11"
CALLER = Path(__file__).with_name("sandbox_caller.py")
ROOMY = Limits(memory_mb=512, cpu_seconds=10, wall_seconds=15, processes=24, disk_mb=16, open_files=64)


@dataclass(frozen=True)
class Attempt:
    """What one run said and how it ended."""

    outcome: Outcome
    lines: list[str]

    @property
    def answer(self) -> Any:
        """The last line, which the code under test prints as JSON."""
        assert self.lines, self.outcome
        return json.loads(self.lines[-1])


@dataclass(frozen=True)
class Kind:
    """One way to run code; `walls` names what `detect` must find for it."""

    name: str
    policy: Policy
    ordinary_user: bool

    @property
    def has_namespaces(self) -> bool:
        return self.policy != "rlimits"

    def attempt(self, code: str, folder: Path, *arguments: str, limits: Limits = ROOMY) -> Attempt:
        """Run Python code with nothing but the interpreter."""
        if self.ordinary_user:
            return self._as_ordinary_user(code, arguments, limits)
        lines: list[str] = []
        writable = folder / "out"
        writable.mkdir(exist_ok=True)
        outcome = sandbox.run(
            python(code, *arguments),
            readonly=[],
            writable=writable,
            limits=limits,
            on_line=lines.append,
            should_stop=lambda: None,
            policy=self.policy,
        )
        return Attempt(outcome, lines)

    def start(self, code: str, *arguments: str, limits: Limits = ROOMY) -> subprocess.Popen[str]:
        """Start a worker that makes a run and echoes its lines."""
        command = [sys.executable, "-I", str(CALLER)]
        if self.ordinary_user:
            user = str(ORDINARY_USER)
            command = ["setpriv", "--reuid", user, "--regid", user, "--clear-groups", SYSTEM_PYTHON, "-I", str(CALLER)]
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd="/tmp"
        )
        asked = {"code": code, "arguments": arguments, "limits": asdict(limits), "policy": self.policy, "echo": True}
        assert process.stdin is not None
        process.stdin.write(json.dumps(asked))
        process.stdin.close()
        return process

    def _as_ordinary_user(self, code: str, arguments: Sequence[str], limits: Limits) -> Attempt:
        with self.start(code, *arguments, limits=limits) as process:
            assert process.stdout is not None
            assert process.stderr is not None
            said, complaints = process.stdout.read(), process.stderr.read()
        assert process.returncode == 0, complaints
        result = json.loads(said.splitlines()[-1])
        return Attempt(Outcome(**result["outcome"]), result["lines"])


HERE = Kind("here", "auto", ordinary_user=False)
HERE_BARE = Kind("here without namespaces", "rlimits", ordinary_user=False)
USER = Kind("ordinary user", "auto", ordinary_user=True)
USER_BARE = Kind("ordinary user without namespaces", "rlimits", ordinary_user=True)
KINDS = (HERE, HERE_BARE, USER, USER_BARE)


def kinds(*chosen: Kind) -> pytest.MarkDecorator:
    """Run a test in each of these kinds, leaving out what this machine cannot be."""
    cannot = pytest.mark.skipif(
        os.geteuid() != 0 or not shutil.which("setpriv") or not Path(SYSTEM_PYTHON).exists(),
        reason="needs root, setpriv and a Python that every user can read",
    )
    return pytest.mark.parametrize(
        "kind",
        [pytest.param(kind, marks=cannot if kind.ordinary_user else (), id=kind.name) for kind in chosen or KINDS],
    )


def python(code: str, *arguments: str) -> list[str]:
    return [sys.executable, "-I", "-S", "-c", code, *arguments]


def limits(**changes: float) -> Limits:
    return replace(ROOMY, **changes)  # type: ignore[arg-type]


def processes_with(marker: str) -> list[int]:
    """The processes whose command line holds a marker; one that has been killed and not yet buried has none."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                command = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if marker.encode() in command:
                found.append(int(entry.name))
    return found
