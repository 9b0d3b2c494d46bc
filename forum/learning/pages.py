"""A guide as its page shows it: filled in for the reader, its words explained where they are first met."""

import re
from typing import NamedTuple

from django.utils.html import escape
from django.utils.safestring import mark_safe

from forum.learning import glossary, guides
from forum.learning.guides import Guide
from models_hub import rendering
from models_hub.rendering import Document

_WORD = re.compile(rf'<a href="{glossary.PATH}#([\w-]+)"')


class Entry(NamedTuple):
    """A heading of the second step with those below it."""

    id: str
    name: str
    below: list[tuple[str, str]]


def shown(guide: Guide, *, address: str, name: str) -> Document:
    """Return a guide as HTML for a reader, with its headings; `name` is empty for a reader without an account."""
    page = rendering.page(guide.text)
    html = guides.filled(str(page.html), address=str(escape(address)), name=str(escape(name)))

    def explained(found: re.Match[str]) -> str:
        word = glossary.find(found[1])
        return f'{found[0]} class="term" title="{escape(word.meaning(guide.language))}"' if word else found[0]

    html = _WORD.sub(explained, html)
    return Document(mark_safe(html), page.headings)  # noqa: S308 - cleaned by the renderer; what came in is escaped


def contents(page: Document) -> list[Entry]:
    """Return the headings of a page as a list of two steps."""
    found: list[Entry] = []
    for heading in page.headings:
        if heading["level"] == 2:
            found.append(Entry(heading["id"], heading["name"], []))
        elif heading["level"] == 3 and found:
            found[-1].below.append((heading["id"], heading["name"]))
    return found
