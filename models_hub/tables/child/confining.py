"""Walls around the reading of hostile bytes: limits always; no network and no other files where the kernel can."""

import ctypes
import os
import resource
import sys
from collections.abc import Iterable
from pathlib import Path

CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000
PR_SET_NO_NEW_PRIVS = 38
# System calls of Landlock have the same numbers on all architectures that it runs on.
CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
RULE_PATH = 1
# Execute, write, read, list, remove, and make files of all sorts: what the first version of Landlock knows.
ALL = (1 << 13) - 1
READ = (1 << 2) | (1 << 3)
MAX_FILE = 8 * 1024**3


class _Path(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("access", ctypes.c_uint64), ("descriptor", ctypes.c_int32))


def limit(*, memory_bytes: int, cpu_seconds: int) -> None:
    """Bound memory, processor time and files; no process may be started by an attacker who got that far."""
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds + 1))
    resource.setrlimit(resource.RLIMIT_FSIZE, (MAX_FILE, MAX_FILE))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def leave_network() -> None:
    """Go to a network of one's own, which leads nowhere. Where the system forbids that, nothing happens."""
    ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWUSER | CLONE_NEWNET)


def show_only(*, readable: Iterable[Path], writable: Path) -> bool:
    """Let this process open these files, its own programs and nothing else; False where the kernel cannot."""
    libc = ctypes.CDLL(None, use_errno=True)
    handled = ctypes.c_uint64(ALL)
    rules = libc.syscall(CREATE_RULESET, ctypes.byref(handled), ctypes.c_size_t(8), ctypes.c_uint32(0))
    if rules < 0:
        return False
    programs = [
        Path(name) for name in (sys.prefix, sys.base_prefix, "/usr", "/lib", "/lib64", "/proc", "/sys/fs/cgroup")
    ]
    here = Path(__file__).resolve().parents[2]
    for path in (*programs, here, *readable):
        _allow(libc, rules, path, READ)
    _allow(libc, rules, writable, ALL)
    libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    return bool(libc.syscall(RESTRICT_SELF, rules, ctypes.c_uint32(0)) == 0)


def _allow(libc: ctypes.CDLL, rules: int, path: Path, access: int) -> None:
    try:
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    # Of a file only the rights of a file may be granted.
    rule = _Path(access if path.is_dir() else access & (1 << 2 | 1 << 1), descriptor)
    libc.syscall(ADD_RULE, rules, RULE_PATH, ctypes.byref(rule), ctypes.c_uint32(0))
    os.close(descriptor)
