"""Bit rot: stored bytes are read again and compared with their digest; what differs is set aside, never served."""

import hashlib
import logging
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass

from django.db import IntegrityError, transaction
from django.utils import timezone

from models_hub.models import DamagedContent, UpkeepRun
from models_hub.rights import is_wanted
from models_hub.storage import blob_store
from models_hub.storage.contract import Stored
from portal.models import Event

logger = logging.getLogger(__name__)

BLOCK = 1024 * 1024
Check = Callable[[], None]


@dataclass
class Figures:
    """What a run read and found."""

    files: int = 0
    bytes: int = 0
    damaged: int = 0
    healed: int = 0


def scrub(*, seconds: float | None = None, check: Check = lambda: None, bytes_per_second: int | None = None) -> Figures:
    """Read stored content again, from where the last run stopped, for some seconds or to the end of the store.

    With `bytes_per_second` it pauses, so as to leave the disk to others.
    """
    run = UpkeepRun.objects.create(kind=UpkeepRun.Kind.SCRUB)
    figures, began = Figures(healed=note_healed()), time.monotonic()
    cursor = ""
    for stored in blob_store().digests(after=_cursor()):
        check()
        if not _is_sound(stored, check):
            set_aside(stored)
            figures.damaged += 1
        figures.files += 1
        figures.bytes += stored.size
        if seconds is not None and time.monotonic() - began > seconds:
            cursor = stored.digest
            break
        if bytes_per_second:
            time.sleep(max(figures.bytes / bytes_per_second - (time.monotonic() - began), 0))
    run.finished_at, run.cursor, run.figures = timezone.now(), cursor, asdict(figures)
    run.save(update_fields=("finished_at", "cursor", "figures"))
    return figures


def set_aside(stored: Stored) -> None:
    """Take damaged content out of service and tell the admins."""
    blob_store().set_aside(stored.digest)
    try:
        with transaction.atomic():
            DamagedContent.objects.create(key=stored.digest, size=stored.size)
            Event.record("content.damaged", subject=f"content:{stored.digest}", by=None, size=stored.size)
    except IntegrityError:  # another run found it as well
        return
    logger.error("Stored content %s is damaged and was set aside.", stored.digest)


def note_healed() -> int:
    """Close the records of what was sent again, or is wanted by nobody any more; returns how many."""
    store, healed = blob_store(), 0
    for row in DamagedContent.objects.filter(healed_at=None):
        if not store.has(row.key) and is_wanted(row.key):
            continue
        store.forget_damaged(row.key)
        healed += DamagedContent.objects.filter(pk=row.pk, healed_at=None).update(healed_at=timezone.now())
    return healed


def _is_sound(stored: Stored, check: Check) -> bool:
    hasher = hashlib.sha256()
    try:
        with blob_store().open(stored.digest) as file:
            while block := file.read(BLOCK):
                hasher.update(block)
                check()
    except FileNotFoundError:  # collected meanwhile
        return True
    except OSError as error:  # a sector that cannot be read is damage as well
        logger.warning("Stored content %s cannot be read: %s", stored.digest, error)
        return False
    return hasher.hexdigest() == stored.digest


def _cursor() -> str:
    last = UpkeepRun.objects.filter(kind=UpkeepRun.Kind.SCRUB, finished_at__isnull=False).order_by("-pk").first()
    return last.cursor if last else ""
