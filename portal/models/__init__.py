"""Rows of the commons."""

from portal.models.accounts import Asker, Membership, Namespace, Organization, User
from portal.models.jobs import Job, JobLine, LeaseLost, WorkerNode
from portal.models.outbox import Event
from portal.models.tokens import AccessToken

__all__ = [
    "AccessToken",
    "Asker",
    "Event",
    "Job",
    "JobLine",
    "LeaseLost",
    "Membership",
    "Namespace",
    "Organization",
    "User",
    "WorkerNode",
]
