"""What models wrote, and the words that they put into gaps, as a page shows them: beside the reference."""

import re
from itertools import islice

from leaderboard.examples import MAX_TEXT, SHOWN, Mistake, Pairs, Row, list_in
from leaderboard.models import Benchmark

SHOWN_WORDS = 5
_PLACE = re.compile(r"\{(\w+)\}")
# A model may write anything. What a reader could not see is shown as a sign, and what turns the rest of a line round is
# taken out.
_SEEN = {code: 0x2400 + code for code in range(32) if chr(code) not in "\t\n"} | {0x7F: 0x2421}
_SEEN |= dict.fromkeys(
    (*range(0x80, 0xA0), 0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)), 0xFFFD
)


def first_answers(benchmark: Benchmark, pairs: Pairs) -> list[Mistake]:
    """Return the first texts that are not word for word the reference, each with what was asked."""
    written = (_written(benchmark, row, answer) for row, answer in pairs)
    return list(islice((one for one in written if one.answer != one.label), SHOWN))


def wrong_words(benchmark: Benchmark, pairs: Pairs) -> list[Mistake]:
    """Return the first gaps whose likeliest word is not the right one, with the next likely ones."""
    found: list[Mistake] = []
    for row, answer in pairs:
        right = [text.casefold() for text in _references(row.get(benchmark.fields["target"]))]
        words = [str(word) for word in list_in(answer.get("words"))]
        shares = list_in(answer.get("scores"))
        if not right or (words and words[0].casefold() in right):
            continue
        likely = zip(words, shares, strict=False)
        guesses = [(seen(word), share) for word, share in likely if isinstance(share, int | float)][:SHOWN_WORDS]
        text, label = row.get(benchmark.fields["input"]), ", ".join(_references(row.get(benchmark.fields["target"])))
        identity = str(answer.get("id", ""))
        found.append(Mistake(identity, seen(text), "", seen(label), "", None, guesses=guesses))
        if len(found) == SHOWN:
            break
    return found


def seen(value: object) -> str:
    """Return a text that can be shown: not too long, and every sign of it to be seen."""
    text = str(value or "").strip()
    return (text if len(text) <= MAX_TEXT else f"{text[: MAX_TEXT - 1]}…").translate(_SEEN)


def _written(benchmark: Benchmark, row: Row, answer: Row) -> Mistake:
    return Mistake(
        id=str(answer.get("id", "")),
        text=seen(_prompt(benchmark, row)),
        text2="",
        label=seen("\n".join(_references(row.get(benchmark.fields["target"])))),
        answer=seen(answer.get("text")),
        confidence=None,
        stopped=str(answer.get("stopped", "")),
    )


def _prompt(benchmark: Benchmark, row: Row) -> str:
    """Return what a decoder was asked, without the examples before it."""

    def value(found: re.Match[str]) -> str:
        return str(row.get(benchmark.fields.get(found[1], found[1]), ""))

    return _PLACE.sub(value, str(benchmark.settings.get("prompt", "{input}")))


def _references(value: object) -> list[str]:
    if isinstance(value, list):
        return [str(text) for text in value if isinstance(text, str)]
    return [] if value is None else [str(value)]
