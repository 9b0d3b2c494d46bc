"""A person takes another account name: pages and repositories under the one before lead on."""

from datetime import timedelta

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from portal.errors import Conflict
from portal.models import Event, FormerName, Namespace, User
from portal.names import check_namespace_name

AT_MOST, WITHIN = 3, timedelta(days=365)


def rename_account(user: User, *, name: str) -> None:
    """Give the account another name. The former one stays taken, so that no link ever leads to somebody else."""
    check_namespace_name(name)
    namespace, before = user.namespace, user.username
    if name == before:
        return
    others = FormerName.objects.filter(lower=name.lower()).exclude(namespace=namespace)
    taken = Namespace.objects.named(name).exclude(pk=namespace.pk)
    if others.exists() or taken.exists():
        raise Conflict(_("The name “%(name)s” is taken.") % {"name": name})
    recent = FormerName.objects.filter(namespace=namespace, created_at__gt=timezone.now() - WITHIN)
    if name.lower() != before.lower() and recent.count() >= AT_MOST:
        raise Conflict(_("An account can be renamed %(max)d times a year.") % {"max": AT_MOST})
    try:
        with transaction.atomic():
            _change(user, namespace, name)
            Event.record("account.renamed", subject=f"user:{user.pk}", by=user, name=name, before=before)
    except IntegrityError as error:
        raise Conflict(_("The name “%(name)s” is taken.") % {"name": name}) from error


def _change(user: User, namespace: Namespace, name: str) -> None:
    before = namespace.lower
    FormerName.objects.filter(namespace=namespace, lower=name.lower()).delete()
    if before != name.lower():
        FormerName.objects.create(namespace=namespace, lower=before)
    namespace.name, namespace.lower = name, name.lower()
    namespace.save(update_fields=["name", "lower"])
    user.username = name
    user.save(update_fields=["username"])


def present_name(name: str) -> str | None:
    """Return the name that the bearer of a former one has now."""
    if not name.isascii() or not name.isprintable():
        return None
    former = FormerName.objects.filter(lower=name.lower()).exclude(namespace__user__is_active=False)
    return former.values_list("namespace__name", flat=True).first()
