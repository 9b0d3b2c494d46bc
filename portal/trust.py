"""Trust levels: what the portal lets a person do. They come from what people read and did, never from points."""

from collections.abc import Collection

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from portal.models import Asker, Term, Trust, TrustLevel, User, UserDay


def level(user: Asker) -> int:
    """Return 0 to 4; staff count as stewards, strangers as new."""
    return levels_of([user.pk])[user.pk] if user.pk else int(TrustLevel.NEW)


def levels_of(user_ids: Collection[int]) -> dict[int, int]:
    """Return the level of each of these people, in two queries."""
    known = dict.fromkeys(user_ids, int(TrustLevel.NEW))
    known.update(Trust.objects.filter(pk__in=user_ids).values_list("user_id", "level"))
    stewards = User.objects.filter(pk__in=user_ids)
    for pk in (stewards.filter(is_staff=True) | stewards.filter(terms__in=Term.objects.serving())).values_list(
        "pk", flat=True
    ):
        known[pk] = int(TrustLevel.STEWARD)
    return known


def note_reading(user: Asker, *, topics: int = 0, posts: int = 0, seconds: int = 0) -> None:
    """Add what a person read just now to the sums of the day."""
    if isinstance(user, User):
        _add(user, topics=topics, posts=posts, seconds=seconds)


def note_act(user: User) -> None:
    """Count that a person wrote, published or measured something today."""
    _add(user, acts=1)


def _add(user: User, **sums: int) -> None:
    today = UserDay.objects.filter(user=user, day=timezone.now().date())
    grown = {name: F(name) + number for name, number in sums.items() if number > 0}
    if not grown or today.update(**grown):
        return
    try:
        with transaction.atomic():
            UserDay.objects.create(user=user, day=timezone.now().date(), **{name: sums[name] for name in grown})
    except IntegrityError:  # by another request at this moment
        today.update(**grown)
