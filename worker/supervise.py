"""`python -m worker.supervise`: starts the processes of the portal and watches over them, until stopped.

`manage.py run_portal` becomes this process once all is ready. Nothing of Django is imported here: its apps would take
a tenth of a small machine's memory for as long as the portal runs.
"""

import json
import os
import signal
import sys
import time
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from http.client import HTTPException
from types import FrameType
from typing import NoReturn

from worker.supervising import Supervisor


@dataclass(frozen=True)
class Plan:
    """What to run: `children` by name, always, and `once` when the portal answers at `url`."""

    url: str
    started: float  # on the monotonic clock, which processes of one machine share
    children: Mapping[str, Sequence[str]]
    once: Mapping[str, Sequence[str]] = field(default_factory=dict)


def become(plan: Plan, env: Mapping[str, str]) -> NoReturn:
    """Replace the running process by one that carries the plan out; descriptors marked as inheritable stay open."""
    sys.stdout.flush()
    os.execve(sys.executable, [sys.executable, "-m", "worker.supervise", json.dumps(asdict(plan))], dict(env))  # noqa: S606


def carry_out(plan: Plan) -> None:
    supervisor = Supervisor(env=os.environ)
    _stop_on_signals(supervisor)
    try:
        for name, command in plan.children.items():
            supervisor.start(name, command)
        if supervisor.watch(until=lambda: _answers(plan.url)):
            supervisor.write(f"\n  The portal answers at {plan.url} after {time.monotonic() - plan.started:.1f} s.")
            supervisor.write("  Ctrl-C stops it.\n")
            for name, command in plan.once.items():
                supervisor.start(name, command, once=True)
        supervisor.watch()
    finally:
        supervisor.stop()


def _stop_on_signals(supervisor: Supervisor) -> None:
    def ask_to_stop(number: int, frame: FrameType | None) -> None:
        supervisor.stopping.set()

    signal.signal(signal.SIGINT, ask_to_stop)
    signal.signal(signal.SIGTERM, ask_to_stop)


def _answers(url: str) -> bool:
    # A proxy of the environment has no business between a machine and itself.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"{url}/healthz", timeout=2) as answer:
            return bool(answer.status == 200)
    except (OSError, HTTPException):  # refused, too slow, an answer that says no, or not the portal
        return False


if __name__ == "__main__":
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    carry_out(Plan(**json.loads(sys.argv[1])))
