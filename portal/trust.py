"""Trust levels: what the portal lets a person do. They come from what people read and did, never from points.

`evidence` builds upon the levels, so what asks for evidence is in trusting.py.
"""

from collections.abc import Callable, Collection

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from portal.models import Asker, Term, Trust, TrustLevel, User, UserDay

_after_reading: list[Callable[[User], None]] = []


def level(user: Asker) -> int:
    """Return 0 to 4; staff count as stewards, strangers as new."""
    return levels_of([user.pk])[user.pk] if user.pk else int(TrustLevel.NEW)


def levels_of(user_ids: Collection[int]) -> dict[int, int]:
    """Return the level of each of these people, in two queries."""
    known = dict.fromkeys(user_ids, int(TrustLevel.NEW))
    known.update(Trust.objects.filter(pk__in=user_ids).values_list("user_id", "level"))
    people = User.objects.filter(pk__in=user_ids)
    stewards = people.filter(is_staff=True) | people.filter(pk__in=Term.objects.serving().values("user"))
    known.update(dict.fromkeys(stewards.values_list("pk", flat=True), int(TrustLevel.STEWARD)))
    return known


def note_reading(user: Asker, *, topics: int = 0, posts: int = 0, seconds: int = 0) -> None:
    """Add what a person read just now to the sums of the day; a newcomer may rise by it at once."""
    if isinstance(user, User) and _add(user, topics=topics, posts=posts, seconds=seconds):
        for react in _after_reading:
            react(user)


def note_act(user: User) -> None:
    """Count that a person wrote, published or measured something today."""
    _add(user, acts=1)


def after_reading(react: Callable[[User], None]) -> None:
    """Have `react` called with whoever has read something."""
    _after_reading.append(react)


def _add(user: User, **sums: int) -> bool:
    today = UserDay.objects.filter(user=user, day=timezone.now().date())
    grown = {name: F(name) + number for name, number in sums.items() if number > 0}
    if not grown:
        return False
    if not today.update(**grown):
        try:
            with transaction.atomic():
                UserDay.objects.create(user=user, day=timezone.now().date(), **{name: sums[name] for name in grown})
        except IntegrityError:  # by another request at this moment
            today.update(**grown)
    return True
