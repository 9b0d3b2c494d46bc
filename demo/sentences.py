"""The sentences written for the demo, read from the two committed sources, and how alike two of them are."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from itertools import combinations
from pathlib import Path

SOURCES = Path(__file__).parent / "data" / "source"
LANGUAGES = ("en", "zh")
LABELS = ("negative", "positive")
PHENOMENA = ("plain", "negation", "mixed", "irony", "comparison", "understatement")
# Share of common character pairs (Chinese) or triples (English) above which two sentences count as one.
NEAR_DUPLICATE = 0.5
_GRAM = {"en": 3, "zh": 2}


@dataclass(frozen=True, slots=True)
class Sentence:
    """One row of the data set, with an id that never changes."""

    id: str
    text: str
    label: str
    lang: str
    topic: str
    phenomenon: str

    def as_line(self) -> str:
        """The sentence as one line of JSON."""
        return json.dumps(asdict(self), ensure_ascii=False) + "\n"


def read_sources() -> list[Sentence]:
    """Read both languages; the id is the language and the place in its file."""
    return [sentence for lang in LANGUAGES for sentence in _read(lang)]


def near_duplicates(sentences: Iterable[Sentence]) -> list[tuple[Sentence, Sentence]]:
    """Pairs of one language whose character n-grams are the same for the greater part."""
    grams = [(sentence, _grams(sentence)) for sentence in sentences]
    # |A ∩ B| >= t |A ∪ B| is the same as |A ∩ B| >= t / (1 + t) (|A| + |B|), which needs no union.
    share = NEAR_DUPLICATE / (1 + NEAR_DUPLICATE)
    return [
        (one, other)
        for lang in LANGUAGES
        for (one, some), (other, more) in combinations([pair for pair in grams if pair[0].lang == lang], 2)
        if len(some & more) >= share * (len(some) + len(more))
    ]


def _read(lang: str) -> Iterator[Sentence]:
    lines = (SOURCES / f"{lang}.jsonl").read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines, start=1):
        yield Sentence(id=f"{lang}-{number:04d}", **json.loads(line))


def _grams(sentence: Sentence) -> set[str]:
    text = "".join(character for character in sentence.text.casefold() if character.isalnum())
    size = _GRAM[sentence.lang]
    return {text[start : start + size] for start in range(max(1, len(text) - size + 1))}
