"""Rows of the commons."""

from portal.models.accounts import Asker, FormerName, Membership, Namespace, Organization, User
from portal.models.audit import AuditEntry
from portal.models.avatars import Avatar
from portal.models.badges import BadgeClaim, BadgeEvidence, BadgeGrant, Mentorship, Recheck, Tier
from portal.models.checkpoints import Checkpoint
from portal.models.devices import Device
from portal.models.domains import Domain
from portal.models.exports import AccountExport
from portal.models.follows import Follow
from portal.models.handovers import Handover
from portal.models.idempotency import IdempotentAnswer
from portal.models.invitations import Invitation
from portal.models.job_parts import JobLine, JobRepo
from portal.models.jobs import Job, JobQuerySet, LeaseLost
from portal.models.mod_log import LogEntry
from portal.models.moderation import (
    Appeal,
    Case,
    CaseHost,
    Decision,
    ModerationRules,
    Notice,
    Reason,
    Report,
    ReporterScore,
    Restraint,
    SeenHost,
    SeenText,
    WatchedWord,
)
from portal.models.notifications import Broadcast, FanOut, Inbox, Letter, Muting, Notification
from portal.models.oauth import Authorization, AuthorizationCode, DeviceCode, OAuthApp
from portal.models.outbox import Event
from portal.models.publishers import SpentStatement, TrustedPublisher
from portal.models.pushing import Push, PushDevice
from portal.models.reputation import Reputation, ReputationLine, Track
from portal.models.seasons import Award, Placing, Season, SeasonPoints
from portal.models.ssh_keys import SshKey
from portal.models.tokens import AccessToken, Grant, TokenGrant
from portal.models.trust import Term, Trust, TrustChange, TrustLevel, UserDay
from portal.models.workers import Duty, WorkerNode

__all__ = [
    "AccessToken",
    "AccountExport",
    "Appeal",
    "Asker",
    "AuditEntry",
    "Authorization",
    "AuthorizationCode",
    "Avatar",
    "Award",
    "BadgeClaim",
    "BadgeEvidence",
    "BadgeGrant",
    "Broadcast",
    "Case",
    "CaseHost",
    "Checkpoint",
    "Decision",
    "Device",
    "DeviceCode",
    "Domain",
    "Duty",
    "Event",
    "FanOut",
    "Follow",
    "FormerName",
    "Grant",
    "Handover",
    "IdempotentAnswer",
    "Inbox",
    "Invitation",
    "Job",
    "JobLine",
    "JobQuerySet",
    "JobRepo",
    "LeaseLost",
    "Letter",
    "LogEntry",
    "Membership",
    "Mentorship",
    "ModerationRules",
    "Muting",
    "Namespace",
    "Notice",
    "Notification",
    "OAuthApp",
    "Organization",
    "Placing",
    "Push",
    "PushDevice",
    "Reason",
    "Recheck",
    "Report",
    "ReporterScore",
    "Reputation",
    "ReputationLine",
    "Restraint",
    "Season",
    "SeasonPoints",
    "SeenHost",
    "SeenText",
    "SpentStatement",
    "SshKey",
    "Term",
    "Tier",
    "TokenGrant",
    "Track",
    "Trust",
    "TrustChange",
    "TrustLevel",
    "TrustedPublisher",
    "User",
    "UserDay",
    "WatchedWord",
    "WorkerNode",
]
