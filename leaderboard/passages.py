"""What models got wrong that find answers in passages: the passage with the right answer and the given one marked."""

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from django.utils.translation import pgettext

from leaderboard.examples import MAX_TEXT, SHOWN, Mistake, Pairs, json_lines
from leaderboard.marking import Piece, Span, marked
from leaderboard.models import Benchmark

MAX_ANSWERS = 10
_ARTICLES = re.compile(r"\b(?:a|an|the)\b")
_SIGNS = re.compile(r"[\W_]+")


def wrong_answers(benchmark: Benchmark, pairs: Pairs) -> list[Mistake]:
    """Return the first answers that are none of the right ones, whatever their case and punctuation."""
    fields = benchmark.fields
    found: list[Mistake] = []
    for row, answer in pairs:
        context, given = row.get(fields["context"]), answer.get("text")
        if not isinstance(context, str) or not isinstance(given, str):
            continue
        right = _answers(row.get(fields["target"]))[:MAX_ANSWERS]
        if _plain(given) in ({_plain(text) for text, _start in right} or {""}):
            continue
        no_answer = pgettext("to a question about a passage", "no answer")
        found.append(
            Mistake(
                id=str(answer.get("id", "")),
                text=str(row.get(fields["input"], ""))[:MAX_TEXT],
                text2="",
                label=" / ".join(dict.fromkeys(text for text, _start in right))[:MAX_TEXT] or no_answer,
                answer=given[:MAX_TEXT] or no_answer,
                confidence=None,
                pieces=_pieces(context, right, (given, answer.get("start"))),
            )
        )
        if len(found) == SHOWN:
            break
    return found


def _answers(value: object) -> list[tuple[str, object]]:
    """Return the answers of a row with their places, in any of the forms that the engine reads."""
    if isinstance(value, str):
        if value.lstrip().startswith(("[", "{")):
            value = next((row["answers"] for row in json_lines(f'{{"answers": {value}}}'.encode())), [value])
        else:
            value = [value] if value.strip() else []
    if isinstance(value, dict):
        texts, starts = (value.get(key) for key in ("text", "answer_start"))
        texts = texts if isinstance(texts, list) else []
        starts = starts if isinstance(starts, list) else []
        value = [{"text": text, "start": start} for text, start in zip(texts, [*starts, *texts], strict=False)]
    items: list[Any] = value if isinstance(value, list) else []
    pairs = [
        (item.get("text"), item.get("answer_start", item.get("start"))) if isinstance(item, dict) else (item, None)
        for item in items
    ]
    return [(text, start) for text, start in pairs if isinstance(text, str) and text]


def _pieces(context: str, right: Iterable[tuple[str, object]], given: tuple[str, object]) -> list[Piece]:
    """Return the passage with both answers marked; what they share counts as found."""
    pieces = marked(context, _spans(context, right), _spans(context, [given]))
    return [replace(piece, verdict="right") if piece.verdict == "differs" else piece for piece in pieces]


def _spans(context: str, answers: Iterable[tuple[str, object]]) -> list[Span]:
    """Return where answers stand: at the stated place if they do, else at the first."""
    found = []
    for text, start in answers:
        if not text:
            continue
        at = start if type(start) is int and start >= 0 and context.startswith(text, start) else context.find(text)
        if at >= 0:
            found.append(Span("", at, at + len(text)))
    return list(dict.fromkeys(found))


def _plain(text: str) -> str:
    return _SIGNS.sub("", _ARTICLES.sub(" ", text.lower()))
