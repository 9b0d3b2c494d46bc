"""Where a result stands: the rank of its model on each board that counts it, and who stands next to it."""

from collections.abc import Iterable
from dataclasses import astuple, dataclass
from urllib.parse import urlencode

import numpy as np
from django.contrib.auth.models import AnonymousUser
from django.core.cache import caches

from leaderboard.models import BoardRow, BoardState, Evaluation, Suite
from leaderboard.ranking import places_of
from models_hub.models import Repo

MOST_BOARDS = 5
SECONDS = 60


@dataclass(frozen=True)
class Standing:
    """A place on one board; `rank` is None while the model lacks a score there."""

    suite: Suite
    counts: bool  # this very result, and not a newer one
    lacking: int
    rank: int | None = None
    best_rank: int | None = None
    worst_rank: int | None = None
    count: int = 0
    neighbours: tuple[Repo, ...] = ()  # the model before and the one behind
    compare: str = ""  # where they are compared

    @property
    def is_tied(self) -> bool:
        return self.best_rank != self.worst_rank


@dataclass(frozen=True)
class _Place:
    rank: int
    best: int
    worst: int
    count: int
    neighbours: tuple[int, ...]


def of(evaluation: Evaluation) -> list[Standing]:
    """Return the places on boards as everybody may see them; ranks are up to a minute old."""
    rows = list(
        BoardRow.objects.public()
        .filter(model=evaluation.model_id, suite__in=Suite.objects.current().values("pk"))
        .filter(suite__entries__benchmark=evaluation.benchmark_id)
        .select_related("suite__board_state")
        .defer("cells", "drawn")
        .order_by("suite_id")[:MOST_BOARDS]
    )
    places = {row.pk: _place(row) for row in rows if row.score is not None}
    near = _public(pk for place in places.values() if place for pk in place.neighbours)
    return [_standing(row, evaluation, places.get(row.pk), near) for row in rows]


def _place(row: BoardRow) -> _Place | None:
    state = row.suite.board_state if hasattr(row.suite, "board_state") else BoardState(suite=row.suite)
    key = f"standing-at:{row.suite_id}:{row.model_id}:{state.renewed_at and state.renewed_at.timestamp()}"
    kept = caches["rendered"].get(key)
    if kept is not None:
        return _Place(*kept)
    places = places_of(row.suite)
    at = np.flatnonzero(places.models == row.model_id)
    if not len(at):
        return None
    between = places.rank_intervals(at[:1])
    beside = [int(places.models[near]) for near in (at[0] - 1, at[0] + 1) if 0 <= near < len(places)]
    rank, best, worst = int(places.ranks[at[0]]), int(between.best[0]), int(between.worst[0])
    found = _Place(rank, best, worst, len(places), tuple(beside))
    caches["rendered"].set(key, astuple(found), SECONDS)
    return found


def _public(models: Iterable[int]) -> dict[int, Repo]:
    seen = Repo.objects.visible_to(AnonymousUser()).listed().select_related("namespace")
    return {repo.pk: repo for repo in seen.filter(pk__in=set(models))}


def _standing(row: BoardRow, evaluation: Evaluation, place: _Place | None, near: dict[int, Repo]) -> Standing:
    counts = evaluation.pk in row.evaluations
    if place is None:
        return Standing(row.suite, counts, row.lacking)
    neighbours = tuple(near[pk] for pk in place.neighbours if pk in near)
    names = [evaluation.model.full_name, *(repo.full_name for repo in neighbours)]
    asked = urlencode([("model", name) for name in names], safe="/") if neighbours else ""
    return Standing(
        suite=row.suite, counts=counts, lacking=row.lacking, rank=place.rank, best_rank=place.best,
        worst_rank=place.worst, count=place.count, neighbours=neighbours, compare=asked and f"/compare?{asked}",
    )  # fmt: skip
