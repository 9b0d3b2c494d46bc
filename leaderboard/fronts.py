"""The front of score and size at the end of a season: models that nothing as small beats, class by class and board."""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from leaderboard import pareto, ranking
from leaderboard.board_views import View
from leaderboard.models import Suite
from models_hub import badge_rules as hub
from models_hub.models import Repo
from portal.models import Placing, Season
from worker.engine.statistics.resampling import Array

CLASSES = ((500_000_000, "≤0.5B"), (1_000_000_000, "≤1B"), (3_000_000_000, "≤3B"), (7_000_000_000, "≤7B"))
PLACES = 10


def note(season: Season) -> None:
    """Write down who stands on each front now; a second time changes nothing."""
    for suite in Suite.objects.current():
        places = ranking.places_of(suite, View(contamination="not-declared"), facts=["parameters"])
        sizes = places.facts["parameters"]
        smallest = 0
        for largest, name in CLASSES:
            within = np.flatnonzero((sizes > smallest) & (sizes <= largest)).tolist()
            found = [int(places.models[place]) for place in front(places.scores, sizes, within)]
            models = Repo.objects.select_related("namespace").in_bulk(found)
            _place(season, f"{suite.slug} {name}", [models[pk] for pk in found])
            smallest = largest


def front(scores: Array, sizes: Array, within: Sequence[int]) -> list[int]:
    """Return the places of models that no other one of at most their size beats, the best score first."""
    points = [(float(sizes[place]), float(scores[place])) for place in within]
    return [within[one] for one in reversed(pareto.front(points))][:PLACES]


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
