"""Gives up everything a run may not have, in an order in which each step still has the right to be made."""

import base64
import json
import os
import resource
import select
import signal
import sys
from contextlib import suppress
from typing import Any

from . import files, kernel, mounts

LAUNCH_FAILED = 125


def main() -> None:
    """Read the plan from the descriptor named by the first argument and become what it says."""
    try:
        with open(int(sys.argv[1]), "rb") as file:
            plan = json.load(file)
        _join(plan["groups"])
        if plan["guard"] is None:
            _become(plan, parent=plan["parent"])
        else:
            _guard(plan)
    except Exception as error:  # noqa: BLE001 - the last word of a process: whatever it was goes to its reader
        _give_up(error)


def _join(groups: list[str]) -> None:
    for procs in groups:
        with open(procs, "w") as file:
            file.write("0")
    # When the machine runs out of memory the run goes first, and not the worker.
    with open("/proc/self/oom_score_adj", "w") as file:
        file.write("1000")


def _become(plan: dict[str, Any], *, parent: int) -> None:
    kernel.die_with(parent)
    uid = plan["uid"]
    if uid is not None:
        _reveal(plan, uid)
        _become_user(uid)
        # The kernel forgets this wish when the user changes.
        kernel.die_with(parent)
    for number, soft, hard in plan["limits"]:
        _limit(number, soft, hard)
    os.chdir(plan["directory"])
    if plan["guard"] is not None:
        _restrict(plan)
    os.execve(plan["command"][0], plan["command"], plan["environment"])  # noqa: S606 - never a shell


def _reveal(plan: dict[str, Any], uid: int) -> None:
    # In a container root may be forbidden to mount. Perhaps nothing is hidden there; if it is, exec will say so.
    with suppress(PermissionError):
        mounts.reveal(plan["reveal"]["readable"], plan["reveal"]["writable"], uid)


def _become_user(uid: int) -> None:
    kernel.drop_capabilities_for_good()
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)
    kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1)


def _limit(number: int, soft: int, hard: int) -> None:
    allowed = resource.getrlimit(number)[1]
    if allowed != resource.RLIM_INFINITY:
        soft, hard = min(soft, allowed), min(hard, allowed)
    resource.setrlimit(number, (soft, hard))


def _restrict(plan: dict[str, Any]) -> None:
    """Without namespaces the command is executed by this process, so the filter and the file rules are set here."""
    kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1)
    files.restrict(plan["readable"], [plan["writable"], *plan["devices"]])
    if plan["filter"]:
        kernel.load_filter(base64.b64decode(plan["filter"]))


def _guard(plan: dict[str, Any]) -> None:
    """Stay behind and end all processes of the run when its first one ends, or when the worker is gone.

    Without a process namespace nobody else would: the parent-death signal reaches the first process only.
    """
    lifeline, status = plan["guard"]["lifeline"], plan["guard"]["status"]
    kernel.prctl(kernel.PR_SET_CHILD_SUBREAPER, 1)
    guard = os.getpid()
    child = os.fork()
    if child == 0:
        _begin(plan, guard, status)
    os.write(status, json.dumps({"child-pid": child}).encode() + b"\n")
    descriptor = os.pidfd_open(child)
    select.select([lifeline, descriptor], [], [])
    # Not reaped before its group is killed, so that the number cannot have become somebody else's.
    for kill in (os.killpg, os.kill):
        with suppress(ProcessLookupError):
            kill(child, signal.SIGKILL)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    _reap_all()
    os.write(status, json.dumps({"exit-code": code if code >= 0 else 128 - code}).encode() + b"\n")
    os._exit(0)


def _begin(plan: dict[str, Any], guard: int, status: int) -> None:
    try:
        os.setsid()
        for descriptor in (status, plan["guard"]["lifeline"]):
            os.set_inheritable(descriptor, False)  # noqa: FBT003 - takes no keywords
        _become(plan, parent=guard)
    except Exception as error:  # noqa: BLE001 - a forked child must not go on as its parent
        os.write(status, json.dumps({"failed": str(error)}).encode() + b"\n")
        _give_up(error)
    finally:
        os._exit(LAUNCH_FAILED)


def _reap_all() -> None:
    try:
        while True:
            os.waitpid(-1, 0)
    except ChildProcessError:
        return


def _give_up(error: Exception) -> None:
    os.write(2, f"sandbox: {error}\n".encode())
    os._exit(LAUNCH_FAILED)
