"""Accounts whose days of grace are over are closed for good; a job removes them (worker/handing_over.py)."""

from portal import closing
from worker import handing_over

AT_ONCE = 20


def close_due() -> int:
    """Begin with the accounts that are due, and go on with what was begun; returns how many were begun."""
    handing_over.go_on()
    return sum(closing.begin(user) is not None for user in closing.due()[:AT_ONCE])
