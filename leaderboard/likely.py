"""What models got wrong that say how likely texts are: choices, the better of two sentences, and running text."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from string import ascii_uppercase

from leaderboard.examples import MAX_TEXT, SHOWN, Mistake, Option, Pairs, Row, list_in
from leaderboard.models import Benchmark

MAX_ROWS = 5000
MAX_PASSAGE = 240


@dataclass(frozen=True)
class _Choice:
    """A question with the likelihood of each of its answers."""

    row: Row
    answer: Row
    texts: list[str]
    right: int
    likely: list[float]

    @property
    def given(self) -> int:
        """The likeliest answer, of equals the first."""
        return self.likely.index(max(self.likely))


def wrong_choices(benchmark: Benchmark, pairs: Pairs) -> list[Mistake]:
    """Return the first questions whose right answer was not the likeliest one."""
    questions = (_choice(benchmark, row, answer) for row, answer in pairs)
    wrong = (one for one in questions if one and one.given != one.right)
    fields = benchmark.fields
    return [_mistake(one, str(one.row.get(fields["input"], ""))) for one in islice(wrong, SHOWN)]


def wrong_pairs(benchmark: Benchmark, pairs: Pairs) -> list[Mistake]:
    """Return the first pairs whose good sentence was not the likelier one."""
    fields = benchmark.fields
    found: list[Mistake] = []
    for row, answer in pairs:
        good, bad = str(row.get(fields["good"], "")), str(row.get(fields["bad"], ""))
        likely = _likelihoods(answer, 2)
        if not likely or good == bad:
            continue
        # The engine is asked for both in the order of their characters, which does not tell which is the good one.
        of_good, of_bad = likely if good < bad else reversed(likely)
        if of_good <= of_bad:
            one = _Choice(row, answer, [good, bad], 0, [of_good, of_bad])
            found.append(_mistake(one, str(row.get(fields.get("group", ""), "")), given=1))
        if len(found) == SHOWN:
            break
    return found


def hardest_texts(benchmark: Benchmark, pairs: Pairs) -> list[Mistake]:
    """Return the texts that took the most bits for each of their bytes."""
    fields = benchmark.fields
    found: list[tuple[float, Row, Row]] = []
    for row, answer in islice(pairs, MAX_ROWS):
        text, likely = row.get(fields["input"]), answer.get("log_likelihood")
        if isinstance(text, str) and text and isinstance(likely, int | float):
            found.append((-likely / math.log(2) / len(text.encode("utf-8", "replace")), row, answer))
    found.sort(key=lambda one: -one[0])
    return [
        Mistake(
            id=str(answer.get("id", "")),
            text=str(row.get(fields["input"], ""))[:MAX_PASSAGE],
            text2=str(row.get(fields.get("context", ""), ""))[-MAX_PASSAGE:],
            label="",
            answer="",
            confidence=None,
            bits=bits,
        )
        for bits, row, answer in found[:SHOWN]
    ]


def _choice(benchmark: Benchmark, row: Row, answer: Row) -> _Choice | None:
    texts = [str(text) for text in benchmark.settings.get("choices") or list_in(row.get(_column(benchmark, "choices")))]
    right = _right(row.get(benchmark.fields["target"]), texts)
    likely = _likelihoods(answer, len(texts))
    return None if right is None or not likely else _Choice(row, answer, texts, right, likely)


def _column(benchmark: Benchmark, role: str) -> str:
    return str(benchmark.fields.get(role) or benchmark.kind.roles[role].default)


def _right(value: object, texts: Sequence[str]) -> int | None:
    """Return which answer is right as the engine reads it: by its text, its letter or its position from 0."""
    at: int | None = value if type(value) is int else None
    if isinstance(value, str):
        value = value.strip()
        if value in (stripped := [text.strip() for text in texts]):
            at = stripped.index(value)
        elif len(value) == 1 and value in ascii_uppercase:
            at = ascii_uppercase.index(value)
        elif value.isascii() and value.isdigit() and len(value) < 3:
            at = int(value)
    return at if at is not None and 0 <= at < len(texts) else None


def _likelihoods(answer: Row, count: int) -> list[float]:
    given = answer.get("log_likelihoods")
    if not isinstance(given, list) or len(given) != count or not count:
        return []
    return [float(value) for value in given] if all(isinstance(value, int | float) for value in given) else []


def _mistake(one: _Choice, text: str, *, given: int | None = None) -> Mistake:
    given = one.given if given is None else given
    return Mistake(
        id=str(one.answer.get("id", "")),
        text=text[:MAX_TEXT],
        text2="",
        label=one.texts[one.right][:MAX_TEXT],
        answer=one.texts[given][:MAX_TEXT],
        confidence=None,
        options=[
            Option(text[:MAX_PASSAGE], "right" if at == one.right else "given" if at == given else "")
            for at, text in enumerate(one.texts)
        ],
        margin=one.likely[given] - one.likely[one.right],
    )
