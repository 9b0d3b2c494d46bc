"""What idle workers do: where staff switched it on, they take the evaluations with most votes."""

from collections import Counter

from leaderboard import wishing
from leaderboard.models import IdleRule
from portal.models import Job, WorkerNode

QUEUE = "cpu"


def start_wishes() -> int:
    """Fill the free slots of a queue in which nothing waits; returns how many evaluations were asked for."""
    if not IdleRule.holds() or Job.objects.filter(queue=QUEUE, state=Job.State.QUEUED).exists():
        return 0
    held = Counter(Job.objects.held().values_list("worker", flat=True))
    free = sum(max(node.slots - held[node.name], 0) for node in WorkerNode.objects.taking() if QUEUE in node.queues)
    return wishing.start_next(free) if free else 0
