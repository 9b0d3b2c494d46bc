"""Boards are computed anew soon after something changed, in a thread of the relay that has the duty.

Killed at any point it loses nothing: what is stale is marked in rows until it was renewed.
"""

import logging
import threading
from datetime import timedelta

from django.db import DatabaseError, connections
from django.utils import timezone

from leaderboard.models import BoardState

logger = logging.getLogger(__name__)

# Long enough for the scores of one batch of results to come together.
SETTLE = timedelta(seconds=1)


class _Over(Exception):
    """The relay stops."""


class BoardKeeping:
    """Begins to renew boards when some are stale, one at a time."""

    def __init__(self, over: threading.Event) -> None:
        self._over = over
        self._thread: threading.Thread | None = None
        self._has_looked = False

    def begin(self) -> None:
        """Start a thread when a board is stale and none is being computed."""
        if self._thread is not None and self._thread.is_alive():
            return
        if not self._has_looked:  # boards of before there were rows
            BoardState.objects.mark(board_state__isnull=True)
            self._has_looked = True
        if BoardState.objects.stale().filter(stale_at__lte=timezone.now() - SETTLE).exists():
            self._thread = threading.Thread(target=self._work, name="boards", daemon=True)
            self._thread.start()

    def _work(self) -> None:
        # Arrays take 30 MB, which a portal without boards need not hold: only now are they loaded.
        from leaderboard import standings

        try:
            standings.renew_stale(self._check)
        except _Over:
            return
        except (DatabaseError, OSError) as error:
            logger.warning("Boards could not be computed and will be tried again: %s", error)
        except Exception:
            logger.exception("Computing boards failed.")
        finally:
            connections.close_all()

    def _check(self) -> None:
        if self._over.is_set():
            raise _Over
