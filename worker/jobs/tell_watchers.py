"""The job kind `tell_watchers`: those who watch something are told of one event, batch by batch."""

from portal.models import Event
from worker import telling
from worker.attempts import Attempt


def run(attempt: Attempt) -> None:
    """Go on where the last attempt stopped: each batch is one transaction with the mark of how far it is."""
    event = Event.objects.select_related("actor").filter(pk=attempt.job.spec["event"]).first()
    while event is not None and telling.tell_next(event):
        attempt.check()
    attempt.job.finish({})
