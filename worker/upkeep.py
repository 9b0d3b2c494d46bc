"""The upkeep of the store: garbage collection and scrub, in a thread of the relay that has the duty.

In the relay because it has the store's disk, which a worker need not have; both may be killed at any point.
"""

import logging
import threading
from datetime import timedelta

from django.db import DatabaseError, connections
from django.utils import timezone

from forum import admission, attaching, indexing, reading
from leaderboard.finding import trying
from models_hub import collecting, redescribing, scrubbing, tensor_diffs, trash
from models_hub.models import BaseScore, UpkeepRun
from models_hub.searching import trail
from models_hub.tables import kept
from portal import inbox
from portal.models import AccountExport, AuditEntry
from worker import closing_accounts, standing

logger = logging.getLogger(__name__)

COLLECT_EVERY = timedelta(hours=1)
SCRUB_EVERY = timedelta(minutes=30)
STANDING_EVERY = timedelta(hours=24)
SCRUB_SECONDS = 600.0
# Slow enough to go unnoticed: a terabyte in about four days, scrubbing a third of the time.
SCRUB_BYTES_PER_SECOND = 10 * 1024 * 1024
INDEX_SECONDS = 600.0  # for posts of before the search of the forum
DESCRIBE_SECONDS = 600.0  # in each hour, until none is left
FORGET_AFTER = timedelta(days=90)


class _Over(Exception):
    """The relay stops or has lost its duty."""


class Upkeep:
    """Begins what is due, at most one thread at a time."""

    def __init__(self, over: threading.Event) -> None:
        self._over = over
        self._thread: threading.Thread | None = None

    def begin(self) -> None:
        """Start a thread when something is due and none is running."""
        if (self._thread is None or not self._thread.is_alive()) and _is_anything_due():
            self._thread = threading.Thread(target=self._work, name="upkeep", daemon=True)
            self._thread.start()

    def _work(self) -> None:
        try:
            perform(self._check)
        except _Over:
            return
        except (DatabaseError, OSError) as error:
            logger.warning("The upkeep of the store was interrupted and will be tried again: %s", error)
        except Exception:
            logger.exception("The upkeep of the store failed.")
        finally:
            connections.close_all()

    def _check(self) -> None:
        if self._over.is_set():
            raise _Over


def perform(check: collecting.Check = lambda: None) -> None:
    """Do what is due now."""
    if _is_due_to_collect():
        trash.erase_due()
        figures = collecting.collect(check=check)
        attaching.collect(check=check)
        kept.tidy()
        closing_accounts.close_due()
        AccountExport.forget_over()
        AuditEntry.forget_over()
        inbox.forget_old()
        trying.forget_over()
        admission.forget_old()
        redescribing.describe_due(seconds=DESCRIBE_SECONDS, check=check)
        indexing.index_missing(seconds=INDEX_SECONDS, check=check)
        reading.lift_floors(check)
        tensor_diffs.forget_old()
        BaseScore.forget_old()
        trail.forget_old()
        UpkeepRun.objects.filter(started_at__lt=timezone.now() - FORGET_AFTER).delete()
        if figures.file_bytes:
            logger.info("The collection removed %s files, %s bytes.", figures.files, figures.file_bytes)
        standing.hourly()
    if _is_due(UpkeepRun.Kind.STANDING, STANDING_EVERY):
        run = UpkeepRun.objects.create(kind=UpkeepRun.Kind.STANDING)
        outcome = standing.nightly(check)
        run.figures = {"granted": len(outcome.granted), "revoked": len(outcome.revoked)}
        run.finished_at = timezone.now()
        run.save(update_fields=("figures", "finished_at"))
    if _is_due_to_scrub():
        scrubbing.scrub(seconds=SCRUB_SECONDS, check=check, bytes_per_second=SCRUB_BYTES_PER_SECOND)


def _is_anything_due() -> bool:
    return _is_due_to_collect() or _is_due_to_scrub() or _is_due(UpkeepRun.Kind.STANDING, STANDING_EVERY)


def _is_due_to_collect() -> bool:
    return _is_due(UpkeepRun.Kind.COLLECTION, COLLECT_EVERY)


def _is_due_to_scrub() -> bool:
    return _is_due(UpkeepRun.Kind.SCRUB, SCRUB_EVERY)


def _is_due(kind: UpkeepRun.Kind, every: timedelta) -> bool:
    return not UpkeepRun.objects.filter(kind=kind, started_at__gt=timezone.now() - every).exists()
