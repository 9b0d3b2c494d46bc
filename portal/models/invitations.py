"""Invitations to an organization: by account name or by an address of mail, open for some days."""

import hashlib
import secrets
from datetime import timedelta

from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext

from portal.errors import Conflict, InvalidInput, NotAllowed, NotFound
from portal.models.accounts import Membership, Organization, User
from portal.models.outbox import Event

DAYS = 7
MAX_OPEN = 100  # of one organization


class InvitationQuerySet(models.QuerySet["Invitation"]):
    def pending(self) -> "InvitationQuerySet":
        return self.filter(ended_at__isnull=True, expires_at__gt=timezone.now())

    def for_person(self, user: User) -> "InvitationQuerySet":
        """Those by name. What was sent to an address is opened by the link in the mail alone."""
        return self.pending().filter(user=user)


class Invitation(models.Model):
    """Somebody may join an organization with a role."""

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="invitations")
    user = models.ForeignKey(User, models.CASCADE, null=True, related_name="invitations")
    email = models.EmailField(blank=True)
    role = models.CharField(max_length=8, choices=Membership.Role.choices)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    invited_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    objects = InvitationQuerySet.as_manager()

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(user__isnull=False, email="") | Q(user__isnull=True) & ~Q(email=""),
                name="invitation_to_one",
            ),
        )

    def __str__(self) -> str:
        return f"invitation {self.pk} to {self.organization_id}"

    @property
    def whom(self) -> str:
        """The account name or the address that was invited."""
        return self.user.username if self.user else self.email

    @classmethod
    def send(
        cls, organization: Organization, *, by: User, role: str, user: User | None = None, email: str = ""
    ) -> tuple["Invitation", str]:
        """Invite a person, or whoever reads the mail at an address; the secret opens the invitation.

        Inviting again takes the place of the invitation before.
        """
        organization.require_admin(by)
        if role not in Membership.Role.values:
            raise InvalidInput(gettext("Choose one of these roles: read, write, admin."))
        if user is not None and organization.role_of(user):
            raise Conflict(gettext("%(name)s is a member already.") % {"name": user.username})
        secret = secrets.token_urlsafe(32)
        with transaction.atomic():
            same = cls.objects.filter(organization=organization, user=user, email__iexact=email)
            same.pending().update(ended_at=timezone.now())
            if cls.objects.pending().filter(organization=organization).count() >= MAX_OPEN:
                raise Conflict(gettext("At most %(max)d invitations can be open at a time.") % {"max": MAX_OPEN})
            made = cls.objects.create(
                organization=organization,
                user=user,
                email=email,
                role=role,
                digest=_digest(secret),
                invited_by=by,
                expires_at=timezone.now() + timedelta(days=DAYS),
            )
            Event.record(
                "organization.invited",
                subject=f"organization:{organization.pk}",
                by=by,
                organization=organization.name,
                member=made.whom,
                role=role,
            )
        return made, secret

    @classmethod
    def opened_by(cls, secret: str) -> "Invitation":
        """Return the open invitation with this secret; raises NotFound."""
        found = cls.objects.pending().select_related("organization", "user", "invited_by")
        invitation = found.filter(digest=_digest(secret)).first()
        if invitation is None:
            raise NotFound(gettext("This invitation does not exist, or its days are over."))
        return invitation

    def accept(self, *, by: User) -> None:
        """Join; what was sent by name only that person may accept."""
        if self.user_id not in {None, by.pk}:
            raise NotAllowed(gettext("This invitation was sent to somebody else."))
        with transaction.atomic():
            self._end()
            Membership.objects.get_or_create(organization=self.organization, user=by, defaults={"role": self.role})
            Event.record(
                "organization.joined",
                subject=f"organization:{self.organization_id}",
                by=by,
                organization=self.organization.name,
                role=self.role,
            )

    def decline(self, *, by: User) -> None:
        if self.user_id not in {None, by.pk}:
            raise NotAllowed(gettext("This invitation was sent to somebody else."))
        self._end()

    def withdraw(self, *, by: User) -> None:
        """Take the invitation back."""
        self.organization.require_admin(by)
        with transaction.atomic():
            self._end()
            Event.record(
                "organization.invitation_withdrawn",
                subject=f"organization:{self.organization_id}",
                by=by,
                organization=self.organization.name,
                member=self.whom,
            )

    def _end(self) -> None:
        """Only one of two who answer at once does."""
        if not type(self).objects.pending().filter(pk=self.pk).update(ended_at=timezone.now()):
            raise Conflict(gettext("This invitation was answered or withdrawn meanwhile."))


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
