"""A process that has loaded the portal, and is forked into others: each that starts by itself loads it for a second."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from types import TracebackType
from typing import Any, Self

ROOT = Path(__file__).resolve().parent.parent


class Fork:
    """A process that was forked, with what is used of `subprocess.Popen`."""

    def __init__(self, origin: "Loaded", pid: int) -> None:
        self.origin, self.pid = origin, pid
        self.returncode: int | None = None

    def poll(self) -> int | None:
        if self.returncode is None:
            self.returncode = self.origin.ask(ended=self.pid)
        return self.returncode

    def wait(self, timeout: float) -> int:
        deadline = time.monotonic() + timeout
        while (code := self.poll()) is None:
            if time.monotonic() > deadline:
                raise subprocess.TimeoutExpired(f"fork {self.pid}", timeout)
            time.sleep(0.02)
        return code

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


class Loaded:
    """The process with the portal in it; what it is told to run is run in forks, and never in itself."""

    def __init__(self, folder: Path, env: Mapping[str, str], *modules: str) -> None:
        self.folder = folder
        with (folder / "loaded.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.loaded", *modules], cwd=ROOT, env=dict(env), text=True,
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log,
            )  # fmt: skip

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self.process:  # which closes its input, so that it ends
            pass

    def ask(self, **asked: Any) -> Any:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        print(json.dumps(asked), file=self.process.stdin, flush=True)
        return json.loads(self.process.stdout.readline())

    def start(self, code: str, *, out: Path, err: Path) -> Fork:
        return Fork(self, self.ask(code=code, out=str(out), err=str(err)))

    def run(self, code: str, seconds: float) -> str:
        """Run code to its end and return what it printed."""
        out, err = self.folder / "script.out", self.folder / "script.err"
        for path in (out, err):
            path.unlink(missing_ok=True)
        fork = self.start(code, out=out, err=err)
        try:
            ended = fork.wait(seconds)
        finally:
            fork.kill()
        assert ended == 0, f"{code}\n{out.read_text()}\n{err.read_text()}"
        return out.read_text()


def serve() -> None:
    """Fork as told line by line; a fork goes on from here to the end of its program, as any other does."""
    import django

    django.setup()
    for module in sys.argv[1:]:
        import_module(module)
    for line in sys.stdin:
        asked = json.loads(line)
        if "ended" in asked:
            print(json.dumps(ended(asked["ended"])), flush=True)
        elif pid := os.fork():
            print(pid, flush=True)
        else:
            os.setsid()
            for number, path in enumerate((os.devnull, asked["out"], asked["err"])):
                os.dup2(os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644), number)
            sys.argv = ["-c"]
            exec(asked["code"], {"__name__": "__main__"})
            return


def ended(pid: int) -> int | None:
    with suppress(ChildProcessError):
        found, status = os.waitpid(pid, os.WNOHANG)
        return os.waitstatus_to_exitcode(status) if found else None
    return None


if __name__ == "__main__":
    serve()
