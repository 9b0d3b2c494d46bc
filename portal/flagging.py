"""How much a report weighs: the trust in who makes it, and how often that person was right before."""

import math

from django.db.models import F

from portal import trust
from portal.models import Report, ReporterScore, User

HIDE = 8.3  # from this sum on a post is hidden until somebody has looked
SILENCE = 2.5  # from this sum, of so many people, on a new person may only read until somebody has looked
SILENCE_PEOPLE = 3
STAFF_WEIGHT = 5
MACHINE_WEIGHT = 4.0  # of a rule's own report: never enough to hide alone
JUDGED_ENOUGH = 5  # after more judged reports than this, being right or wrong counts
AXIS = 0.7
FACTOR = 5.0


def weight_of(user: User) -> float:
    """Return what a report of this person adds to the score of a case."""
    level = STAFF_WEIGHT if user.is_staff else trust.level(user)
    score = ReporterScore.objects.filter(pk=user.pk).first()
    bonus = accuracy_bonus(score.agreed, score.disagreed) if score else 0.0
    return round(max(0.0, 1 + level + bonus), 2)


def accuracy_bonus(agreed: int, disagreed: int) -> float:
    """Return what having been right adds, or having been wrong takes away: nothing before some were judged."""
    judged = agreed + disagreed
    if judged <= JUDGED_ENOUGH:
        return 0.0
    right = agreed / judged
    if right >= AXIS:
        return (right - AXIS) / (1 - AXIS) * math.log(judged, 4) * FACTOR
    return -(AXIS - right) / AXIS * math.log(judged, 4) * FACTOR


def judged(report: Report, verdict: str, *, before: str = "") -> None:
    """Count a verdict for who reported, and take the earlier one back if there was one."""
    if report.reporter_id is None:
        return
    ReporterScore.objects.get_or_create(pk=report.reporter_id)
    row = ReporterScore.objects.filter(pk=report.reporter_id)
    if before:
        row.filter(**{f"{before}__gt": 0}).update(**{before: F(before) - 1})
    row.update(**{verdict: F(verdict) + 1})
