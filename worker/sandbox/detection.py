"""Finds out which walls really stand on this machine, by running something tiny behind each kind."""

import functools
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from worker.sandbox import bubblewrap, cgroups, seccomp, slots
from worker.sandbox.contracts import Isolation, Limits, Mode, Policy, SandboxUnavailable
from worker.sandbox.starting import Job
from worker.sandbox.watching import execute

PROBE_LIMITS = Limits(memory_mb=256, cpu_seconds=10, wall_seconds=20, processes=16, disk_mb=8, open_files=64)
PROBE = """
import json, os
def refused(path):
    try:
        open(path).close()
    except OSError:
        return True
    return False
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
print(json.dumps({
    "uid": os.getuid(),
    "capabilities": int(status["CapEff"], 16),
    "filter": int(status["Seccomp"]) == 2,
    "networks": sorted(line.split(":")[0].strip() for line in list(open("/proc/net/dev"))[2:]),
    "closed": refused("/etc/passwd"),
}))
"""

INSTALL = "Install bubblewrap (Debian, Ubuntu: apt install bubblewrap) and start the worker again."
ALLOW_NAMESPACES = (
    "Allow user namespaces for it (sysctl kernel.unprivileged_userns_clone=1, on Ubuntu "
    "kernel.apparmor_restrict_unprivileged_userns=0; in a container run it with --security-opt seccomp=unconfined) "
    "and start the worker again."
)
NO_CGROUP = (
    "No control group is writable, so the memory of a run is watched from outside and not limited by the kernel as a "
    "whole. Start the worker as root, or as a systemd unit with Delegate=yes and DelegateSubgroup=worker."
)
NO_OWN_USER = "Runs share the worker's user. Start the worker as root to give each run a user of its own."
NO_FILTER = "This processor is not known to the system call filter, so it is not in force."
NO_FILE_RULES = "The kernel has no Landlock, so a run can read every file that its user can. Use Linux 5.13 or newer."


@dataclass(frozen=True)
class Seen:
    """What the probe saw from inside."""

    uid: int
    capabilities: int
    filter: bool
    networks: list[str]
    closed: bool


class ProbeFailed(Exception):
    """A kind of isolation that does not work here; the message says what is wrong and how to mend it."""


@functools.cache
def detect(policy: Policy = "auto") -> Isolation:
    """Return the strongest isolation that works here, with a line for each missing wall; found out once."""
    problems: list[str] = []
    for mode in _modes(policy):
        try:
            isolation = _probed(mode)
        except ProbeFailed as failure:
            problems.append(str(failure))
            continue
        missing = [*problems, *_missing(isolation)]
        return replace(isolation, warning="\n".join(missing) or None)
    raise SandboxUnavailable(" ".join(problems))


def _modes(policy: Policy) -> Iterator[Mode]:
    if policy != "rlimits":
        # As root a run without a user of its own would be root on the host, whatever the namespaces say.
        yield "full" if os.geteuid() == 0 else "namespace"
    if policy != "require":
        yield "rlimits"


def _probed(mode: Mode) -> Isolation:
    if mode != "rlimits" and bubblewrap.program() is None:
        raise ProbeFailed(f"bubblewrap is not installed. {INSTALL}")
    hoped = Isolation(
        mode=mode,
        own_user=os.geteuid() == 0,
        syscall_filter=seccomp.program(namespaces=mode != "rlimits") is not None,
        cgroup=_can_make_groups(),
        file_rules=False,
        warning=None,
    )
    seen = _look(hoped)
    if seen.capabilities or seen.uid == 0:
        raise ProbeFailed(f"The {mode} sandbox would run as root or with capabilities, so it is not used.")
    if mode != "rlimits" and (seen.networks != ["lo"] or not seen.closed):
        raise ProbeFailed("bubblewrap does not close the network or the files here.")
    return replace(hoped, syscall_filter=seen.filter, file_rules=mode == "rlimits" and seen.closed)


def _look(isolation: Isolation) -> Seen:
    lines: list[str] = []
    with tempfile.TemporaryDirectory(prefix="sandbox-probe-") as folder:
        job = Job([sys.executable, "-I", "-S", "-c", PROBE], [], Path(folder), {}, PROBE_LIMITS)
        try:
            outcome = execute(job, isolation, on_line=lines.append, should_stop=lambda: None, stderr_limit=2000)
        except OSError as error:
            raise ProbeFailed(_why_not(isolation.mode, str(error))) from error
    if outcome.returncode != 0 or not lines:
        said = outcome.stderr_tail.strip().splitlines()
        raise ProbeFailed(_why_not(isolation.mode, said[-1] if said else f"exit status {outcome.returncode}"))
    return Seen(**json.loads(lines[0]))


def _why_not(mode: Mode, said: str) -> str:
    if mode == "rlimits":
        return (
            f"A run cannot be given a user of its own ({said}). Start the worker as an ordinary user, or install "
            "Python where every user can read it."
        )
    return f"bubblewrap cannot build a sandbox here ({said}). {ALLOW_NAMESPACES}"


def _can_make_groups() -> bool:
    places = cgroups.find()
    if places is None:
        return False
    try:
        _sweep(places)
        with slots.taken() as slot:
            group = cgroups.of_slot(places, slot)
            try:
                group.make(PROBE_LIMITS, extra_processes=0)
            finally:
                group.remove()
    except OSError:
        return False
    return True


def _sweep(places: cgroups.Places) -> None:
    """Take away the groups of workers that were killed."""
    for slot in cgroups.slots_with_group(places):
        with slots.held_if_free(slot) as held:
            if held:
                cgroups.of_slot(places, slot).remove()


def _missing(isolation: Isolation) -> Iterator[str]:
    if isolation.mode == "rlimits":
        yield (
            "Runs have no namespaces of their own: only resource limits, the system call filter and the file rules "
            "that the kernel has hold them."
        )
        if not isolation.file_rules:
            yield NO_FILE_RULES
    if not isolation.own_user:
        yield NO_OWN_USER
    if not isolation.cgroup:
        yield NO_CGROUP
    if not isolation.syscall_filter:
        yield NO_FILTER
