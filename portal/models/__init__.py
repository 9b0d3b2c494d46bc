"""Rows of the commons."""

from portal.models.accounts import Asker, Membership, Namespace, Organization, User
from portal.models.follows import Follow
from portal.models.idempotency import IdempotentAnswer
from portal.models.jobs import Job, JobLine, JobQuerySet, LeaseLost
from portal.models.oauth import Authorization, AuthorizationCode, DeviceCode, OAuthApp
from portal.models.outbox import Event
from portal.models.tokens import AccessToken, Grant, TokenGrant
from portal.models.workers import Duty, WorkerNode

__all__ = [
    "AccessToken",
    "Asker",
    "Authorization",
    "AuthorizationCode",
    "DeviceCode",
    "Duty",
    "Event",
    "Follow",
    "Grant",
    "IdempotentAnswer",
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
