"""The one way to run something that is not trusted."""

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from worker.sandbox.contracts import Limits, Outcome, Policy
from worker.sandbox.detection import detect
from worker.sandbox.starting import Job
from worker.sandbox.watching import execute

STDERR_BYTES = 16 * 1024


def run(
    command: Sequence[str],
    *,
    readonly: Sequence[Path],
    writable: Path,
    limits: Limits,
    on_line: Callable[[str], None],
    should_stop: Callable[[], str | None],
    on_cpu: Callable[[float], None] | None = None,
    environment: Mapping[str, str] | None = None,
    devices: Sequence[Path] = (),
    policy: Policy = "auto",
    stderr_limit: int = STDERR_BYTES,
) -> Outcome:
    """Run a command as isolated as this machine can, and return when neither it nor a child of it is left.

    It sees the interpreter, the engine, `readonly` and `writable`, each at its own place, and no network. Nothing of
    the environment is passed on but `environment`, and of devices it has `devices` beside the harmless ones. `on_line`
    gets each line of its standard output, in bounded amounts; a reason from `should_stop`, asked five times a second,
    ends it; `on_cpu` then gets the seconds of processor time since it was called last. When root calls, what lies in
    `writable` afterwards belongs to the run's own user: take it out with `collect`, delete it with `discard`.
    """
    isolation = detect(policy)
    job = Job(
        command=command,
        readonly=[_absolute(path) for path in readonly],
        writable=_absolute(writable),
        environment=environment or {},
        limits=limits,
        devices=devices,
    )
    if not job.writable.is_dir() or job.writable.is_symlink():
        raise NotADirectoryError(f"{writable} is not a directory of its own")
    return execute(job, isolation, on_line=on_line, should_stop=should_stop, on_cpu=on_cpu, stderr_limit=stderr_limit)


def _absolute(path: Path) -> Path:
    # Not resolved: a spec names its files by the paths that the caller gave.
    return Path(os.path.abspath(path))
