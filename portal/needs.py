"""What a job needs of its worker, held against what a worker says it has.

A job's `needs`: {"gpu": true, "gpu_memory_mb": 8000, "memory_mb": 3000, "engine": "1.0.0", "store": true}, each if it
matters. What a worker does not state of itself is taken as there, but for a GPU.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from portal.models import WorkerNode


def unmet(kind: str, needs: Mapping[str, Any], has: Mapping[str, Any]) -> list[str]:
    """Return the names of the needs of a job that a worker with these capabilities does not meet."""
    gpus = has.get("gpus") or []
    memory = max((gpu.get("memory_mb", 0) for gpu in gpus if isinstance(gpu, dict)), default=0)
    lacking = {
        "kind": kind not in has.get("kinds", [kind]),
        "gpu": bool(needs.get("gpu")) and not gpus,
        "gpu_memory_mb": needs.get("gpu_memory_mb", 0) > memory,
        "memory_mb": needs.get("memory_mb", 0) > has.get("memory_mb", needs.get("memory_mb", 0)),
        "engine": "engine" in needs and needs["engine"] != has.get("engine", needs["engine"]),
        "store": bool(needs.get("store")) and not has.get("store", True),
    }
    return [name for name, is_lacking in lacking.items() if is_lacking]


def can_do(node: WorkerNode, queue: str, kind: str, needs: Mapping[str, Any]) -> bool:
    """Whether a worker serves the queue and has what the job needs."""
    return queue in node.queues and not unmet(kind, needs, node.capabilities)


def why_nobody(kind: str, needs: Mapping[str, Any], nodes: Sequence[WorkerNode]) -> str:
    """Say which need none of these workers meets; of several, that of the worker which comes closest."""
    lacking = min((unmet(kind, needs, node.capabilities) for node in nodes), key=len)
    return {
        "kind": _("Waiting: no worker that is online knows jobs of this kind; they are of another version."),
        "gpu": _("Waiting: it needs a GPU, and no worker that is online has one."),
        "gpu_memory_mb": _("Waiting: it needs a GPU with %(mb)d MB of memory, and no worker that is online has one.")
        % {"mb": needs.get("gpu_memory_mb", 0)},
        "memory_mb": _("Waiting: it needs %(mb)d MB of memory, more than any worker that is online may give to a job.")
        % {"mb": needs.get("memory_mb", 0)},
        "engine": _("Waiting: it needs version %(version)s of the engine, which no worker that is online has.")
        % {"version": needs.get("engine", "")},
        "store": _("Waiting: it needs a worker with access to the portal's storage, and none is online."),
    }[lacking[0]]
