"""File rules by the kernel (Landlock) for a run without namespaces: it opens what it was given and nothing else."""

import ctypes
import errno
import os
import stat
import struct
from collections.abc import Iterable

from . import kernel

ASK_VERSION = 1
RULE_PATH_BENEATH = 1

EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
TRUNCATE, IOCTL_DEVICE = 1 << 14, 1 << 15
# How many kinds of access each version of the interface can refuse; version 5 has been the last to add one.
KINDS = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}
NEWEST_KINDS = 16
READ = EXECUTE | READ_FILE | READ_DIR
ON_FILES = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEVICE
SCOPES_VERSION, ABSTRACT_SOCKETS, SIGNALS = 6, 1, 2


def version() -> int:
    """Return the version of the interface, 0 where the kernel has none."""
    try:
        return kernel.syscall(
            kernel.LANDLOCK_CREATE_RULESET, ctypes.c_void_p(), ctypes.c_size_t(0), ctypes.c_uint32(ASK_VERSION)
        )
    except OSError as error:
        if error.errno in (errno.ENOSYS, errno.EOPNOTSUPP):
            return 0
        raise


def restrict(readable: Iterable[str], writable: Iterable[str]) -> bool:
    """Refuse every file but these to this process and its children; False where the kernel cannot.

    It also keeps the run from looking into processes that are not its own, the worker with the same user above all.
    """
    known = version()
    if known == 0:
        return False
    everything = (1 << KINDS.get(known, NEWEST_KINDS)) - 1
    ruleset = _ruleset(everything, known)
    for path in readable:
        _allow(ruleset, path, READ)
    for path in writable:
        _allow(ruleset, path, everything)
    kernel.syscall(kernel.LANDLOCK_RESTRICT_SELF, ruleset, ctypes.c_uint32(0))
    os.close(ruleset)
    return True


def _ruleset(everything: int, known: int) -> int:
    if known < SCOPES_VERSION:
        attributes = struct.pack("@Q", everything)
    else:
        attributes = struct.pack("@QQQ", everything, 0, ABSTRACT_SOCKETS | SIGNALS)
    return kernel.syscall(
        kernel.LANDLOCK_CREATE_RULESET,
        ctypes.c_char_p(attributes),
        ctypes.c_size_t(len(attributes)),
        ctypes.c_uint32(0),
    )


def _allow(ruleset: int, path: str, access: int) -> None:
    try:
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        if not stat.S_ISDIR(os.fstat(descriptor).st_mode):
            access &= ON_FILES
        rule = struct.pack("=Qi", access, descriptor)
        kernel.syscall(
            kernel.LANDLOCK_ADD_RULE,
            ruleset,
            ctypes.c_int(RULE_PATH_BENEATH),
            ctypes.c_char_p(rule),
            ctypes.c_uint32(0),
        )
    finally:
        os.close(descriptor)
