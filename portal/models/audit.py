"""What happened to an account: rows that are only ever added, until their days are over."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_noop

from portal import origin

if TYPE_CHECKING:
    from portal.models.accounts import User

# What is kept, by kind, and how a reader sees it. Kinds that are events too (portal/models/outbox.py) are noted with
# them; the sentences are stored nowhere and translated where they are shown.
AUDITED = {
    "session.began": gettext_noop("Signed in"),
    "session.refused": gettext_noop("Failed sign-in"),
    "sessions.ended": gettext_noop("Signed out elsewhere"),
    "password.changed": gettext_noop("Password changed"),
    "password.reset": gettext_noop("Password set anew"),
    "email.changed": gettext_noop("Email address changed"),
    "email.confirmed": gettext_noop("Email address confirmed"),
    "email.removed": gettext_noop("Email address removed"),
    "mfa.totp_activated": gettext_noop("Authenticator app activated"),
    "mfa.totp_deactivated": gettext_noop("Authenticator app deactivated"),
    "mfa.key_added": gettext_noop("Security key added"),
    "mfa.key_removed": gettext_noop("Security key removed"),
    "mfa.codes_generated": gettext_noop("New recovery codes"),
    "provider.connected": gettext_noop("Account of another site connected"),
    "provider.disconnected": gettext_noop("Account of another site disconnected"),
    "token.created": gettext_noop("Access token created"),
    "token.revoked": gettext_noop("Access token revoked"),
    "token.used_elsewhere": gettext_noop("Access token used from a new address"),
    "ssh_key.added": gettext_noop("SSH key added"),
    "ssh_key.removed": gettext_noop("SSH key removed"),
    "ssh_key.used_elsewhere": gettext_noop("SSH key used from a new address"),
    "push_device.added": gettext_noop("Device for messages added"),
    "push_device.removed": gettext_noop("Device for messages removed"),
    "oauth.authorized": gettext_noop("App authorized"),
    "oauth.revoked": gettext_noop("App revoked"),
    "publisher.added": gettext_noop("Trusted publisher added"),
    "publisher.removed": gettext_noop("Trusted publisher removed"),
    "account.renamed": gettext_noop("Account renamed"),
    "account.exported": gettext_noop("Export of my data asked for"),
    "account.export_downloaded": gettext_noop("Export of my data downloaded"),
    "account.deletion_requested": gettext_noop("Deletion of the account asked for"),
    "account.merge_offered": gettext_noop("Merge into another account offered"),
    "account.merging": gettext_noop("Another account taken in"),
    "account.deletion_cancelled": gettext_noop("Deletion of the account cancelled"),
    "organization.founded": gettext_noop("Organization founded"),
    "organization.renamed": gettext_noop("Organization renamed"),
    "organization.member_changed": gettext_noop("Role in an organization given"),
    "organization.member_removed": gettext_noop("Member of an organization removed"),
    "organization.invited": gettext_noop("Invitation to an organization sent"),
    "organization.invitation_withdrawn": gettext_noop("Invitation to an organization withdrawn"),
    "organization.joined": gettext_noop("Joined an organization"),
    "organization.ownership_transferred": gettext_noop("Organization handed over"),
    "organization.rules_changed": gettext_noop("Rules of an organization changed"),
    "organization.domain_verified": gettext_noop("Domain of an organization verified"),
    "repo.visibility_changed": gettext_noop("Visibility of a repository changed"),
    "repo.gate_changed": gettext_noop("Access rule of a repository changed"),
    "repo.moved": gettext_noop("Repository renamed or moved"),
    "repo.deleted": gettext_noop("Repository deleted"),
    "repo.restored": gettext_noop("Repository brought back"),
}
SHOWN_DETAILS = ("name", "before", "organization", "member", "role", "address", "method", "private", "gated", "domain")


class AuditQuerySet(models.QuerySet["AuditEntry"]):
    def over(self) -> "AuditQuerySet":
        """Those whose days are over."""
        return self.filter(created_at__lt=timezone.now() - timedelta(days=settings.AUDIT_DAYS))


class AuditEntry(models.Model):
    """One thing that happened to `account`, by whom, when and from where. Never changed, and no secret in it."""

    account = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="audit_entries")
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    kind = models.CharField(max_length=60)
    subject = models.CharField(max_length=200, blank=True)
    details = models.JSONField(default=dict)
    address = models.CharField(max_length=45, blank=True)
    agent = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    objects = AuditQuerySet.as_manager()

    class Meta:
        indexes = (
            models.Index(fields=("account", "-id"), name="audit_of_account"),
            models.Index(fields=("subject", "address"), name="audit_subject_address"),
            models.Index(fields=("created_at",), name="audit_age"),
        )

    def __str__(self) -> str:
        return f"{self.kind} of {self.account_id}"

    @classmethod
    def note(cls, kind: str, /, *, account: "User", by: "User | None", subject: str = "", **details: Any) -> None:
        """Add a row to the account's list; of `details`, only what readers are shown is kept."""
        here = origin.current()
        kept = {key: str(value)[:200] for key, value in details.items() if key in SHOWN_DETAILS}
        cls.objects.create(
            account=account,
            actor=by,
            kind=kind,
            subject=subject,
            details=kept,
            address=here.address,
            agent=here.agent,
        )

    @property
    def title(self) -> str:
        """The English sentence of this kind, to be translated where it is shown."""
        return AUDITED.get(self.kind, self.kind)

    @classmethod
    def forget_over(cls) -> int:
        """Remove what is older than AUDIT_DAYS; returns how many rows there were."""
        return cls.objects.over().delete()[0]
