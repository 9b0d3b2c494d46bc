"""What the processes of a run use, read from outside; a process that ends while it is read counts as nothing."""

import os
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

PAGE = os.sysconf("SC_PAGE_SIZE")
TICKS = os.sysconf("SC_CLK_TCK")
PROC = Path("/proc")


@dataclass(frozen=True)
class Used:
    """A moment's reading of some processes together."""

    memory_bytes: int  # their own pages; what they share with each other would be counted twice
    resident_bytes: int
    cpu_seconds: float  # of children that have ended, too
    tasks: int


def tree(root: int) -> list[int]:
    """Return a process and all that descend from it."""
    found, waiting = [], [root]
    while waiting:
        pid = waiting.pop()
        found.append(pid)
        try:
            for task in os.listdir(PROC / str(pid) / "task"):
                waiting += map(int, (PROC / str(pid) / "task" / task / "children").read_text().split())
        except OSError:
            continue
    return found


def used(pids: Iterable[int]) -> Used:
    """Add up what these processes use now."""
    memory = resident = tasks = 0
    cpu = 0.0
    for pid in pids:
        try:
            pages = (PROC / str(pid) / "statm").read_text().split()
            # The name in the second field may hold spaces and brackets; what follows the last bracket is plain.
            fields = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        resident += int(pages[1]) * PAGE
        memory += (int(pages[1]) - int(pages[2])) * PAGE
        cpu += sum(map(int, fields[11:15])) / TICKS
        tasks += int(fields[17])
    return Used(memory, resident, cpu, tasks)


def tasks_of_user(uid: int) -> int:
    """Count the threads that a user has on this machine."""
    pids = [int(entry.name) for entry in os.scandir(PROC) if entry.name.isdigit() and _owner(entry) == uid]
    return used(pids).tasks


def hidden_bytes(pids: Iterable[int]) -> int:
    """Return the size of files that these processes hold open and that no folder names any more."""
    sizes: dict[tuple[int, int], int] = {}
    for pid in pids:
        folder = PROC / str(pid) / "fd"
        try:
            names = os.listdir(folder)
        except OSError:
            continue
        for name in names:
            try:
                status = os.stat(folder / name)
            except OSError:
                continue
            if stat.S_ISREG(status.st_mode) and status.st_nlink == 0:
                sizes[status.st_dev, status.st_ino] = status.st_blocks * 512
    return sum(sizes.values())


def _owner(entry: os.DirEntry[str]) -> int | None:
    try:
        return entry.stat().st_uid
    except OSError:
        return None
