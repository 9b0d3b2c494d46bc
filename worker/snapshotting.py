"""Snapshots of what lists filter by, made in a thread of the relay that has the duty.

Apart from the upkeep, whose scrub takes ten minutes: a web process that starts should not wait for it.
"""

import logging
import math
import threading
import time

from django.db import DatabaseError, connections

from models_hub.searching import snapshots

logger = logging.getLogger(__name__)

LOOK_SECONDS = 20.0


class Snapshotting:
    """Begins a snapshot when one is due, one at a time."""

    def __init__(self) -> None:
        self._thread: threading.Thread | None = None
        self._looked = -math.inf

    def begin(self) -> None:
        """Start a thread when a snapshot is due and none is being made."""
        is_working = self._thread is not None and self._thread.is_alive()
        if is_working or time.monotonic() - self._looked < LOOK_SECONDS:
            return
        self._looked = time.monotonic()
        if snapshots.is_due():
            self._thread = threading.Thread(target=_make, name="snapshot", daemon=True)
            self._thread.start()


def _make() -> None:
    try:
        snapshots.make()
    except DatabaseError as error:
        logger.warning("A snapshot for searching was interrupted and will be tried again: %s", error)
    except Exception:
        logger.exception("A snapshot for searching failed.")
    finally:
        connections.close_all()
