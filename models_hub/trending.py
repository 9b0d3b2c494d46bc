"""Attention that fades: what a like or a download adds is halved every week, without anybody counting again.

A sum of fading weights is kept as if it were looked at on one fixed day, which multiplies all sums by the same factor:
their order stays right for ever. The factor grows without bound, so the logarithm of the sum is what is kept.
"""

import math
from datetime import datetime, timedelta

from django.utils import timezone

from models_hub.models import Repo

HALF_LIFE = timedelta(days=7)
LIKE = 1.0
DOWNLOAD = 0.1
_NOTHING = 1e-9  # what is left of a sum from which all was taken, by the limits of arithmetic


def add(repo_id: int, weight: float, *, at: datetime | None = None) -> None:
    """Add attention to a repository, or with a negative weight take off what was added `at`; in a transaction."""
    trend = Repo.objects.select_for_update().filter(pk=repo_id).values_list("trend", flat=True).first()
    if trend is not None:
        Repo.objects.filter(pk=repo_id).update(trend=raised(trend, weight, at=at or timezone.now()))


def raised(trend: float, weight: float, *, at: datetime) -> float:
    """Return the trend with a weight of that moment added to it; 0 stands for no attention at all."""
    moment = _half_lives(at)
    if not trend:
        return moment + math.log2(weight) if weight > 0 else 0.0
    largest = max(trend, moment)
    total = 2.0 ** (trend - largest) + weight * 2.0 ** (moment - largest)
    return largest + math.log2(total) if total > _NOTHING else 0.0


def score(trend: float, *, now: datetime | None = None) -> int:
    """Return today's attention as a number to show: about the likes of the last week, and a tenth of its downloads."""
    return round(2.0 ** (trend - _half_lives(now or timezone.now()))) if trend else 0


def _half_lives(moment: datetime) -> float:
    return moment.timestamp() / HALF_LIFE.total_seconds()
