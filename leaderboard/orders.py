"""What models got wrong that compare texts, search or put in order: which pairs, and what stood first instead."""

from collections.abc import Mapping, Sequence
from itertools import islice

from leaderboard.examples import MAX_TEXT, SHOWN, Mistake, Pairs, Row, json_lines, list_in, rows_in
from leaderboard.models import Benchmark

TOP = 10  # the first places, in which a right document should be
MAX_PAIRS = 5000


def farthest_pairs(benchmark: Benchmark, pairs: Pairs) -> list[Mistake]:
    """Return the pairs whose place among the cosines is farthest from that among the references: scales differ."""
    fields = benchmark.fields
    rows: list[tuple[float, float, Row, Row]] = []
    for row, answer in islice(pairs, MAX_PAIRS):
        try:
            rows.append((float(row[fields["target"]]), float(answer["similarity"]), row, answer))
        except (KeyError, TypeError, ValueError):
            continue
    places, given = _ranks([gold for gold, *_rest in rows]), _ranks([found for _gold, found, *_rest in rows])
    order = sorted(range(len(rows)), key=lambda index: -abs(places[index] - given[index]))
    return [
        Mistake(
            id=str(answer.get("id", "")),
            text=str(row.get(fields["input"], ""))[:MAX_TEXT],
            text2=str(row.get(fields["input2"], ""))[:MAX_TEXT],
            label=f"{gold:g}",
            answer=f"{found:.2f}",
            confidence=None,
        )
        for gold, found, row, answer in (rows[index] for index in order[:SHOWN] if places[index] != given[index])
    ]


def missed_documents(benchmark: Benchmark, pairs: Pairs) -> list[Mistake]:
    """Return the first queries without a right document among the first ten, with what stood first."""
    fields = benchmark.fields
    missed: list[tuple[Row, Row, list[str], list[str]]] = []
    for row, answer in pairs:
        right, ranking = _right(row.get(fields["target"])), [str(name) for name in list_in(answer.get("documents"))]
        right.discard(str(row.get("id", "")))
        if right and not right & set(ranking[:TOP]):
            missed.append((row, answer, sorted(right), ranking))
        if len(missed) == SHOWN:
            break
    wanted = {name for _row, _answer, right, ranking in missed for name in (right[0], *ranking[:1])}
    texts = _documents(benchmark, wanted) if wanted else {}
    return [
        Mistake(
            id=str(answer.get("id", "")),
            text=str(row.get(fields["input"], ""))[:MAX_TEXT],
            text2="",
            label=texts.get(right[0], right[0]),
            answer=texts.get(ranking[0], ranking[0]) if ranking else "–",
            confidence=None,
            place=next((str(place) for place, name in enumerate(ranking, 1) if name in right), f"> {len(ranking)}"),
        )
        for row, answer, right, ranking in missed
    ]


def misplaced_candidates(benchmark: Benchmark, pairs: Pairs) -> list[Mistake]:
    """Return the first queries for which a candidate without worth stands first."""
    fields = benchmark.fields
    found: list[Mistake] = []
    for row, answer in pairs:
        texts = [str(text) for text in list_in(row.get(fields["candidates"]))]
        gains, scores = _numbers(row.get(fields["target"])), _numbers(answer.get("scores"))
        if not texts or not len(texts) == len(gains) == len(scores) or not any(gains):
            continue
        order = sorted(range(len(texts)), key=lambda index: -scores[index])
        place, right = next((place, index) for place, index in enumerate(order, start=1) if gains[index] > 0)
        if scores[right] < scores[order[0]]:
            found.append(
                Mistake(
                    id=str(answer.get("id", "")),
                    text=str(row.get(fields["input"], ""))[:MAX_TEXT],
                    text2="",
                    label=texts[right][:MAX_TEXT],
                    answer=texts[order[0]][:MAX_TEXT],
                    confidence=None,
                    place=str(place),
                )
            )
        if len(found) == SHOWN:
            break
    return found


def _right(value: object) -> set[str]:
    """Return the documents of worth as the engine reads them: a list, {id: worth}, or a single id."""
    if isinstance(value, str) and value.lstrip()[:1] in ("[", "{"):
        value = next((row["value"] for row in json_lines(f'{{"value": {value}}}'.encode())), None)
    if isinstance(value, Mapping):
        return {str(name) for name, gain in value.items() if isinstance(gain, int | float) and gain > 0}
    return {str(name) for name in (value if isinstance(value, list) else [value]) if isinstance(name, str | int)}


def _documents(benchmark: Benchmark, wanted: set[str]) -> dict[str, str]:
    """Return the texts of documents, as far as they are in the first part of their file."""
    fields = benchmark.fields
    texts: dict[str, str] = {}
    for place, row in enumerate(rows_in(benchmark, benchmark.files["corpus"]["path"])):
        name = str(row.get("id", place))
        if name in wanted:
            title, text = row.get(fields.get("title", "title"), ""), row.get(fields.get("document", "text"), "")
            texts[name] = f"{title} {text}".strip()[:MAX_TEXT]
        if len(texts) == len(wanted):
            break
    return texts


def _numbers(value: object) -> list[float]:
    found = list_in(value)
    return [float(item) for item in found if isinstance(item, int | float)]


def _ranks(values: Sequence[float]) -> list[float]:
    """Return the place of each value from 0 to 1, equal values sharing the mean of theirs."""
    order = sorted(values)
    first: dict[float, int] = {}
    last: dict[float, int] = {}
    for place, value in enumerate(order):
        first.setdefault(value, place)
        last[value] = place
    return [(first[value] + last[value]) / (2 * max(len(values) - 1, 1)) for value in values]
