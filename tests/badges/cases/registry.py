"""Where each case is noted: acts that award a badge, and ways to game it."""

from collections.abc import Callable

from portal.models import BadgeClaim, User
from tests.badges import world
from tests.badges.world import ago

Case = Callable[[], User]
AWARDED: dict[str, Case] = {}
GAMED: list[tuple[str, str, Case]] = []


def awards(slug: str) -> Callable[[Case], Case]:
    def note(case: Case) -> Case:
        AWARDED[slug] = case
        return case

    return note


def games(slug: str) -> Callable[[Case], Case]:
    def note(case: Case) -> Case:
        GAMED.append((slug, case.__name__, case))
        return case

    return note


def claim(slug: str, by: User, decided_by: User, state: str = "accepted") -> BadgeClaim:
    on = world.topic(by)
    return BadgeClaim.objects.create(
        user=by, badge=slug, key=f"topic:{on.pk}", note="x", state=state, decided_by=decided_by, decided_at=ago(5)
    )
