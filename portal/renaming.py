"""A person or an organization takes another name: pages and repositories under the one before lead on."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from portal.errors import Conflict
from portal.models import Event, FormerName, Namespace, Organization, User
from portal.names import check_namespace_name

AT_MOST, WITHIN = 3, timedelta(days=365)


def rename_account(user: User, *, name: str) -> None:
    """Give the account another name. The former one stays taken, so that no link ever leads to somebody else."""
    before = user.username
    if name == before:
        return
    with _taking(user.namespace, name):
        user.username = name
        user.save(update_fields=["username"])
        Event.record("account.renamed", subject=f"user:{user.pk}", by=user, name=name, before=before)


def rename_organization(organization: Organization, *, name: str, by: User) -> None:
    """Give the organization another name, as one of its admins; the former one stays taken."""
    organization.require_admin(by)
    before = organization.name
    if name == before:
        return
    with _taking(organization.namespace, name):
        organization.name = name
        organization.save(update_fields=["name"])
        subject = f"organization:{organization.pk}"
        Event.record("organization.renamed", subject=subject, by=by, name=name, before=before)


@contextmanager
def _taking(namespace: Namespace, name: str) -> Iterator[None]:
    """Change the name of a namespace in one transaction with what the caller does; raises InvalidInput, Conflict."""
    check_namespace_name(name)
    _require_free(namespace, name)
    try:
        with transaction.atomic():
            _change(namespace, name)
            yield
    except IntegrityError as error:
        raise Conflict(_("The name “%(name)s” is taken.") % {"name": name}) from error


def _require_free(namespace: Namespace, name: str) -> None:
    others = FormerName.objects.filter(lower=name.lower()).exclude(namespace=namespace)
    taken = Namespace.objects.named(name).exclude(pk=namespace.pk)
    if others.exists() or taken.exists():
        raise Conflict(_("The name “%(name)s” is taken.") % {"name": name})
    recent = FormerName.objects.filter(namespace=namespace, created_at__gt=timezone.now() - WITHIN)
    if name.lower() != namespace.lower and recent.count() >= AT_MOST:
        if namespace.organization_id:
            raise Conflict(_("An organization can be renamed %(max)d times a year.") % {"max": AT_MOST})
        raise Conflict(_("An account can be renamed %(max)d times a year.") % {"max": AT_MOST})


def _change(namespace: Namespace, name: str) -> None:
    before, written = namespace.lower, namespace.name
    FormerName.objects.filter(namespace=namespace, lower=name.lower()).delete()
    if before != name.lower():
        FormerName.objects.create(namespace=namespace, lower=before, name=written)
    namespace.name, namespace.lower = name, name.lower()
    namespace.save(update_fields=["name", "lower"])
