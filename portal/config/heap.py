"""How memory that was used goes back to the system, in processes whose threads carry large transfers."""

import ctypes

# glibc gives threads heaps of their own and keeps what was free once: four transfers of 4 GiB left 35 MB more.
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8


def give_back() -> None:
    """Let glibc return what is free at once; nothing elsewhere. For the beginning of a process."""
    if hasattr(libc := ctypes.CDLL(None), "mallopt"):
        libc.mallopt(M_ARENA_MAX, 2)
        libc.mallopt(M_TRIM_THRESHOLD, 128 * 1024)
        libc.mallopt(M_MMAP_THRESHOLD, 128 * 1024)
