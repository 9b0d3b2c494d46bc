"""The front of score and size at the end of a season: models that nothing as small beats, class by class and board."""

from collections.abc import Iterable, Iterator

from leaderboard import ranking
from leaderboard.models import Suite
from models_hub import badge_rules as hub
from models_hub.models import Repo
from portal.models import Placing, Season

CLASSES = ((500_000_000, "≤0.5B"), (1_000_000_000, "≤1B"), (3_000_000_000, "≤3B"), (7_000_000_000, "≤7B"))
PLACES = 10


def note(season: Season) -> None:
    """Write down who stands on each front now; a second time changes nothing."""
    for suite in Suite.objects.current():
        rows = [row for row in ranking.board_of(suite, "not-declared").rows if row.model.parameters]
        smallest = 0
        for largest, name in CLASSES:
            within = [row for row in rows if smallest < (row.model.parameters or 0) <= largest]
            _place(season, f"{suite.slug} {name}", front(within))
            smallest = largest


def front(rows: Iterable[ranking.Row]) -> list[Repo]:
    """Return the models that no other one of at most their size beats, the best score first."""
    best, found = float("-inf"), []
    for row in sorted(rows, key=lambda row: (row.model.parameters or 0, -row.score, row.model.pk)):
        if row.score > best:
            best = row.score
            found.append(row.model)
    return found[::-1][:PLACES]


def _place(season: Season, board: str, models: Iterable[Repo]) -> None:
    for rank, (person, model) in enumerate(_one_for_each(models), start=1):
        Placing.objects.get_or_create(
            season=season,
            kind=Placing.Kind.FRONT,
            board=board,
            user_id=person,
            defaults={"rank": rank, "key": f"repo:{model.pk}"},
        )


def _one_for_each(models: Iterable[Repo]) -> Iterator[tuple[int, Repo]]:
    """Yield each author’s best model."""
    seen = set()
    for model in models:
        person = hub.owner_of(model)
        if person is not None and person not in seen:
            seen.add(person)
            yield person, model
