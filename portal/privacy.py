"""What of a page others see, by the choice of the person whose page it is. The person sees everything."""

from typing import Literal

from portal.models import Asker, User

Part = Literal["year", "activity", "follows", "likes"]


def shows(person: User, part: Part, *, to: Asker) -> bool:
    """Return whether this reader may see a part of the person’s page."""
    return person.pk == to.pk or bool(getattr(person, f"shows_{part}"))


def choose(person: User, *, year: bool, activity: bool, follows: bool, likes: bool) -> None:
    """Keep what others shall see from now on."""
    person.shows_year, person.shows_activity, person.shows_follows, person.shows_likes = year, activity, follows, likes
    person.save(update_fields=("shows_year", "shows_activity", "shows_follows", "shows_likes"))
