"""The system calls that Python has no function for."""

import ctypes
import errno
import os
import struct

PR_SET_PDEATHSIG, PR_SET_SECCOMP, PR_CAPBSET_DROP, PR_SET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS = 1, 22, 24, 36, 38
SECCOMP_MODE_FILTER = 2
SIGKILL = 9
LAST_CAPABILITY = 63

CLONE_NEWNS, CLONE_NEWUSER = 0x00020000, 0x10000000
MS_NOSUID, MS_NODEV, MS_REC, MS_PRIVATE = 2, 4, 1 << 14, 1 << 18

# The same numbers on every processor, as for all calls newer than 2019.
OPEN_TREE, MOVE_MOUNT, MOUNT_SETATTR = 428, 429, 442
LANDLOCK_CREATE_RULESET, LANDLOCK_ADD_RULE, LANDLOCK_RESTRICT_SELF = 444, 445, 446

AT_FDCWD, AT_EMPTY_PATH, AT_RECURSIVE = -100, 0x1000, 0x8000
OPEN_TREE_CLONE = 1
MOVE_MOUNT_F_EMPTY_PATH = 4
MOUNT_ATTR_IDMAP = 0x00100000

_libc = ctypes.CDLL(None, use_errno=True)


def prctl(option: int, argument: int) -> None:
    """Change one property of this process."""
    _checked(_libc.prctl(option, ctypes.c_ulong(argument), 0, 0, 0))


def die_with(parent: int) -> None:
    """Be killed when the parent thread ends, and now if it has ended already."""
    prctl(PR_SET_PDEATHSIG, SIGKILL)
    if os.getppid() != parent:
        os.kill(os.getpid(), SIGKILL)


def drop_capabilities_for_good() -> None:
    """Empty the set from which any later program could take a capability."""
    for capability in range(LAST_CAPABILITY + 1):
        try:
            prctl(PR_CAPBSET_DROP, capability)
        except OSError as error:
            if error.errno != errno.EINVAL:
                raise


def load_filter(program: bytes) -> None:
    """Install a seccomp program for this process and all that come from it."""
    instructions = ctypes.create_string_buffer(program, len(program))
    head = struct.pack("@HP", len(program) // 8, ctypes.addressof(instructions))
    _checked(_libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.c_char_p(head), 0, 0))


def unshare(flags: int) -> None:
    """Leave the namespaces that were shared with the parent."""
    _checked(_libc.unshare(flags))


def make_mounts_private() -> None:
    """Let no mount made from here on be seen outside this mount namespace."""
    _checked(_libc.mount(None, b"/", None, ctypes.c_ulong(MS_REC | MS_PRIVATE), None))


def mount_tmpfs(path: str) -> None:
    """Cover a directory with an empty one that everybody may pass through."""
    _checked(
        _libc.mount(b"tmpfs", os.fsencode(path), b"tmpfs", ctypes.c_ulong(MS_NOSUID | MS_NODEV), b"mode=0755,size=1m")
    )


def clone_tree(path: str) -> int:
    """Take a detached copy of what is mounted at a path, and below it."""
    return syscall(
        OPEN_TREE, AT_FDCWD, ctypes.c_char_p(os.fsencode(path)), OPEN_TREE_CLONE | AT_RECURSIVE | os.O_CLOEXEC
    )


def map_owners(tree: int, user_namespace: int) -> None:
    """Show the files of a detached mount with the owners that a user namespace gives them; nothing changes on disk."""
    attributes = struct.pack("@QQQQ", MOUNT_ATTR_IDMAP, 0, 0, user_namespace)
    syscall(
        MOUNT_SETATTR,
        tree,
        ctypes.c_char_p(b""),
        AT_EMPTY_PATH | AT_RECURSIVE,
        ctypes.c_char_p(attributes),
        ctypes.c_size_t(len(attributes)),
    )


def attach_tree(tree: int, path: str) -> None:
    """Mount a detached copy at a path."""
    syscall(
        MOVE_MOUNT,
        tree,
        ctypes.c_char_p(b""),
        AT_FDCWD,
        ctypes.c_char_p(os.fsencode(path)),
        MOVE_MOUNT_F_EMPTY_PATH,
    )


def syscall(number: int, *arguments: object) -> int:
    """Make a raw system call and raise what it reports."""
    return _checked(_libc.syscall(ctypes.c_long(number), *arguments))


def _checked(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return int(result)
