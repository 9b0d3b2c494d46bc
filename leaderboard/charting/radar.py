"""Up to five models on the benchmarks of a board, as a web; places are in a square of 400."""

import math
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from leaderboard.models import Benchmark
from leaderboard.ranking import Places

MOST = 5
MAX_SPOKES = 12
LEAST_SPOKES = 3
CENTRE, REACH = 200.0, 140.0
RINGS = (25, 50, 75, 100)
TITLE = 15  # as wide as so many Latin letters


@dataclass(frozen=True)
class Spoke:
    """A benchmark: the end of its line, and where its name stands."""

    benchmark: Benchmark
    title: str
    x: float
    y: float
    text_x: float
    text_y: float
    anchor: str


@dataclass(frozen=True)
class Web:
    """A model: the corners of its web, and its normalised score on each benchmark."""

    name: str
    corners: str
    dots: Sequence[tuple[float, float]]
    values: Sequence[float]
    score: float

    @property
    def path(self) -> str:
        return f"/{self.name}"


@dataclass(frozen=True)
class Radar:
    """Webs of the chosen models; without spokes where a board has too few benchmarks for a picture."""

    spokes: Sequence[Spoke]
    rings: Sequence[str]
    webs: Sequence[Web]
    columns: Sequence[Benchmark]
    others: Sequence[str]  # names of ranked models that could be added, the best first
    unknown: Sequence[str]  # names that are asked for and not ranked here

    @property
    def rows(self) -> list[tuple[Benchmark, list[float]]]:
        """The same numbers as a table: for each benchmark those of each model."""
        return [(one, [web.values[place] for web in self.webs]) for place, one in enumerate(self.columns)]


def radar_of(places: Places, names: Iterable[str]) -> Radar | None:
    """Return the webs of the models that are named, of the first three where none is; None for an empty board."""
    if not len(places):
        return None
    known = {name.lower(): place for place, name in enumerate(places.names)}
    wanted = list(dict.fromkeys(name.strip() for name in names if name.strip()))[:MOST]
    found = [known[name.lower()] for name in wanted if name.lower() in known]
    shown = found or list(range(min(3, len(places))))
    columns = [column.benchmark for column in places.columns]
    drawn = columns[:MAX_SPOKES] if len(columns) >= LEAST_SPOKES else []
    spokes = [_spoke(one, number, len(drawn)) for number, one in enumerate(drawn)]
    return Radar(
        spokes=spokes,
        rings=[_corners([ring] * len(drawn)) for ring in RINGS] if drawn else [],
        webs=[_web(places, place, len(drawn)) for place in dict.fromkeys(shown)],
        columns=columns,
        others=[name for place, name in enumerate(places.names[:30]) if place not in shown],
        unknown=[name for name in wanted if name.lower() not in known],
    )


def _web(places: Places, place: int, spokes: int) -> Web:
    values = [float(value) for value in places.cells[place]]
    inside = values[:spokes]
    dots = [_at(value, number, spokes) for number, value in enumerate(inside)]
    return Web(places.names[place], _corners(inside), dots, values, float(places.scores[place]))


def _spoke(benchmark: Benchmark, number: int, count: int) -> Spoke:
    x, y = _at(100, number, count)
    text_x, text_y = _at(112, number, count)
    anchor = "middle" if abs(text_x - CENTRE) < 20 else "start" if text_x > CENTRE else "end"
    return Spoke(benchmark, _short(benchmark.title), x, y, text_x, text_y, anchor)


def _short(title: str) -> str:
    """Cut a title to what has room beside the web; Chinese characters are as wide as two letters."""
    width = 0
    for place, letter in enumerate(title):
        width += 2 if unicodedata.east_asian_width(letter) in "WF" else 1
        if width > TITLE:
            return f"{title[: max(place - 1, 1)].rstrip()}…"
    return title


def _corners(values: Sequence[float]) -> str:
    return " ".join("{},{}".format(*_at(value, number, len(values))) for number, value in enumerate(values))


def _at(value: float, number: int, count: int) -> tuple[float, float]:
    """Return the place of a score on a spoke; the first one points up, and below the floor is the centre."""
    angle = 2 * math.pi * number / count - math.pi / 2
    reach = REACH * min(max(value, 0.0), 112.0) / 100
    return round(CENTRE + reach * math.cos(angle), 1), round(CENTRE + reach * math.sin(angle), 1)
