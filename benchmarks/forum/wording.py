"""Texts in both languages for measurements: sentences of the portal itself, whose words are as unequal as in any text.

So a search has words to find that nearly every post holds, and words that few hold.
"""

import random
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from babel.messages.pofile import read_po
from django.utils.html import escape

from models_hub import rendering
from models_hub.searching import words

CATALOGUE = Path(__file__).resolve().parents[2] / "locale/zh_Hans/LC_MESSAGES/django.po"
CODE = "\n\n```python\nprint(model(text))\n```"
RENDERED = 60  # texts that go through the renderer; the others are plain paragraphs, which look the same without it


class Text(NamedTuple):
    """What somebody says, under a title, with the words from which it is found."""

    title: str
    title_words: str
    body: str
    html: str
    words: str


def texts(count: int, sentences: int) -> Iterator[Text]:
    """Return texts of up to so many sentences, every other one in Chinese."""
    chance, pairs = random.Random(7), _sentences()
    for place in range(count):
        spoken = [pair[place % 2] for pair in pairs]
        said = chance.choices(spoken, k=chance.randint(1, sentences))
        body = "\n\n".join("".join(said[at : at + 3]) for at in range(0, len(said), 3))
        html = "".join(f"<p>{escape(part)}</p>" for part in body.split("\n\n"))
        if place < RENDERED:
            body += CODE
            html = rendering.comment_html(body, repo=None, revision="main", pictures=(), links={}) or html
        title = chance.choice(spoken)[:60]
        yield Text(title, " ".join(words.of(title)), body, html, " ".join(words.of(body)))


def frequent(language: int) -> list[str]:
    """Return words that many texts hold, of English (0) or Chinese (1): terms of more than one letter or character."""
    counts: dict[str, int] = {}
    for pair in _sentences():
        for word in {term.word for term in words.asked(pair[language]) if len(term.word) > 1 + 2 * (language == 0)}:
            counts[word] = counts.get(word, 0) + 1
    return sorted(counts, key=lambda word: -counts[word])[:30]


def _sentences() -> list[tuple[str, str]]:
    with CATALOGUE.open("rb") as file:
        found = [(str(m.id), str(m.string)) for m in read_po(file) if isinstance(m.id, str) and m.string]
    return [pair for pair in found if 20 <= len(pair[0]) <= 200 and not set("%<{&\n") & set("".join(pair))]
