"""From a question to one model: what fits, what is best by verified scores, and the cheapest of those that tie."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from leaderboard.finding import evidence, told_apart
from leaderboard.finding.asked import DEVICES, MB, Asked
from leaderboard.finding.evidence import Evidence, Score, Scores
from leaderboard.finding.told_apart import LEVEL, Difference
from leaderboard.models import Benchmark
from models_hub.models import Repo
from portal.models import Asker
from worker.engine.statistics.incomplete import adjusted, linked
from worker.engine.statistics.paired import holm
from worker.engine.statistics.resampling import Array

SHOWN = 20
# Of the benchmarks that count, which share a model must have been measured on to be ranked.
ENOUGH = 0.5


@dataclass(frozen=True)
class Speed:
    """The middle of what one answer took on a machine, over the benchmarks."""

    milliseconds: float
    machine: str


@dataclass
class Candidate:
    """A model that fits, with its scores. `difference` is how far the leader is ahead of it."""

    model: Repo
    scores: Scores
    speed: Speed | None = None
    score: float = math.nan
    difference: Difference | None = None
    p: float = 1.0  # of the difference, corrected for all that are compared
    is_leader: bool = False

    @property
    def is_tied(self) -> bool:
        """True for the leader, and for whoever cannot be told from it or did no worse where both were measured."""
        if self.difference is None:
            return self.is_leader
        return self.p >= LEVEL or self.difference.value <= 0

    @property
    def cost(self) -> tuple[float, float, float, int]:
        """What is cheaper comes first: less memory, then fewer parameters, then less time."""
        memory, parameters = self.model.memory_bytes, self.model.parameters
        return (
            math.inf if memory is None else memory,
            math.inf if parameters is None else parameters,
            self.speed.milliseconds if self.speed else math.inf,
            self.model.pk,
        )


@dataclass(frozen=True)
class Excluded:
    """How many measured models one filter shuts out, how many it alone does, and what the nearest of them needs.

    The nearest is one that fits otherwise, where there is any.
    """

    name: str
    count: int
    alone: int
    nearest: float | None = None


@dataclass(frozen=True)
class Answer:
    """All that the finder says. `chosen` is the cheapest of `tied`, None where nothing that fits has a score."""

    asked: Asked
    benchmarks: Sequence[Benchmark] = ()
    machines: Sequence[str] = ()
    machine: str = ""
    measured: int = 0  # models that have a score on one of the benchmarks
    chosen: Candidate | None = None
    tied: Sequence[Candidate] = ()
    behind: Sequence[Candidate] = ()
    thin: Sequence[Candidate] = ()  # measured on too few of the benchmarks
    apart: Sequence[Candidate] = ()  # measured on other benchmarks alone
    excluded: Sequence[Excluded] = ()
    unscored: Sequence[Repo] = ()
    closest: Candidate | None = None  # where nothing fits, the measured model that misses the fewest limits
    missed: Sequence[str] = ()  # those limits
    counted: Sequence[Benchmark] = field(default_factory=list)  # the benchmarks by which the chosen one is ranked

    @property
    def fitting(self) -> int:
        return len(self.tied) + len(self.behind) + len(self.thin) + len(self.apart)


def answer(asked: Asked, user: Asker) -> Answer:
    """Answer a question with what the user may see; the number of queries does not grow with the models."""
    found = evidence.gather(asked, user)
    candidates = [Candidate(model, found.scores[pk]) for pk, model in found.models.items()]
    machines = _time(candidates, asked, found, user) if asked.latency_ms is not None else []
    failed = _failed(candidates, asked)
    fitting = [one for one in candidates if not failed[one.model.pk]]
    closest = min(candidates, key=lambda one: (len(failed[one.model.pk]), one.cost), default=None)
    groups = _linked(fitting, found)
    main = groups[0] if groups else []
    counted = [one for one in found.benchmarks if any(one.pk in candidate.scores for candidate in main)]
    ranked, thin = _ranked(main, counted)
    tied, behind = [one for one in ranked if one.is_tied], [one for one in ranked if not one.is_tied]
    machines = machines or _time([*tied, *behind[:SHOWN]], asked, found, user)
    tied.sort(key=lambda one: one.cost)
    return Answer(
        asked=asked,
        benchmarks=found.benchmarks,
        machines=machines,
        machine=asked.machine or next(iter(machines), ""),
        measured=len(candidates),
        chosen=tied[0] if tied else None,
        tied=tied,
        behind=behind,
        thin=thin,
        apart=[one for group in groups[1:] for one in group],
        excluded=_excluded(candidates, failed, asked),
        closest=None if fitting else closest,
        missed=failed[closest.model.pk] if closest and not fitting else (),
        unscored=evidence.unscored(asked, user, found),
        counted=counted,
    )


def _time(candidates: Sequence[Candidate], asked: Asked, found: Evidence, user: Asker) -> list[str]:
    """Note how fast the candidates are on the machine asked for, else on that of most scores; return all machines."""
    times = evidence.times_of([one.model.pk for one in candidates], found.benchmarks, user)
    machines = evidence.machines_of(times)
    wanted = asked.machine or next(iter(machines), "")
    for one in candidates:
        on_it = [time for machine, time in times.get(one.model.pk, ()) if machine == wanted]
        one.speed = Speed(float(np.median(on_it)), wanted) if on_it else None
    return machines


Failed = Mapping[int, Sequence[str]]  # by model, the limits that it misses


def _failed(candidates: Sequence[Candidate], asked: Asked) -> Failed:
    return {one.model.pk: [name for name in asked.limits if not FILTERS[name](one, asked)] for one in candidates}


def _excluded(candidates: Sequence[Candidate], failed: Failed, asked: Asked) -> list[Excluded]:
    """Say of each filter what it shut out."""
    excluded = []
    for name in asked.limits:
        shut_out = [one for one in candidates if name in failed[one.model.pk]]
        alone = [one for one in shut_out if failed[one.model.pk] == [name]]
        sizes = [size for one in alone or shut_out if (size := _size(name, one)) is not None]
        if shut_out:
            excluded.append(Excluded(name, len(shut_out), len(alone), min(sizes, default=None)))
    return excluded


def _size(name: str, one: Candidate) -> float | None:
    """What a model takes of what a filter limits, in the filter's unit."""
    model = one.model
    if name == "memory":
        return None if model.memory_bytes is None else model.memory_bytes / MB
    if name == "disk":
        return model.size / MB
    return one.speed.milliseconds if name == "latency" and one.speed else None


def _is_within(name: str, limit: float | None, one: Candidate) -> bool:
    taken = _size(name, one)
    return taken is not None and limit is not None and taken <= limit


def _runs_on(one: Candidate, asked: Asked) -> bool:
    device, model = DEVICES[asked.device], one.model
    if not device.formats & set(model.formats):
        return False
    return not device.precisions or bool(device.precisions & set(model.precisions))


FILTERS: Mapping[str, Callable[[Candidate, Asked], bool]] = {
    "memory": lambda one, asked: _is_within("memory", asked.memory_mb, one),
    "latency": lambda one, asked: _is_within("latency", asked.latency_ms, one),
    "disk": lambda one, asked: _is_within("disk", asked.disk_mb, one),
    "licence": lambda one, asked: one.model.license_class in asked.licences,
    "device": _runs_on,
}


def _table(candidates: Sequence[Candidate], benchmarks: Sequence[Benchmark]) -> Array:
    return np.array(
        [[_value(one.scores.get(benchmark.pk)) for benchmark in benchmarks] for one in candidates], dtype=np.float64
    )


def _value(score: Score | None) -> float:
    return math.nan if score is None else score.normalised


def _linked(candidates: Sequence[Candidate], found: Evidence) -> list[list[Candidate]]:
    """Part the models that share benchmarks, be it over others, from those that share none; the largest part first."""
    if not candidates:
        return []
    groups: dict[int, list[Candidate]] = {}
    for one, group in zip(candidates, linked(_table(candidates, found.benchmarks)), strict=True):
        groups.setdefault(group, []).append(one)
    return sorted(groups.values(), key=lambda group: (-len(group), -sum(len(one.scores) for one in group)))


def _ranked(main: Sequence[Candidate], counted: Sequence[Benchmark]) -> tuple[list[Candidate], list[Candidate]]:
    """Rank the models that were measured on enough of the benchmarks; the others are returned apart."""
    enough = [one for one in main if len(one.scores) >= ENOUGH * len(counted)]
    thin = [one for one in main if len(one.scores) < ENOUGH * len(counted)]
    if not enough:  # benchmarks that hardly anybody shares: whoever has most of them is known best
        most = max((len(one.scores) for one in main), default=0)
        enough, thin = [one for one in main if len(one.scores) == most], [one for one in main if len(one.scores) < most]
    if not enough:
        return [], []
    for one, score in zip(main, adjusted(_table(main, counted)), strict=True):
        one.score = float(score)
    enough.sort(key=lambda one: (-one.score, one.cost))
    leader = enough[0]
    leader.is_leader = True
    found = told_apart.differences(leader.scores, {one.model.pk: one.scores for one in enough[1:]})
    compared = [one for one in enough[1:] if one.model.pk in found]
    for one, p in zip(compared, holm([found[one.model.pk].p for one in compared]), strict=True):
        one.difference, one.p = found[one.model.pk], p
    return enough, sorted(thin, key=lambda one: -one.score)
