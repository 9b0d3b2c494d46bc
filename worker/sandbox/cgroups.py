"""Control groups, versions 1 and 2: the kernel counts the memory and the processes of a run as one."""

import os
import signal
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from worker.sandbox.contracts import Limits

NEEDED = ("memory", "pids")
KILL_SECONDS = 5.0
NAME = "small-models-sandbox-"


@dataclass(frozen=True)
class Places:
    """Where groups can be made: for version 1 a folder for each controller, for version 2 one for all."""

    version: int
    folders: dict[str, Path]


@dataclass(frozen=True)
class Mount:
    """A mounted hierarchy; in a container often only the part of it below `root`."""

    kind: str
    options: frozenset[str]
    root: str
    place: Path

    def folder_of(self, group: str) -> Path:
        """Return the folder of a group that the kernel names by its path in the whole hierarchy."""
        return self.place / group.removeprefix(self.root).lstrip("/")


class Group:
    """The control group of one run."""

    def __init__(self, places: Places, name: str) -> None:
        self.version = places.version
        self.folders = {controller: folder / name for controller, folder in places.folders.items()}

    @property
    def members_files(self) -> list[str]:
        """The files into which a process writes itself to join."""
        return [str(folder / "cgroup.procs") for folder in self._distinct()]

    def make(self, limits: Limits, *, extra_processes: int) -> None:
        """Make the group anew, ending whatever a worker that died left in it."""
        self.remove()
        for folder in self._distinct():
            folder.mkdir()
        memory = str(limits.memory_mb * 1024**2)
        self._write("pids", "pids.max", str(limits.processes + extra_processes))
        if self.version == 1:
            self._write("memory", "memory.limit_in_bytes", memory)
            self._write("memory", "memory.memsw.limit_in_bytes", memory, optional=True)
        else:
            self._write("memory", "memory.max", memory)
            self._write("memory", "memory.swap.max", "0", optional=True)
            self._write("memory", "memory.oom.group", "1", optional=True)

    def members(self) -> list[int]:
        """Return the process ids in the group."""
        return [int(pid) for pid in _read(self.folders["pids"] / "cgroup.procs").split()]

    def refused_processes(self) -> bool:
        """Whether the run asked for more processes than it may have."""
        return _field(_read(self.folders["pids"] / "pids.events"), "max") > 0

    def ran_out_of_memory(self) -> bool:
        """Say whether the kernel had to kill a process of the group for its memory."""
        name = "memory.oom_control" if self.version == 1 else "memory.events"
        return _field(_read(self.folders["memory"] / name), "oom_kill") > 0

    def cpu_seconds(self) -> float | None:
        """Return the processor time of the group, ended processes included; None where it is not counted."""
        if self.version == 2:
            return _field(_read(self.folders["pids"] / "cpu.stat"), "usage_usec") / 1e6
        if "cpuacct" not in self.folders:
            return None
        return int(_read(self.folders["cpuacct"] / "cpuacct.usage") or 0) / 1e9

    def kill(self) -> None:
        """End every process of the group and wait until they are gone."""
        deadline = time.monotonic() + KILL_SECONDS
        while members := self.members():
            if time.monotonic() > deadline:
                raise RuntimeError(f"processes {members} of a sandboxed run cannot be ended")
            if not self._kill_at_once():
                for pid in members:
                    with suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
            time.sleep(0.002)

    def remove(self) -> None:
        """End what is left in the group and take it away; nothing happens if it does not exist."""
        if not any(folder.exists() for folder in self._distinct()):
            return
        self.kill()
        for folder in self._distinct():
            _remove_folder(folder)

    def _distinct(self) -> list[Path]:
        return list(dict.fromkeys(self.folders.values()))

    def _kill_at_once(self) -> bool:
        try:
            (self.folders["pids"] / "cgroup.kill").write_text("1")
        except OSError:
            return False
        return True

    def _write(self, controller: str, name: str, value: str, *, optional: bool = False) -> None:
        file = self.folders[controller] / name
        if not optional or file.exists():
            file.write_text(value)


def of_slot(places: Places, slot: int) -> Group:
    """Return the group of the run in a slot, which need not exist."""
    return Group(places, f"{NAME}{slot}")


def slots_with_group(places: Places) -> list[int]:
    """Return the slots whose group exists: of a run in progress, or of a worker that died."""
    names = {path.name.removeprefix(NAME) for folder in places.folders.values() for path in folder.glob(f"{NAME}*")}
    return [int(name) for name in names if name.isdigit()]


def find(proc: Path = Path("/proc/self")) -> Places | None:
    """Return where this process may make groups below its own, None where it may not."""
    mounts = _mounts(proc / "mountinfo")
    own = _own_paths(proc / "cgroup")
    places = _version_1(mounts, own) or _version_2(mounts, own)
    if places is None or not all(os.access(folder, os.W_OK) for folder in places.folders.values()):
        return None
    return places


def _version_1(mounts: list[Mount], own: dict[str, str]) -> Places | None:
    folders = {
        controller: mount.folder_of(own[controller])
        for mount in mounts
        if mount.kind == "cgroup"
        for controller in (*NEEDED, "cpuacct")
        if controller in mount.options and controller in own
    }
    return Places(1, folders) if all(controller in folders for controller in NEEDED) else None


def _version_2(mounts: list[Mount], own: dict[str, str]) -> Places | None:
    mount = next((mount for mount in mounts if mount.kind == "cgroup2"), None)
    if mount is None or "" not in own:
        return None
    folder = mount.folder_of(own[""])
    candidates = [folder]
    # A group that holds processes cannot have limited groups below it, so a unit with `DelegateSubgroup=` puts the
    # worker one level down and leaves the level above to it. A slice is systemd's own.
    if folder != mount.place and folder.parent.suffix != ".slice":
        candidates.append(folder.parent)
    for candidate in candidates:
        if _hands_down(candidate):
            return Places(2, dict.fromkeys(NEEDED, candidate))
    return None


def _hands_down(folder: Path) -> bool:
    control = folder / "cgroup.subtree_control"
    if not set(NEEDED) <= set(_read(control).split()):
        try:
            control.write_text(" ".join(f"+{controller}" for controller in NEEDED))
        except OSError:
            return False
    return set(NEEDED) <= {word.lstrip("+") for word in _read(control).split()}


def _mounts(mountinfo: Path) -> list[Mount]:
    found = []
    for line in _read(mountinfo).splitlines():
        before, _, after = line.partition(" - ")
        kind, _, options = after.split(" ", 2)
        if kind in ("cgroup", "cgroup2"):
            _, _, _, root, place, *_ = before.split(" ")
            found.append(Mount(kind, frozenset(options.split(",")), root, Path(place)))
    return found


def _own_paths(cgroup: Path) -> dict[str, str]:
    paths = {}
    for line in _read(cgroup).splitlines():
        _, controllers, path = line.split(":", 2)
        paths.update(dict.fromkeys(controllers.split(","), path))
    return paths


def _remove_folder(folder: Path) -> None:
    deadline = time.monotonic() + KILL_SECONDS
    while True:
        try:
            folder.rmdir()
            return
        except FileNotFoundError:
            return
        except OSError:
            # The kernel counts a process as a member for a moment after it is gone.
            if time.monotonic() > deadline:
                raise
            time.sleep(0.005)


def _field(text: str, name: str) -> int:
    values: Iterable[list[str]] = (line.split() for line in text.splitlines())
    return next((int(words[1]) for words in values if words and words[0] == name), 0)


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
