"""The system call filter: a classic BPF program that denies what a model never needs.

A deny list, because torch, tokenizers and the drivers below them use too many calls for an allow list to stay true; the
namespaces are the wall, this only shrinks the kernel that hostile bytes can reach. It is also what keeps the network
away where namespaces cannot be had.
"""

import errno
import platform
import struct
from collections.abc import Sequence
from dataclasses import dataclass

LOAD, JUMP_EQUAL, JUMP_AT_LEAST, JUMP_ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
ALLOW, FAIL, KILL = 0x7FFF0000, 0x00050000, 0x80000000

NUMBER, ARCHITECTURE = 0, 4  # offsets in struct seccomp_data
ARGUMENTS = (16, 24, 32)  # low 32 bits of the first three arguments on a little-endian machine

X32_BIT = 0x40000000
AF_UNIX = 1
TIOCSTI, TIOCLINUX = 0x5412, 0x541C
# NEWTIME, NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET; NEWTIME is a signal bit for clone().
NEW_NAMESPACE_FLAGS = 0x7E020000

# name: (x86_64, aarch64); None where the machine has no such call.
DENIED: dict[str, tuple[int | None, int | None]] = {
    "_sysctl": (156, None),
    "acct": (163, 89),
    "add_key": (248, 217),
    "adjtimex": (159, 171),
    "bpf": (321, 280),
    "chroot": (161, 51),
    "clock_adjtime": (305, 266),
    "clock_settime": (227, 112),
    "delete_module": (176, 106),
    "fanotify_init": (300, 262),
    "finit_module": (313, 273),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fsopen": (430, 430),
    "fspick": (433, 433),
    "init_module": (175, 105),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "io_uring_setup": (425, 425),
    "ioperm": (173, None),
    "iopl": (172, None),
    "kcmp": (312, 272),
    "kexec_file_load": (320, 294),
    "kexec_load": (246, 104),
    "keyctl": (250, 219),
    "lookup_dcookie": (212, 18),
    "migrate_pages": (256, 238),
    "modify_ldt": (154, None),
    "mount": (165, 40),
    "mount_setattr": (442, 442),
    "move_mount": (429, 429),
    "move_pages": (279, 239),
    "name_to_handle_at": (303, 264),
    "nfsservctl": (180, 42),
    "open_by_handle_at": (304, 265),
    "open_tree": (428, 428),
    "perf_event_open": (298, 241),
    "pidfd_getfd": (438, 438),
    "pivot_root": (155, 41),
    "process_madvise": (440, 440),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "ptrace": (101, 117),
    "quotactl": (179, 60),
    "quotactl_fd": (443, 443),
    "reboot": (169, 142),
    "request_key": (249, 218),
    "setdomainname": (171, 162),
    "sethostname": (170, 161),
    "setns": (308, 268),
    "settimeofday": (164, 170),
    "swapoff": (168, 225),
    "swapon": (167, 224),
    "syslog": (103, 116),
    "umount2": (166, 39),
    "unshare": (272, 97),
    "uselib": (134, None),
    "userfaultfd": (323, 282),
    "ustat": (136, None),
    "vhangup": (153, 58),
}


@dataclass(frozen=True)
class Machine:
    """The numbers of one processor family that the filter compares with."""

    audit: int
    column: int
    socket: int
    clone: int
    clone3: int
    ioctl: int
    setsid: int
    setpgid: int
    prlimit64: int
    # kill, tkill, tgkill, rt_sigqueueinfo, rt_tgsigqueueinfo, pidfd_send_signal
    signals: tuple[int, ...]
    x32: bool


MACHINES = {
    "x86_64": Machine(0xC000003E, 0, 41, 56, 435, 16, 112, 109, 302, (62, 200, 234, 129, 297, 424), x32=True),
    "aarch64": Machine(0xC00000B7, 1, 198, 220, 435, 29, 157, 154, 261, (129, 130, 131, 138, 240, 424), x32=False),
}

Instruction = tuple[int, int, int, int]


def program(*, namespaces: bool) -> bytes | None:
    """The filter for this processor, or None for one whose call numbers are not known here.

    Without namespaces there is no network or process namespace behind it, so it also denies every socket (a Redis or a
    database may listen on a path), leaving the process group (which is how a run is ended there), and reaching the
    worker, which may have the same user: by a signal, or by lowering its limits.
    """
    machine = MACHINES.get(platform.machine())
    if machine is None:
        return None
    code = [*_right_machine(machine), *_fails((machine.clone3,), errno.ENOSYS)]
    code += _fails([numbers[machine.column] for numbers in DENIED.values()], errno.EPERM)
    if not namespaces:
        code += _fails((machine.setsid, machine.setpgid, *machine.signals), errno.EPERM)
        code += _argument(machine.prlimit64, 0, [(JUMP_EQUAL, 0)], ALLOW, FAIL | errno.EPERM)
        code += _fails((machine.socket,), errno.EAFNOSUPPORT)
    code += _argument(machine.socket, 0, [(JUMP_EQUAL, AF_UNIX)], ALLOW, FAIL | errno.EAFNOSUPPORT)
    code += _argument(machine.clone, 0, [(JUMP_ANY_BIT, NEW_NAMESPACE_FLAGS)], FAIL | errno.EPERM, ALLOW)
    terminal = [(JUMP_EQUAL, TIOCSTI), (JUMP_EQUAL, TIOCLINUX)]
    code += _argument(machine.ioctl, 1, terminal, FAIL | errno.EPERM, ALLOW)
    code.append((RETURN, 0, 0, ALLOW))
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in code)


def _right_machine(machine: Machine) -> list[Instruction]:
    """Kill on a foreign call table (32-bit entry), where every number below would mean another call."""
    code = [
        (LOAD, 0, 0, ARCHITECTURE),
        (JUMP_EQUAL, 1, 0, machine.audit),
        (RETURN, 0, 0, KILL),
        (LOAD, 0, 0, NUMBER),
    ]
    if machine.x32:
        code += [(JUMP_AT_LEAST, 0, 1, X32_BIT), (RETURN, 0, 0, FAIL | errno.ENOSYS)]
    return code


def _fails(numbers: Sequence[int | None], error: int) -> list[Instruction]:
    return [
        instruction
        for number in numbers
        if number is not None
        for instruction in ((JUMP_EQUAL, 0, 1, number), (RETURN, 0, 0, FAIL | error))
    ]


def _argument(
    number: int, argument: int, tests: list[tuple[int, int]], matched: int, otherwise: int
) -> list[Instruction]:
    """Decide one call by one argument; the call number stays loaded for whatever follows."""
    decide = [instruction for test, value in tests for instruction in ((test, 0, 1, value), (RETURN, 0, 0, matched))]
    body = [(LOAD, 0, 0, ARGUMENTS[argument]), *decide, (RETURN, 0, 0, otherwise)]
    return [(JUMP_EQUAL, 0, len(body), number), *body]
