"""The quota ledger: what an owner's repositories hold is counted to the byte, and never exceeds the owner's limit.

Charged is the apparent size: each distinct large content once for every repository that has a right to it, each git
object's length, xorbs of the owner for as long as no file uses their bytes, and room set aside for uploads in parts.
Whoever changes any of these holds the owner's account from before the change until the end of the transaction.
The account comes first, before a reference, a repository or anything else is locked: else two writers wait for each
other.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet, Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from models_hub.models import (
    GitObject,
    Piece,
    QuotaAccount,
    QuotaEntry,
    Repo,
    RepoBlob,
    Reservation,
    Xorb,
    XorbHolding,
)
from portal.errors import NotFound, QuotaExceeded
from portal.models import Namespace
from portal.templatetags.ui import bytesize

Reason = QuotaEntry.Reason


class StorageFull(QuotaExceeded):
    """The owner of the repository would hold more than it may. `data` has limit, used, needed and the page."""

    code = "storage_full"


def hold(repo: Repo) -> QuotaAccount:
    """Lock the account of the repository's owner for the running transaction, and return it.

    Raises NotFound when the repository is gone. The owner is read again: the repository may have moved meanwhile.
    """
    while True:
        namespace_id = Repo.objects.filter(pk=repo.pk).values_list("namespace_id", flat=True).first()
        if namespace_id is None:
            raise NotFound(_("The repository no longer exists."))
        account = hold_owner(namespace_id)
        if Repo.objects.filter(pk=repo.pk, namespace_id=namespace_id).exists():
            return account


def hold_owner(namespace_id: int) -> QuotaAccount:
    """Lock an owner's account for the running transaction; the first time, it opens with what is held already."""
    account = QuotaAccount.objects.select_for_update().filter(namespace_id=namespace_id).first()
    if account is not None:
        return account
    opening = recount(namespace_id)
    account, created = QuotaAccount.objects.get_or_create(namespace_id=namespace_id, defaults={"used": opening})
    if created and opening:
        QuotaEntry.objects.create(account=account, reason=Reason.OPENING, bytes=opening)
    return account if created else QuotaAccount.objects.select_for_update().get(pk=account.pk)


def charge(account: QuotaAccount, repo: Repo | None, amount: int, *, reason: Reason) -> None:
    """Add `amount` bytes, or with a negative amount take them off, in the transaction that holds the account.

    Raises StorageFull, changing nothing, when the limit would be exceeded by a byte.
    """
    if not amount:
        return
    fitting = QuotaAccount.objects.filter(pk=account.pk)
    if amount > 0:
        fitting = fitting.filter(used__lte=account.limit_now - amount)
    if not fitting.update(used=F("used") + amount):
        account.refresh_from_db(fields=("used", "limit"))
        raise _full(account, amount)
    account.used += amount
    QuotaEntry.objects.create(account=account, repo=repo, reason=reason, bytes=amount)


def room_of(repo: Repo) -> int:
    """Return how many bytes the owner may still add; a hint, since nothing is held."""
    return _account_now(repo.namespace_id).room


def require_room(repo: Repo, announced: Iterable[int]) -> None:
    """Refuse early what cannot fit, by the sizes of the files; the charge itself decides. Raises StorageFull.

    A file as long as one that the repository has may be that one, and would cost nothing.
    """
    sizes = list(announced)
    account = _account_now(repo.namespace_id)
    if sum(sizes) <= account.room:
        return
    held = RepoBlob.objects.filter(repo=repo)
    there = {size for size in set(sizes) if held.filter(blob__size=size).exists()}
    needed = sum(size for size in sizes if size not in there)
    if needed > account.room:
        raise _full(account, needed)


def while_room(repo: Repo, xorb_hash: str, chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Pass the chunks of a xorb on as long as they fit, so that what cannot be kept is not written either."""
    if XorbHolding.objects.filter(xorb__hash=xorb_hash, namespace_id=repo.namespace_id).exists():
        yield from chunks  # sent before, it costs nothing again
        return
    account, total = _account_now(repo.namespace_id), 0
    for chunk in chunks:
        total += len(chunk)
        if total > account.room:
            raise _full(account, total)
        yield chunk


def reserve(repo: Repo, key: str, size: int) -> None:
    """Set room aside for an upload in parts; again for the same upload changes nothing. Raises StorageFull."""
    if Reservation.objects.filter(key=key).exists():
        return
    with transaction.atomic():
        account = hold(repo)
        _row, created = Reservation.objects.get_or_create(key=key, defaults={"repo": repo, "bytes": size})
        if created:
            charge(account, repo, size, reason=Reason.UPLOAD)


def end_reservation(repo: Repo, key: str) -> None:
    """Give back the room of an upload that is over, however it ended."""
    with transaction.atomic():
        account = hold(repo)
        row = Reservation.objects.filter(key=key, repo=repo).first()
        if row is not None and Reservation.objects.filter(pk=row.pk).delete()[0]:
            charge(account, repo, -row.bytes, reason=Reason.UPLOAD)


def note_xorb(account: QuotaAccount, repo: Repo, xorb: Xorb) -> None:
    """Let the account answer for a xorb that was just sent for the repository, until files use it.

    Whatever others hold of it; sent again, it costs nothing again. Raises StorageFull.
    """
    row, created = XorbHolding.objects.get_or_create(
        xorb=xorb, namespace_id=account.namespace_id, defaults={"unused": xorb.size}
    )
    if created:
        charge(account, repo, row.unused, reason=Reason.UPLOAD)
    else:
        XorbHolding.objects.filter(pk=row.pk).update(touched_at=timezone.now())


def use_xorbs(account: QuotaAccount, repo: Repo, used: Mapping[int, int]) -> None:
    """Charge the account no longer for these bytes of xorbs: a file that is charged itself has come to use them."""
    holdings = XorbHolding.objects.filter(namespace_id=account.namespace_id, xorb_id__in=list(used))
    freed = 0
    for holding in holdings:
        part = min(holding.unused, used[holding.xorb_id])
        holding.unused -= part
        holding.touched_at = timezone.now()
        freed += part
    XorbHolding.objects.bulk_update(holdings, ("unused", "touched_at"), batch_size=200)
    charge(account, repo, -freed, reason=Reason.UPLOAD)


def settle_xorb(account: QuotaAccount, holding: XorbHolding) -> None:
    """Make a holding say how many bytes of the xorb no file of anybody uses; they count, but nothing is refused."""
    size = holding.xorb.size
    in_use = covered(holding.xorb_id)
    # What no file uses at all waits for its collection at the expense of the installation, once it was used.
    unused = size - in_use if in_use or holding.unused else 0
    XorbHolding.objects.filter(pk=holding.pk).update(unused=unused)
    _correct(account, None, unused - holding.unused, reason=Reason.UPLOAD)


def covered(xorb_id: int) -> int:
    """Return how many bytes of a xorb belong to some file."""
    return span_length(Piece.objects.filter(xorb_id=xorb_id).values_list("offset", "length").distinct().iterator())


def span_length(spans: Iterable[tuple[int, int]]) -> int:
    """Return how many bytes lie in at least one of the spans (offset, length)."""
    total, reached = 0, 0
    for offset, length in sorted(spans):
        total += max(offset + length - max(offset, reached), 0)
        reached = max(reached, offset + length)
    return total


def transfer(repo: Repo, from_: Namespace, to: Namespace) -> None:
    """Move what a repository holds from one owner's account to another's, in the transaction that moves it.

    Call it before the repository's row is changed or locked. Raises StorageFull when the new owner has no room.
    """
    accounts = {pk: hold_owner(pk) for pk in sorted({from_.pk, to.pk})}
    if from_.pk == to.pk:
        return
    amount = held_by(repo)
    charge(accounts[to.pk], repo, amount, reason=Reason.MOVED)
    charge(accounts[from_.pk], repo, -amount, reason=Reason.MOVED)


def hand_over(repo: Repo, from_: Namespace, to: Namespace) -> None:
    """Do the same whatever room there is: the account of the one becomes that of the other."""
    accounts = {pk: hold_owner(pk) for pk in sorted({from_.pk, to.pk})}
    amount = held_by(repo)
    _correct(accounts[to.pk], repo, amount, reason=Reason.MOVED)
    _correct(accounts[from_.pk], repo, -amount, reason=Reason.MOVED)


def forget(repo: Repo) -> None:
    """Take off what a repository holds, in the transaction that deletes it; call it before it is deleted."""
    charge(hold(repo), repo, -held_by(repo), reason=Reason.DELETED)


def held_by(repo: Repo) -> int:
    """Count what one repository holds, row by row."""
    return _sum_held(GitObject.objects.filter(repo=repo), RepoBlob.objects.filter(repo=repo), repo.reservations.all())


def recount(namespace_id: int) -> int:
    """Count what an owner holds, row by row; the account says the same, or there is a fault."""
    held = _sum_held(
        GitObject.objects.filter(repo__namespace_id=namespace_id),
        RepoBlob.objects.filter(repo__namespace_id=namespace_id),
        Reservation.objects.filter(repo__namespace_id=namespace_id),
    )
    return held + _total(XorbHolding.objects.filter(namespace_id=namespace_id), "unused")


def mend(namespace_id: int) -> int:
    """Make an account say what is held; returns by how many bytes it was wrong."""
    with transaction.atomic():
        account = hold_owner(namespace_id)
        wrong = recount(namespace_id) - account.used
        entries = account.entries.aggregate(total=Sum("bytes"))["total"] or 0
        if entries != account.used:  # the sum was changed by other hands than these
            QuotaEntry.objects.create(account=account, reason=Reason.CORRECTED, bytes=account.used - entries)
        _correct(account, None, wrong, reason=Reason.CORRECTED)
    return wrong


def page_of(namespace: Namespace) -> str:
    """Return the address of the page that shows where an owner's bytes are."""
    return f"/organizations/{namespace.name}/storage" if namespace.organization_id else "/settings/storage"


def account_now(namespace: Namespace) -> QuotaAccount:
    """Return an owner's account to look at; it is not held."""
    return _account_now(namespace.pk)


def _account_now(namespace_id: int) -> QuotaAccount:
    account = QuotaAccount.objects.filter(namespace_id=namespace_id).first()
    return account or QuotaAccount(namespace_id=namespace_id, used=recount(namespace_id))


def _correct(account: QuotaAccount, repo: Repo | None, amount: int, *, reason: Reason) -> None:
    """Charge what is held anyway, whatever the limit."""
    if amount:
        QuotaAccount.objects.filter(pk=account.pk).update(used=F("used") + amount)
        account.used += amount
        QuotaEntry.objects.create(account=account, repo=repo, reason=reason, bytes=amount)


def _full(account: QuotaAccount, needed: int) -> StorageFull:
    page = f"{settings.PUBLIC_URL}{page_of(account.namespace)}"
    return StorageFull(
        _(
            "The storage of %(owner)s is full: %(used)s of %(limit)s are used and this needs %(needed)s more. "
            "See %(page)s."
        )
        % {
            "owner": account.namespace.name,
            "used": bytesize(account.used),
            "limit": bytesize(account.limit_now),
            "needed": bytesize(needed),
            "page": page,
        },
        data={"limit": account.limit_now, "used": account.used, "needed": needed, "page": page},
    )


def _sum_held(objects: QuerySet[Any], rights: QuerySet[Any], reservations: QuerySet[Any]) -> int:
    return _total(objects, "size") + _total(rights, "blob__size") + _total(reservations, "bytes")


def _total(rows: QuerySet[Any], column: str) -> int:
    return int(rows.aggregate(total=Sum(column))["total"] or 0)
