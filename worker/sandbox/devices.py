"""The files through which programs reach a GPU. A run sees them only where it is given them."""

import stat
from pathlib import Path

# The driver's own, each GPU, and the shares of one that is divided.
NVIDIA = ("nvidiactl", "nvidia-uvm", "nvidia-uvm-tools", "nvidia[0-9]*", "nvidia-caps/nvidia-cap[0-9]*")
AMD = ("kfd", "dri/renderD[0-9]*")


def gpu_files(root: Path = Path("/dev")) -> list[Path]:
    """Return the device files of the GPUs of this machine, none where it has none."""
    found = (path for pattern in (*NVIDIA, *AMD) for path in sorted(root.glob(pattern)))
    return [path for path in found if stat.S_ISCHR(path.stat().st_mode)]
