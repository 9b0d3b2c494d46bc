"""Candidates for a query, put in order by a model that reads both together, or by vectors."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from worker.engine.contracts import EngineError
from worker.engine.decoding import parse_json
from worker.engine.measures import retrieval
from worker.engine.measures.retrieval import Query
from worker.engine.records import Record
from worker.engine.tasks import lexical
from worker.engine.tasks.numeric import LARGEST, is_number
from worker.engine.tasks.ordering import are_floors, by_chance, is_gain, mean_floor, places_of, ranked
from worker.engine.tasks.task import Array, Measure, Measured, Role, Task, Value, bad_gold, refused

MAX_CANDIDATES = 1000
SIGNIFICANT_DIGITS = 6
SHOWN_PLACES = (1, 2, 3, 5, 10)
# Two candidates that are nearly equal may change places, and with them the score of their query.
TOLERANCE = 1e-3

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class RankingSettings:
    """Which label of a model with two outputs says that a candidate fits; else the second one."""

    relevant_label: str = ""


class TextRanking(Task[RankingSettings]):
    """Queries with the candidates to be put in order, and what each of them is worth."""

    name = "text-ranking"
    roles = {
        "input": Role(default="query"),
        "candidates": Role(default="candidates"),
        "target": Role(default="relevance"),
    }
    settings_type = RankingSettings
    heads = ("ForSequenceClassification", "Model")
    answering = "worker.engine.answering.ranker"
    measures = (
        Measure("map", "mean", tolerance=TOLERANCE),
        Measure("mrr_at_10", "mean", tolerance=TOLERANCE),
        Measure("ndcg_at_10", "mean", tolerance=TOLERANCE),
    )
    default_primary = "map"

    def read(self, record: Record, settings: RankingSettings) -> tuple[Value, Value]:
        """Return the query with its candidates, and the worth of each."""
        candidates = record.texts("candidates", least=2, most=MAX_CANDIDATES)
        gains = _gains(record, len(candidates))
        return {"query": record.text("input"), "candidates": candidates}, {"gains": gains}

    def finish(
        self,
        ids: Sequence[str],
        questions: Sequence[Value],
        golds: Sequence[Value],
        extra: Mapping[str, Sequence[Value]],
        settings: RankingSettings,
    ) -> list[Value]:
        """Add what chance and the characters alone reach."""
        found = lexical.similarities(
            [row["query"] for row in questions for _candidate in row["candidates"]],
            [candidate for row in questions for candidate in row["candidates"]],
        )
        finished, start = [], 0
        for gold in golds:
            gains = gold["gains"]
            floors = {"chance": _kept(by_chance(gains, len(gains), depth=len(gains)))}
            if found is not None:
                scores = np.round(found[start : start + len(gains)], SIGNIFICANT_DIGITS)
                floors["characters"] = {name: float(values[0]) for name, values in _measured([gains], [scores]).items()}
            start += len(gains)
            finished.append({**gold, "floors": floors})
        return finished

    def fit(self, own: list[str], settings: RankingSettings) -> tuple[int, int | None]:
        """Return the output that speaks for a candidate, and the one that speaks against it where there are two."""
        if len(own) == 1:
            return 0, None
        wanted = settings.relevant_label
        if len(own) != 2 or (wanted and wanted not in own):
            raise EngineError(
                "label_mismatch",
                f"The model has the outputs {', '.join(own[:5])[:200]}. To put candidates in order it needs one output"
                + (f", or two of which one is named {wanted!r}." if wanted else ", or two."),
            )
        fits = own.index(wanted) if wanted else 1
        return fits, 1 - fits

    def check_gold(self, value: Value, settings: RankingSettings) -> Value:
        """Return what each candidate is worth."""
        gains = value.get("gains")
        if (
            not {"gains"} <= set(value) <= {"gains", "floors"}
            or not isinstance(gains, list)
            or not all(map(is_gain, gains))
            or not any(gain > 0 for gain in gains)
        ):
            raise bad_gold("it has no candidate of worth")
        if not are_floors(value.get("floors", {}), [measure.name for measure in self.measures]):
            raise bad_gold("its floors are no numbers from 0 to 1")
        return value

    def max_row_bytes(self, settings: RankingSettings) -> int:
        """Return the room for one number a candidate."""
        return 64 + MAX_CANDIDATES * 32

    def check(self, value: Value, gold: Value, settings: RankingSettings) -> Value:
        """Return the scores, one for each candidate."""
        if set(value) != {"scores"}:
            raise refused("must have exactly id and scores")
        scores = value["scores"]
        if not isinstance(scores, list) or not all(map(is_number, scores)):
            raise refused(f"must have a list of numbers of at most {LARGEST:g}")
        if len(scores) != len(gold["gains"]):
            raise refused(f"must have {len(gold['gains'])} scores, one for each candidate")
        return {"scores": [rounded(score) for score in scores]}

    def digest_part(self, prediction: Value) -> int:
        """Return the best candidate: further down, two may change places with the size of a batch."""
        return ranked(np.array(prediction["scores"]))[0]

    def pretend(self, numbers: Iterator[float], question: Value, settings: RankingSettings) -> Value:
        """Return any scores."""
        return {"scores": [rounded(next(numbers)) for _candidate in question["candidates"]]}

    def measure(self, golds: Sequence[Value], predictions: Sequence[Value], settings: RankingSettings) -> Measured:
        """Return how far ahead the candidates of worth are."""
        gains = [gold["gains"] for gold in golds]
        scores = [np.array(row["scores"], dtype=np.float64) for row in predictions]
        floors = {name: mean_floor(golds, name) for name in ("chance", "characters")}
        return Measured(
            items=_measured(gains, scores),
            details={"first_right": places_of(list(map(_first, gains, scores)), SHOWN_PLACES)},
            floors={name: {"metrics": metrics} for name, metrics in floors.items() if metrics},
        )


def rounded(score: float) -> float:
    """Return a score as it is written."""
    return float(f"{score:.{SIGNIFICANT_DIGITS}g}")


def _measured(gains: Sequence[Sequence[float]], scores: Sequence[Array]) -> dict[str, Array]:
    queries = [
        Query("", {str(place): gain for place, gain in enumerate(worth)}, [str(place) for place in ranked(given)])
        for worth, given in zip(gains, scores, strict=True)
    ]
    return _kept(retrieval.measure(queries))


def _kept(found: dict[str, T]) -> dict[str, T]:
    return {measure.name: found[measure.name] for measure in TextRanking.measures}


def _first(gains: Sequence[float], scores: Array) -> int:
    return next(place for place, candidate in enumerate(ranked(scores), start=1) if gains[candidate] > 0)


def _gains(record: Record, count: int) -> list[float]:
    value: Any = record.get("target")
    if isinstance(value, str):
        try:
            value = parse_json(value)
        except (ValueError, RecursionError):
            value = None
    if not isinstance(value, list) or len(value) != count or not all(map(is_gain, value)):
        raise record.bad("target", f"must be a list of {count} numbers, the worth of each candidate")
    if not any(value):
        raise record.bad("target", "gives no candidate any worth")
    return [float(gain) for gain in value]
