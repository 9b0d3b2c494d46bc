"""What a sandboxed run is given and what it answers."""

from dataclasses import dataclass
from typing import Literal

Mode = Literal["full", "namespace", "rlimits"]
Policy = Literal["auto", "require", "rlimits"]

# Exit status of a run whose sandbox could not be put up; `stderr_tail` then says why.
LAUNCH_FAILED = 125


class SandboxUnavailable(Exception):
    """The policy asks for an isolation that this machine cannot give; the message says how to mend it."""


@dataclass(frozen=True)
class Limits:
    """What one run may use at most; each number is enforced, none is advice."""

    memory_mb: int
    cpu_seconds: int
    wall_seconds: float
    processes: int  # threads count as processes, as the kernel counts them
    disk_mb: int  # for each file, and for the whole writable directory
    open_files: int


@dataclass(frozen=True)
class Isolation:
    """What was seen to work on this machine; `warning` is shown beside every job when something is missing."""

    mode: Mode
    own_user: bool  # the run gets a kernel user of its own, not the worker's
    syscall_filter: bool
    cgroup: bool  # memory and processes of a run are counted by the kernel as one
    file_rules: bool  # without namespaces: the kernel refuses every file that the run was not given
    warning: str | None

    @property
    def in_force(self) -> tuple[str, ...]:
        """The walls that stand, in words, for the provenance of a job."""
        walls = {
            "namespaces": self.mode != "rlimits",
            "own user": self.own_user,
            "system call filter": self.syscall_filter,
            "control group": self.cgroup,
            "file rules": self.file_rules,
            "resource limits": True,
        }
        return tuple(name for name, stands in walls.items() if stands)


@dataclass(frozen=True)
class Outcome:
    """How a run ended. `killed_because` is wall_time, cpu_time, memory, disk, processes, stopped:<reason> or None."""

    returncode: int  # negative is the number of the signal that ended it
    killed_because: str | None
    seconds: float
    peak_rss_bytes: int | None
    stderr_tail: str
