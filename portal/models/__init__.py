"""Rows of the commons."""

from portal.models.accounts import Asker, FormerName, Membership, Namespace, Organization, User
from portal.models.audit import AuditEntry
from portal.models.avatars import Avatar
from portal.models.checkpoints import Checkpoint
from portal.models.domains import Domain
from portal.models.exports import AccountExport
from portal.models.follows import Follow
from portal.models.idempotency import IdempotentAnswer
from portal.models.invitations import Invitation
from portal.models.jobs import Job, JobLine, JobQuerySet, LeaseLost
from portal.models.oauth import Authorization, AuthorizationCode, DeviceCode, OAuthApp
from portal.models.outbox import Event
from portal.models.tokens import AccessToken, Grant, TokenGrant
from portal.models.workers import Duty, WorkerNode

__all__ = [
    "AccessToken",
    "AccountExport",
    "Asker",
    "AuditEntry",
    "Authorization",
    "AuthorizationCode",
    "Avatar",
    "Checkpoint",
    "DeviceCode",
    "Domain",
    "Duty",
    "Event",
    "Follow",
    "FormerName",
    "Grant",
    "IdempotentAnswer",
    "Invitation",
    "Job",
    "JobLine",
    "JobQuerySet",
    "LeaseLost",
    "Membership",
    "Namespace",
    "OAuthApp",
    "Organization",
    "TokenGrant",
    "User",
    "WorkerNode",
]
