"""Messages to devices leave in a thread of the relay that has the duty, several at a time: some services are slow."""

import logging
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from django.db import DatabaseError, connections
from django.utils import timezone

from portal import push_messages, pushing
from portal.models import Push
from portal.outbound import Answer, Unreachable
from worker import push_texts

logger = logging.getLogger(__name__)

EVERY = 5.0
AT_ONCE = 64
SENDERS = 8


class Pushing:
    """Begins a round of messages when it is time and none is running."""

    def __init__(self) -> None:
        self._thread: threading.Thread | None = None
        self._begun = -EVERY

    def begin(self) -> None:
        """Start a thread, at most every EVERY seconds."""
        is_running = self._thread is not None and self._thread.is_alive()
        if not is_running and time.monotonic() - self._begun >= EVERY:
            self._begun = time.monotonic()
            self._thread = threading.Thread(target=self._work, name="pushing", daemon=True)
            self._thread.start()

    def _work(self) -> None:
        try:
            perform()
        except DatabaseError as error:
            logger.warning("Messages to devices were interrupted and will be tried again: %s", error)
        except Exception:
            logger.exception("A round of messages to devices failed.")
        finally:
            connections.close_all()


def perform() -> None:
    """Make the messages that are due and send those whose time has come."""
    pushing.write_due()
    waiting = Push.objects.filter(not_before__lte=timezone.now()).select_related("device__user")
    found = list(waiting.order_by("not_before")[:AT_ONCE])
    told = [(push, push_texts.build(push.device.user, push.rows)) for push in found if _is_heard(push)]
    ready = [(push, *message) for push, message in told if message is not None]
    staying = {push.pk for push, _topic, _text in ready}
    pushing.drop(push for push in found if push.pk not in staying)
    if ready:
        with ThreadPoolExecutor(SENDERS, "pushing") as senders:
            for (push, _topic, _text), outcome in zip(ready, senders.map(_send, ready), strict=True):
                pushing.note(push, outcome)


def _is_heard(push: Push) -> bool:
    """Whether the browser still takes our messages; one that was told another key is removed with what waits for it."""
    device = push.device
    if device.server_key != push_messages.server_key():
        device.delete()
    return device.pk is not None and device.user.is_active


def _send(message: tuple[Push, str, bytes]) -> Answer | Unreachable:
    push, topic, text = message
    try:
        return pushing.call(push.device, text, topic=topic)
    except Unreachable as error:
        return error
