"""Queries against a collection of documents: which of them are found, and how far ahead."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from worker.engine.contracts import EngineError
from worker.engine.decoding import parse_json
from worker.engine.measures import retrieval
from worker.engine.measures.retrieval import Query
from worker.engine.records import Record
from worker.engine.tasks import lexical
from worker.engine.tasks.ordering import are_floors, by_chance, is_gain, mean_floor, places_of
from worker.engine.tasks.task import Array, Measure, Measured, Role, Task, Value, Whole, bad_gold, refused

FOUND = 100  # documents that a model names for a query
MAX_RELEVANT = 10_000
MAX_ID = 256
SCORE_DIGITS = 6
SHOWN_RECALL = (1, 3, 5, 10, 20, 50, 100)
SHOWN_PLACES = (1, 3, 10, 100)
# Two documents that are nearly equal may change places, and with them the score of their query.
TOLERANCE = 1e-3


@dataclass(frozen=True, kw_only=True)
class RetrievalSettings:
    """Nothing can be chosen."""


class TextRetrieval(Task[RetrievalSettings]):
    """Queries, and in the file `corpus` the documents to be searched."""

    name = "text-retrieval"
    roles = {
        "input": Role(default="query"),
        "target": Role(default="relevant"),
        "document": Role(default="text", required=False),
        "title": Role(default="title", required=False),
    }
    files = {"corpus": True}
    settings_type = RetrievalSettings
    heads = ("Model",)
    answering = "worker.engine.answering.searcher"
    measures = (
        Measure("ndcg_at_10", "mean", tolerance=TOLERANCE),
        Measure("mrr_at_10", "mean", tolerance=TOLERANCE),
        Measure("recall_at_1", "mean", tolerance=TOLERANCE),
        Measure("recall_at_5", "mean", tolerance=TOLERANCE),
        Measure("recall_at_10", "mean", tolerance=TOLERANCE),
        Measure("recall_at_100", "mean", tolerance=TOLERANCE),
        Measure("map", "mean", tolerance=TOLERANCE),
    )
    default_primary = "ndcg_at_10"

    def read(self, record: Record, settings: RetrievalSettings) -> tuple[Value, Value]:
        """Return the query, and what each document of worth is worth to it."""
        question: Value = {"query": record.text("input")}
        gains = _gains(record)
        if "id" in record.values:
            # Where queries are drawn from the collection, the query itself would be the easiest find.
            own = str(record.values["id"])
            question["leave_out"] = {own: True}  # a name and no text
            gains.pop(own, None)
        if not any(gain > 0 for gain in gains.values()):
            raise record.bad("target", "names no document of worth beside the query itself")
        return question, {"relevant": {document: gain for document, gain in gains.items() if gain > 0}}

    def read_extra(self, role: str, record: Record, settings: RetrievalSettings) -> Value:
        """Return a document: its title, where it has one, and its text."""
        title = record.get("title") if record.has("title") else ""
        if not isinstance(title, str):
            raise record.bad("title", "must be text")
        text = record.get("document") if title.strip() and record.get("document") == "" else record.text("document")
        return {"text": f"{title.strip()} {text}".strip()}

    def finish(
        self,
        ids: Sequence[str],
        questions: Sequence[Value],
        golds: Sequence[Value],
        extra: Mapping[str, Sequence[Value]],
        settings: RetrievalSettings,
    ) -> list[Value]:
        """Check that every document is there, and add what chance and the characters alone find."""
        documents = {document["id"]: document["text"] for document in extra["corpus"]}
        for identity, gold in zip(ids, golds, strict=True):
            if absent := next((name for name in gold["relevant"] if name not in documents), None):
                raise EngineError(
                    "bad_data",
                    f'query "{identity[:80]}": the document "{absent[:80]}" that it names is not in the corpus',
                )
        names = list(documents)
        found = lexical.search([row["query"] for row in questions], list(documents.values()))
        finished = []
        for question, gold in zip(questions, golds, strict=True):
            own = own_of(question)
            size = len(documents) - (own in documents)
            floors = {"chance": by_chance(gold["relevant"].values(), size, depth=FOUND)}
            if found is not None:
                best = top(next(found), names, leave_out=own)
                ranking = [document for document, _score in best]
                measured = retrieval.measure([Query("", gold["relevant"], ranking)])
                floors["characters"] = {name: float(values[0]) for name, values in measured.items()}
            finished.append({**gold, "floors": floors})
        return finished

    def check_gold(self, value: Value, settings: RetrievalSettings) -> Value:
        """Return what each document of worth is worth."""
        relevant = value.get("relevant")
        if (
            not {"relevant"} <= set(value) <= {"relevant", "floors"}
            or not isinstance(relevant, dict)
            or not relevant
            or not all(is_gain(gain) and gain > 0 for gain in relevant.values())
        ):
            raise bad_gold("it names no documents of worth")
        if not are_floors(value.get("floors", {}), retrieval.NAMES):
            raise bad_gold("its floors are no numbers from 0 to 1")
        return value

    def max_row_bytes(self, settings: RetrievalSettings) -> int:
        """Return the room for a hundred documents."""
        return FOUND * (12 * MAX_ID + 64)

    def check(self, value: Value, gold: Value, settings: RetrievalSettings) -> Value:
        """Return the documents with their scores, best first."""
        if set(value) != {"documents", "scores"}:
            raise refused("must have exactly id, documents and scores")
        documents, scores = value["documents"], value["scores"]
        if not isinstance(documents, list) or len(documents) > FOUND or not all(map(_is_id, documents)):
            raise refused(f"must have a list of at most {FOUND} ids of documents")
        if len(set(documents)) != len(documents):
            raise refused("must name each document once")
        if not isinstance(scores, list) or len(scores) != len(documents) or not all(map(_is_number, scores)):
            raise refused("must have a number for each document")
        return value

    def digest_part(self, prediction: Value) -> list[str]:
        """Return the best document: further down, two may change places with the size of a batch."""
        documents: list[str] = prediction["documents"]
        return documents[:1]

    def pretend(self, numbers: Iterator[float], question: Value, settings: RetrievalSettings) -> Value:
        """Return some documents, of a corpus whose ids are whole numbers."""
        documents = list(dict.fromkeys(str(int(20 * next(numbers))) for _turn in range(10)))
        return {"documents": documents, "scores": [round(1 - place / 20, 6) for place in range(len(documents))]}

    def measure(self, golds: Sequence[Value], predictions: Sequence[Value], settings: RetrievalSettings) -> Measured:
        """Return how well the documents of worth are found."""
        rankings = [row["documents"] for row in predictions]
        found = retrieval.measure([Query("", gold["relevant"], row) for gold, row in zip(golds, rankings, strict=True)])
        hits = [_places(gold["relevant"], row) for gold, row in zip(golds, rankings, strict=True)]
        floors = {name: mean_floor(golds, name) for name in ("chance", "characters")}
        return Measured(
            items={measure.name: found[measure.name] for measure in self.measures},
            clusters=_clusters(golds),
            details={
                "recall": [_recall(hits, [len(gold["relevant"]) for gold in golds], k) for k in SHOWN_RECALL],
                "first_right": places_of([places[0] if places else None for places in hits], SHOWN_PLACES),
            },
            floors={name: {"metrics": metrics} for name, metrics in floors.items() if metrics},
        )


def top(scores: Array, names: Sequence[str], *, leave_out: str = "") -> list[tuple[str, float]]:
    """Return the best documents with their scores; those that are equal in what is written stay in their order."""
    scores = np.round(scores, SCORE_DIGITS)
    wanted = min(FOUND + 1, len(scores))  # one more, for the query itself may be among them
    last = np.partition(scores, len(scores) - wanted)[len(scores) - wanted]
    near = np.flatnonzero(scores >= last)
    order = near[np.lexsort((near, -scores[near]))]
    best = [(names[place], score) for place, score in zip(order.tolist(), scores[order].tolist(), strict=True)]
    return [(name, score) for name, score in best if name != leave_out][:FOUND]


def own_of(question: Value) -> str:
    """Return the id under which the query itself may be in the collection."""
    return next(iter(question.get("leave_out", ())), "")


def _gains(record: Record) -> dict[str, float]:
    """Return the worth of each document: a list of ids, {id: worth}, or a single id."""
    value = record.get("target")
    if isinstance(value, str) and value.lstrip()[:1] in ("[", "{"):
        try:
            value = parse_json(value)
        except (ValueError, RecursionError):
            raise record.bad("target", "is not JSON") from None
    if isinstance(value, str | int) and not isinstance(value, bool):
        value = [value]
    if isinstance(value, list):
        value = {str(item): 1 for item in value if isinstance(item, str | int)} if _are_ids(value) else None
    if not isinstance(value, dict) or len(value) > MAX_RELEVANT:
        raise record.bad("target", f"must be a list of at most {MAX_RELEVANT} ids of documents, or {{id: worth}}")
    if not all(_is_id(document) and is_gain(gain) for document, gain in value.items()):
        raise record.bad("target", "must give each document a worth that is not negative")
    return {document: float(gain) for document, gain in value.items()}


def _are_ids(value: list[Any]) -> bool:
    return all(isinstance(item, str | int) and not isinstance(item, bool) and _is_id(str(item)) for item in value)


def _is_id(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= MAX_ID


def _is_number(value: object) -> bool:
    return type(value) in (int, float) and math.isfinite(value)  # type: ignore[arg-type]


def _places(relevant: Mapping[str, float], ranking: Sequence[str]) -> list[int]:
    return [place for place, document in enumerate(ranking, start=1) if document in relevant]


def _recall(hits: Sequence[Sequence[int]], wanted: Sequence[int], k: int) -> dict[str, Any]:
    counts = np.array([sum(place <= k for place in places) for places in hits])
    return {"k": k, "recall": float((counts / np.array(wanted)).mean()), "found": float((counts > 0).mean())}


def _clusters(golds: Sequence[Value]) -> Whole | None:
    """Return which queries ask for the same document, such as the questions about one passage."""
    best = [min(gold["relevant"], key=lambda name: (-gold["relevant"][name], name)) for gold in golds]
    numbers = {name: number for number, name in enumerate(dict.fromkeys(best))}
    return None if len(numbers) == len(golds) else np.array([numbers[name] for name in best], dtype=np.intp)
