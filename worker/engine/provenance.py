"""What a number depends on beside model and data: versions, machine, memory. Imports no torch."""

import os
import platform
import resource
from importlib import metadata
from pathlib import Path

# What a machine does when it rests: below this much load it is quiet.
SPARE_LOAD = 0.5
LIBRARIES = ("torch", "transformers", "tokenizers", "safetensors", "numpy", "pillow")


def versions() -> dict[str, str]:
    """Return the versions of Python and of the libraries that move numbers."""
    found = {"python": platform.python_version()}
    for name in LIBRARIES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def cpu_name() -> str:
    """Return the model of the processor as the kernel names it."""
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def peak_rss_bytes() -> int:
    """Return the most memory that this process has held so far."""
    # Linux counts in KiB, macOS in bytes.
    unit = 1 if platform.system() == "Darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def load_average() -> float | None:
    """Return how busy the machine is: a speed measured beside other work says little."""
    try:
        return round(os.getloadavg()[0], 2)
    except OSError:
        return None


def is_busy(before: float | None, after: float | None, *, threads: int, cores: int) -> bool | None:
    """Say whether others were at work too: of the load afterwards our own threads are a part, before they are not."""
    if before is None or after is None:
        return None
    return max(before + threads, after) > cores + SPARE_LOAD


def cores() -> int:
    """Return how many processor cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def folder_bytes(folder: Path) -> int:
    """Return what the files of a folder take on disk."""
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file())
