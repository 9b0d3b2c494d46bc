"""Garbage collection: what nothing refers to is marked, waits, is looked at again while held still, and goes.

Rows go in a transaction, the file after it: killed in between, a file without a row stays, which the next run finds.
A file goes only when its lease is over and no row wants it at the last look, see `BlobStore.discard`; so a row never
lacks its file, and content that somebody sends again meanwhile stays.
"""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from itertools import islice

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, ProtectedError, QuerySet
from django.utils import timezone

from models_hub import making_room, quotas, reaching, tidying, uploading
from models_hub.models import Blob, Repo, RepoBlob, Reservation, UpkeepRun, Upload, Xorb, XorbHolding
from models_hub.rights import is_wanted
from models_hub.storage import blob_store
from models_hub.storage.contract import Stored
from portal.errors import NotFound

logger = logging.getLogger(__name__)

GRACE = timedelta(hours=48)
# Clients remember for three weeks which xorbs they have sent or were told of, and refer to them without asking.
XORB_GRACE = timedelta(days=28)
UPLOAD_GRACE = timedelta(hours=24)
WALKING_SECONDS = 600.0  # of one run: the next one goes on with the repository after
BATCH = 500

Check = Callable[[], None]


@dataclass
class Figures:
    """What a run removed, or with dry_run would remove now; and what it found left over that has to wait."""

    git_objects: int = 0
    git_bytes: int = 0
    rights: int = 0
    right_bytes: int = 0
    blobs: int = 0
    xorbs: int = 0
    uploads: int = 0
    files: int = 0
    file_bytes: int = 0
    mirrored: int = 0
    mirrored_bytes: int = 0
    waiting: int = 0
    waiting_bytes: int = 0


def collect(*, dry_run: bool = False, grace: timedelta = GRACE, check: Check = lambda: None) -> Figures:
    """Collect garbage once, and note what was removed; with `dry_run` only count it.

    `check` is called between steps and may raise to end the run: it may be killed at any point as well.
    """
    run = None if dry_run else UpkeepRun.objects.create(kind=UpkeepRun.Kind.COLLECTION)
    collector = _Collector(dry_run, timezone.now() - grace, check)
    cursor = collector.tidy_repos()
    steps = (collector.end_uploads, collector.drop_blobs, collector.drop_xorbs, collector.drop_files)
    for step in (*steps, collector.make_room):
        step()
    if run is not None:
        run.finished_at, run.cursor, run.figures = timezone.now(), cursor, asdict(collector.figures)
        run.save(update_fields=("finished_at", "cursor", "figures"))
    return collector.figures


class _Collector:
    def __init__(self, dry_run: bool, before: datetime, check: Check) -> None:
        self.figures = Figures()
        self._dry_run = dry_run
        self._before = before
        self._check = check

    def tidy_repos(self) -> str:
        """Walk through repositories where the last run stopped; returns where this one did, "" at the end."""
        runs = UpkeepRun.objects.filter(kind=UpkeepRun.Kind.COLLECTION, finished_at__isnull=False)
        last = runs.order_by("-pk").first()
        after = int(last.cursor or 0) if last and not self._dry_run else 0
        until = time.monotonic() + WALKING_SECONDS
        while repo := Repo.objects.filter(pk__gt=after).order_by("pk").first():
            self._check()
            after = repo.pk
            try:
                self._tidy(repo)
            except (Repo.DoesNotExist, NotFound, IntegrityError):
                if Repo.objects.filter(pk=repo.pk).exists():
                    raise
                continue  # it was deleted while we looked
            if time.monotonic() > until and not self._dry_run:
                return str(after)
        return ""

    def _tidy(self, repo: Repo) -> None:
        reached = reaching.walk(repo)
        found = tidying.find(repo, reached)
        if self._dry_run:
            gone = found.marked_before(self._before)
        else:
            gone = tidying.tidy(repo, reached, found, before=self._before)
        self.figures.git_objects += len(gone.objects)
        self.figures.git_bytes += sum(row.size for row in gone.objects)
        self.figures.rights += len(gone.rights)
        self.figures.right_bytes += sum(row.blob.size for row in gone.rights)
        self.figures.waiting += len(found.objects) + len(found.rights) - len(gone.objects) - len(gone.rights)
        self.figures.waiting_bytes += found.bytes - gone.bytes

    def end_uploads(self) -> None:
        """Give back the room of uploads whose parts were given up; the parts themselves go by their age."""
        if not self._dry_run:
            self.figures.uploads += uploading.sweep()
        given_up = Reservation.objects.filter(created_at__lt=timezone.now() - UPLOAD_GRACE)
        # Uploads of the browser have days of their own.
        for row in given_up.exclude(key__in=Upload.objects.values("key")).select_related("repo"):
            self.figures.uploads += 1
            if not self._dry_run:
                with suppress(NotFound):  # its repository was deleted just now, and the reservation with it
                    quotas.end_reservation(row.repo, row.key)
        if not self._dry_run:
            blob_store().sweep()

    def drop_blobs(self) -> None:
        """Remove content that no repository has had a right to for the time of grace."""
        held = RepoBlob.objects.filter(blob=OuterRef("pk"))
        if not self._dry_run:
            Blob.objects.filter(Exists(held), unheld_since__isnull=False).update(unheld_since=None)
            Blob.objects.filter(~Exists(held), unheld_since=None).update(unheld_since=timezone.now())
        due = Blob.objects.filter(~Exists(held), unheld_since__lt=self._before)
        for pk in list(due.values_list("pk", flat=True)):
            self._check()
            if self._dry_run or _drop_blob(pk, self._before):
                self.figures.blobs += 1

    def drop_xorbs(self) -> None:
        """Remove xorbs that no file uses and to which no client can refer any more."""
        before = timezone.now() - XORB_GRACE
        for pk in list(_forgotten_xorbs(before).values_list("pk", flat=True)):
            self._check()
            if self._dry_run or _drop_xorb(pk, before):
                self.figures.xorbs += 1
        if not self._dry_run:
            self._settle_old_holdings(before)

    def drop_files(self) -> None:
        """Remove files that belong to no row: what the steps before left, and what a kill or a refusal left."""
        store = blob_store()
        if not self._dry_run:
            store.recover(is_wanted)
        digests = store.digests()
        while group := list(islice(digests, BATCH)):
            self._check()
            for stored in _unwanted(group):
                size = stored.size if self._dry_run else store.discard(stored.digest, is_wanted=_wants(stored.digest))
                self.figures.files += bool(size)
                self.figures.file_bytes += size

    def make_room(self) -> None:
        """Let go of what mirrors hold beyond their limit, and was not asked for the longest."""
        let_go = making_room.make_room(dry_run=self._dry_run, check=self._check)
        self.figures.mirrored, self.figures.mirrored_bytes = let_go.contents, let_go.bytes

    def _settle_old_holdings(self, before: datetime) -> None:
        """What was sent long ago and is kept for the files of others is charged no further than it is used by none."""
        old = XorbHolding.objects.filter(touched_at__lt=before, unused__gt=0, xorb__pieces__isnull=False).distinct()
        for holding in old.select_related("xorb"):
            with transaction.atomic():
                account = quotas.hold_owner(holding.namespace_id)
                quotas.settle_xorb(account, XorbHolding.objects.select_related("xorb").get(pk=holding.pk))


def _drop_blob(pk: int, before: datetime) -> bool:
    """Remove the row of content without rights, its pieces with it; False when it is wanted again."""
    with transaction.atomic():
        blob = Blob.objects.select_for_update().filter(pk=pk, unheld_since__lt=before).first()
        if blob is None or blob.repo_blobs.exists():
            return False
        xorb_ids = list(blob.pieces.values_list("xorb_id", flat=True).distinct())
        try:
            with transaction.atomic():
                blob.delete()
        except ProtectedError:
            return False
    for xorb_id in xorb_ids:
        _settle_holdings(xorb_id)
    return True


def _settle_holdings(xorb_id: int) -> None:
    """After a file is gone: its xorbs are no longer used by it, and clients that read it may refer to them still."""
    XorbHolding.objects.filter(xorb_id=xorb_id).update(touched_at=timezone.now())
    for namespace_id in XorbHolding.objects.filter(xorb_id=xorb_id).values_list("namespace_id", flat=True):
        with transaction.atomic():
            account = quotas.hold_owner(namespace_id)
            holding = XorbHolding.objects.select_related("xorb").filter(xorb_id=xorb_id, namespace_id=namespace_id)
            for row in holding:
                quotas.settle_xorb(account, row)


def _forgotten_xorbs(before: datetime) -> QuerySet[Xorb]:
    touched = XorbHolding.objects.filter(xorb=OuterRef("pk"), touched_at__gte=before)
    return Xorb.objects.unreferenced(before=before).filter(~Exists(touched))


def _drop_xorb(pk: int, before: datetime) -> bool:
    """Remove a xorb's row, and charge those who sent it no longer; False when a client came back to it."""
    with transaction.atomic():
        namespaces = sorted(XorbHolding.objects.filter(xorb_id=pk).values_list("namespace_id", flat=True))
        accounts = {namespace_id: quotas.hold_owner(namespace_id) for namespace_id in namespaces}
        if Xorb.objects.select_for_update().filter(pk=pk).first() is None:
            return False
        holdings = list(XorbHolding.objects.filter(xorb_id=pk))
        if not _forgotten_xorbs(before).filter(pk=pk).exists() or {h.namespace_id for h in holdings} - set(accounts):
            return False
        for holding in holdings:
            quotas.charge(accounts[holding.namespace_id], None, -holding.unused, reason=quotas.Reason.COLLECTED)
        Xorb.objects.filter(pk=pk).delete()
    return True


def _unwanted(stored: list[Stored]) -> Iterator[Stored]:
    digests = [one.digest for one in stored]
    wanted = set(Blob.objects.filter(sha256__in=digests, in_pieces=False).values_list("sha256", flat=True))
    wanted.update(Xorb.objects.filter(key__in=digests).values_list("key", flat=True))
    return (one for one in stored if one.digest not in wanted)


def _wants(digest: str) -> Callable[[], bool]:
    return lambda: is_wanted(digest)
