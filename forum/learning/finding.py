"""Search over guides and words, in both languages at once; what the community wrote is found by the forum’s search."""

import math
import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from forum.learning import glossary, guides
from forum.learning.glossary import Word
from forum.learning.guides import Guide, Section
from models_hub.searching import highlighting, words
from models_hub.searching.highlighting import Piece
from models_hub.searching.words import Term

TITLE, HEADING, OWN_LANGUAGE = 5.0, 3.0, 2.0
AT_MOST = 8
# Code, and what makes a table: a reader looks for a sentence.
_NO_PROSE = re.compile(r"^```.*?^```$|^\|[-| :]+\|$|\|", re.DOTALL | re.MULTILINE)


class GuideHit(NamedTuple):
    """A guide that answers, by its best section."""

    guide: Guide
    path: str
    title: Sequence[Piece]
    section: Sequence[Piece]
    excerpt: Sequence[Piece]


class WordHit(NamedTuple):
    """A word of the glossary that answers."""

    word: Word
    name: Sequence[Piece]
    meaning: Sequence[Piece]


class _Part(NamedTuple):
    guide: Guide
    section: Section
    titled: str
    headed: str
    said: str


def guides_for(text: str, language: str) -> list[GuideHit]:
    """Return the guides that hold all words of a question, the reader’s language first where both do."""
    terms = words.asked(text)
    scored = [(points, part) for part in _parts(_all_guides()) if (points := _score(part, terms, language))]
    best: dict[str, tuple[float, _Part]] = {}
    for points, part in scored:
        if part.guide.slug not in best or points > best[part.guide.slug][0]:
            best[part.guide.slug] = points, part
    ranked = sorted(best.values(), key=lambda one: (-one[0], one[1].guide.number))
    return [_hit(part, terms, language) for _points, part in ranked[:AT_MOST]]


def words_for(text: str, language: str) -> list[WordHit]:
    """Return the words whose names answer, then those whose explanations do."""
    terms = words.asked(text)
    if not terms:
        return []
    found = []
    for word in glossary.words():
        named = _joined(f"{word.en} {word.zh}")
        said = _joined(f"{word.en} {word.zh} {word.means_en} {word.means_zh}")
        if all(_holds(said, term) for term in terms):
            found.append((not all(_holds(named, term) for term in terms), word.en.lower(), word))
    rows = [word for _is_said, _name, word in sorted(found, key=lambda one: one[:2])]
    return [
        WordHit(
            word,
            highlighting.marked(word.name(language), terms),
            highlighting.marked(word.meaning(language), terms),
        )
        for word in rows[:AT_MOST]
    ]


def _all_guides() -> tuple[Guide, ...]:
    return tuple(guide for language in guides.LANGUAGES for guide in guides.listed(language))


@lru_cache(maxsize=1)
def _parts(known: tuple[Guide, ...]) -> list[_Part]:
    return [
        _Part(
            guide,
            section,
            _joined(f"{guide.title} {guide.summary} {' '.join(guide.tags)}"),
            _joined(section.title),
            _joined(section.text),
        )
        for guide in known
        for section in guide.sections
    ]


def _score(part: _Part, terms: Sequence[Term], language: str) -> float:
    """Return how well a section answers, 0 when a word is neither in it nor in what the guide is called."""
    if not terms or not all(_holds(text, term) for term in terms for text in [part.titled + part.headed + part.said]):
        return 0
    points = sum(math.log1p(min(_times(part.said, term), 5)) for term in terms) / len(terms)
    points += TITLE * sum(_holds(part.titled, term) for term in terms) / len(terms)
    points += HEADING * sum(_holds(part.headed, term) for term in terms) / len(terms)
    return points + (OWN_LANGUAGE if part.guide.language == language else 0.1)


def _hit(part: _Part, terms: Sequence[Term], language: str) -> GuideHit:
    guide, section = part.guide, part.section
    other = "" if guide.language == language else f"?in={guide.language}"
    said = highlighting.excerpt(_NO_PROSE.sub("", section.text), terms) or highlighting.excerpt(section.text, terms)
    return GuideHit(
        guide,
        f"{guide.path}{other}" + (f"#{section.anchor}" if section.anchor else ""),
        highlighting.marked(guide.title, terms),
        highlighting.marked(section.title, terms),
        said or highlighting.marked(guide.summary, terms),
    )


def _joined(text: str) -> str:
    return f" {' '.join(words.of(text))} "


def _holds(said: str, term: Term) -> bool:
    return _times(said, term) > 0


def _times(said: str, term: Term) -> int:
    end = "" if term.is_prefix else " "
    return said.count(f" {term.word}{end}") or said.count(f" {term.stem} ")
