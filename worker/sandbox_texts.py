"""Which walls of the sandbox stand and which are missing, told to whoever reads a score.

The sandbox knows no catalogue and tells the worker's administrator at length how to mend things. A reader of a score
needs to know what was missing; the doctor repeats the rest.
"""

from django.utils.translation import gettext_noop

# How a line of Isolation.warning begins, and what a reader is told instead.
MISSING = {
    "bubblewrap is not installed": gettext_noop("bubblewrap is not installed on the worker's machine."),
    "bubblewrap cannot build": gettext_noop("bubblewrap cannot build a sandbox on the worker's machine."),
    "bubblewrap does not close": gettext_noop("bubblewrap does not close the network or the files there."),
    "The full sandbox would": gettext_noop("The full sandbox would run with too many rights, so it is not used."),
    "The namespace sandbox would": gettext_noop("The sandbox would run with too many rights, so it is not used."),
    "A run cannot be given a user": gettext_noop("A run cannot be given a user of its own there."),
    "Runs have no namespaces": gettext_noop("Runs have no namespaces of their own, only limits and rules."),
    "The kernel has no Landlock": gettext_noop("A run can read every file that its user can."),
    "Runs share the worker's user": gettext_noop("Runs share the worker's user."),
    "No control group": gettext_noop("The memory of a run is watched from outside, not limited by the kernel."),
    "This processor is not known": gettext_noop("The system call filter is not in force on this processor."),
}
MEND = gettext_noop("“manage.py doctor” on the worker's machine says how to mend it.")
WALLS = frozenset(
    {
        gettext_noop("namespaces"),
        gettext_noop("own user"),
        gettext_noop("system call filter"),
        gettext_noop("control group"),
        gettext_noop("file rules"),
        gettext_noop("resource limits"),
    }
)


def readable(warning: str) -> str:
    """Return the warning as lines of the catalogue."""
    return "\n".join([*(_told(line) for line in warning.splitlines()), MEND])


def _told(line: str) -> str:
    return next((text for start, text in MISSING.items() if line.startswith(start)), line)
