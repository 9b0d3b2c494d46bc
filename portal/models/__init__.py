"""Rows of the commons."""

from portal.models.accounts import Asker, Membership, Namespace, Organization, User
from portal.models.jobs import Job, JobLine, JobQuerySet, LeaseLost
from portal.models.outbox import Event
from portal.models.tokens import AccessToken
from portal.models.workers import Duty, WorkerNode

__all__ = [
    "AccessToken",
    "Asker",
    "Duty",
    "Event",
    "Job",
    "JobLine",
    "JobQuerySet",
    "LeaseLost",
    "Membership",
    "Namespace",
    "Organization",
    "User",
    "WorkerNode",
]
