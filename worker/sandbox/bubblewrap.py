"""The bwrap command line: a root folder of its own with next to nothing in it, and no way to the network."""

import functools
import os
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path

from worker.sandbox.contracts import Limits
from worker.sandbox.interpreter import Visible

NAMESPACES = (
    "--unshare-user",
    "--unshare-pid",
    "--unshare-net",
    "--unshare-ipc",
    "--unshare-uts",
    "--unshare-cgroup-try",
)
IN_MEMORY = ("/dev/shm", "/tmp")  # noqa: S108 - inside, where nobody else is
TEMPORARY_SHARE = 4  # a quarter of the memory each at most
# bwrap's own two processes, which the kernel counts with those of the run.
OWN_PROCESSES = 2


def program() -> str | None:
    """Return where bwrap is, None where it is not installed."""
    return shutil.which("bwrap")


def command(
    inner: Sequence[str],
    *,
    bwrap: str,
    visible: Visible,
    readonly: Iterable[Path],
    writable: Path,
    devices: Iterable[Path],
    limits: Limits,
    filter_fd: int | None,
    status_fd: int,
    count_processes: bool,
) -> list[str]:
    """Return the command that runs `inner` behind namespaces, each path at the place it has outside."""
    argv = [bwrap, *NAMESPACES, "--die-with-parent", "--new-session", "--cap-drop", "ALL", "--hostname", "sandbox"]
    if _can_forbid_namespaces(bwrap):
        argv.append("--disable-userns")
    argv += ["--json-status-fd", str(status_fd)]
    if filter_fd is not None:
        argv += ["--seccomp", str(filter_fd)]
    argv += ["--proc", "/proc", "--dev", "/dev"]
    for folder in IN_MEMORY:
        argv += ["--size", str(limits.memory_mb * 1024**2 // TEMPORARY_SHARE), "--tmpfs", folder]
    for device in devices:
        argv += ["--dev-bind", str(device), str(device)]
    argv += ["--remount-ro", "/dev"]
    for target, path in visible.links:
        argv += ["--symlink", target, str(path)]
    prefix: list[str] = []
    shown = dict.fromkeys((*visible.paths, *readonly), "--ro-bind") | {writable: "--bind"}
    prlimit = shutil.which("prlimit") if count_processes else None
    if prlimit is not None:
        shown[Path(prlimit)] = "--ro-bind"
        prefix = [prlimit, f"--nproc={limits.processes}", "--"]
    # A folder before what lies in it, or the later mount would hide the earlier.
    for path in sorted(shown, key=lambda path: len(path.parts)):
        # From where it really is, as the way through a link may be closed to the run's user.
        argv += [shown[path], os.path.realpath(path), str(path)]
    return [*argv, "--remount-ro", "/", "--chdir", str(writable), "--", *prefix, *inner]


@functools.cache
def _can_forbid_namespaces(bwrap: str) -> bool:
    """Say whether this bwrap is 0.8 or newer; before that the system call filter alone forbids them."""
    answer = subprocess.run([bwrap, "--help"], capture_output=True, text=True, check=False, timeout=10)
    return "--disable-userns" in answer.stdout
