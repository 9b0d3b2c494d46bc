"""One account becomes part of another: offered by the one, accepted by the other, or decided by an admin.

The owner of both proves each by being signed in to it, with the password just given. From the moment of acceptance
nobody signs in to the account that ends; what was its, a job hands over (worker/handing_over.py).
"""

from collections.abc import Collection

from allauth.usersessions.models import UserSession
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from portal import belongings, mod_log
from portal.errors import Conflict, InvalidInput, NotAllowed, NotFound
from portal.models import Event, Handover, Job, User

KIND = "end_account"
MERGE = Handover.Kind.MERGE


def offer(source: User, *, into: str) -> Handover:
    """Offer that the asker's account becomes part of the one of that name; its owner has to accept."""
    return _begin(source, _target(into), by=source)


def propose(*, by: User, source: str, into: str, reason: str) -> Handover:
    """Prepare the merge of two accounts as an admin, who accepts it after having seen what moves."""
    require_admin(by)
    if not reason.strip():
        raise InvalidInput(_("Say why."))
    return _begin(_target(source), _target(into), by=by, reason=reason.strip()[:300])


def offers_to(user: User) -> QuerySet[Handover]:
    """Return what other accounts offer to this one: those alone whose owners asked for it."""
    return Handover.objects.offered().filter(into=user, reason="").order_by("pk")


def offer_of(user: User) -> Handover | None:
    return Handover.objects.offered().filter(person=user.pk, reason="").select_related("into").first()


def find(pk: int, *, by: User) -> Handover:
    """Return a merge that concerns the reader: the one who takes in, or an admin; raises NotFound."""
    row = Handover.objects.filter(pk=pk, kind=MERGE).select_related("into", "job").first()
    if row is None or not (by.is_superuser or (row.into_id == by.pk and _is_proved(row))):
        raise NotFound(_("There is no such merge, or it is over."))
    return row


def source_of(row: Handover) -> User:
    """Return the account that is to end; raises NotFound when it is gone."""
    source = User.objects.filter(pk=row.person).select_related("namespace").first()
    if source is None:
        raise NotFound(_("There is no such merge, or it is over."))
    return source


def withdraw(pk: int, *, by: User) -> None:
    """Take back, or refuse, what nobody has accepted yet; a second time changes nothing."""
    rows = Handover.objects.offered().filter(pk=pk)
    for row in rows:
        if by.pk in {row.person, row.into_id} or by.is_superuser:
            row.delete()


def accept(row: Handover, *, by: User) -> Handover:
    """Close the account at once and have a job hand over what was its; raises Conflict with what is in the way."""
    if row.into_id != by.pk or not _is_proved(row):
        require_admin(by)
    with transaction.atomic():
        row = Handover.objects.select_for_update().get(pk=row.pk)
        if row.began_at is not None:
            return row
        source, target = source_of(row), row.into
        if target is None or not (source.is_active and target.is_active):
            raise Conflict(_("One of the two accounts is closed."))
        if found := belongings.obstacles(source, target):
            raise Conflict(" ".join(found))
        if not _is_proved(row):
            mod_log.append(
                "accounts_merged", by=by, target=f"user:{source.pk}", person=source.pk, internal=row.reason,
                before={"name": source.username}, after={"into": target.username, "person": target.pk},
            )  # fmt: skip
        close(row)
        Event.record("account.merging", subject=f"user:{target.pk}", by=by, name=source.username, into=target.username)
    for session in UserSession.objects.filter(user=source):
        session.end()
    return row


def require_admin(by: User) -> None:
    """Raise NotAllowed for whoever may not merge accounts of others."""
    if not by.is_superuser:
        raise NotAllowed(_("Only an administrator may merge accounts of others."))


def close(row: Handover) -> None:
    """Let nobody in any more and have the rest done by a job, in the caller's transaction."""
    User.objects.filter(pk=row.person).update(is_active=False)
    row.began_at = timezone.now()
    row.job = enqueue(row)
    row.save(update_fields=("began_at", "job"))


def enqueue(row: Handover) -> Job:
    """Have a job go on where the row says; nobody owns it, so nobody can stop it half-way."""
    titles = {MERGE: _("Merge of accounts"), Handover.Kind.DELETION: _("Deletion of an account")}
    title = titles[Handover.Kind(row.kind)]
    return Job.enqueue(KIND, owner=None, title=title, spec={"handover": row.pk}, queue="light", needs={"store": True})


def merged_into(people: Collection[int]) -> dict[int, User]:
    """Return who took these people in, by the id that each had: followed to the last one."""
    found: dict[int, User] = {}
    rows = Handover.objects.filter(kind=MERGE, finished_at__isnull=False, person__in=people, into__is_active=True)
    for row in rows.select_related("into"):
        if row.into is not None:
            found[row.person] = row.into
    return found


def _begin(source: User, target: User, *, by: User, reason: str = "") -> Handover:
    if found := belongings.obstacles(source, target):
        raise Conflict(" ".join(found))
    try:
        with transaction.atomic():
            row = Handover.objects.create(
                person=source.pk, name=source.username, kind=MERGE, into=target, asked_by=by, reason=reason
            )
            Event.record("account.merge_offered", subject=f"user:{source.pk}", by=by, name=target.username)
    except IntegrityError as error:
        raise Conflict(_("Another merge or the deletion of this account is under way already.")) from error
    return row


def _target(name: str) -> User:
    found = User.objects.named(name.strip()).filter(is_active=True).select_related("namespace").first()
    if found is None:
        raise InvalidInput(_("Nobody here has this account name."))
    return found


def _is_proved(row: Handover) -> bool:
    """Whether the owner of the account that ends asked for it: of admins alone a reason is asked."""
    return not row.reason
