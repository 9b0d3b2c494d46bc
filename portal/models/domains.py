"""Domains that organizations have proved to be theirs."""

import re
import secrets

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext

from portal.errors import Conflict, InvalidInput
from portal.models.accounts import Organization, User
from portal.models.outbox import Event

_DOMAIN = re.compile(r"(?=.{4,253}\Z)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])\Z")
MAX_DOMAINS = 10
PREFIX = "small-models-portal="


class Domain(models.Model):
    """A domain that an organization claims, and when it was last seen to prove it."""

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="domains")
    name = models.CharField(max_length=253)
    code = models.CharField(max_length=64)
    created_at = models.DateTimeField(default=timezone.now)
    checked_at = models.DateTimeField(null=True)
    verified_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("organization", "name"), name="domain_once"),)

    def __str__(self) -> str:
        return self.name

    @property
    def proof(self) -> str:
        """What the record of the domain, or the file on it, must hold."""
        return PREFIX + self.code

    @classmethod
    def claim(cls, organization: Organization, name: str, *, by: User) -> "Domain":
        """Begin to prove a domain."""
        organization.require_admin(by)
        name = name.strip().lower().removesuffix(".")
        if not _DOMAIN.match(name):
            raise InvalidInput(gettext("Enter a domain such as example.org."))
        there = cls.objects.filter(organization=organization)
        if there.exclude(name=name).count() >= MAX_DOMAINS:
            raise Conflict(gettext("An organization may have at most %(max)d domains.") % {"max": MAX_DOMAINS})
        return cls.objects.get_or_create(
            organization=organization, name=name, defaults={"code": secrets.token_hex(16)}
        )[0]

    def note_check(self, *, proved: bool, by: User) -> None:
        """Write down what a look at the domain has shown; a proof that is gone is believed no longer."""
        self.organization.require_admin(by)
        now = timezone.now()
        was_proved = self.verified_at is not None
        self.checked_at = now
        self.verified_at = (self.verified_at or now) if proved else None
        self.save(update_fields=["checked_at", "verified_at"])
        if proved and not was_proved:
            Event.record(
                "organization.domain_verified",
                subject=f"organization:{self.organization_id}",
                by=by,
                organization=self.organization.name,
                domain=self.name,
            )

    def drop(self, *, by: User) -> None:
        self.organization.require_admin(by)
        self.delete()
