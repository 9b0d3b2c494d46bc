"""Posts as one reader sees them: what a text names becomes a card of it where the reader may see it, else a link.

The look that is kept of a post holds the keys of what its author named (see naming.py). Here they are looked up, for
all posts of a page at once, and never leave: who may not see a thing learns no more than its author wrote.
"""

import re
from collections.abc import Sequence
from html import unescape

from django.template.loader import render_to_string
from django.utils.safestring import SafeString, mark_safe

from forum.models import Post
from models_hub.markup import REFERENCE
from portal import subjects
from portal.models import Asker
from portal.subjects import Subject

_LINK = re.compile(rf'(<p>)?<a\b([^<>]*) {REFERENCE}="([a-z]+:\d+)"([^<>]*)>([^<>]*)</a>(</p>)?')
_ADDRESS = re.compile(r'\bhref="([^"]*)"')
_REVISION = re.compile(r"/(?:tree|commit|blob)/([^/#?]{1,100})")


def show(posts: Sequence[Post], reader: Asker) -> None:
    """Give posts the look that this reader sees, in place."""
    keys = {found[3] for post in posts for found in _LINK.finditer(post.html)}
    seen = subjects.describe(keys, reader) if keys else {}
    for post in posts:
        post.html = _shown(post.html, seen)


def shown(html: str, reader: Asker) -> SafeString:
    """Return one text with its cards, as this reader sees it."""
    keys = {found[3] for found in _LINK.finditer(html)}
    return _shown(html, subjects.describe(keys, reader) if keys else {})


def plain(html: str) -> str:
    """Return a text with links alone, as programs get it."""
    return str(_shown(html, {}))


def _shown(html: str, seen: dict[str, Subject]) -> SafeString:
    if REFERENCE in html:
        html = _LINK.sub(lambda found: _link(found, seen), html)
    return mark_safe(html)  # noqa: S308 - cleaned by the child


def _link(found: re.Match[str], seen: dict[str, Subject]) -> str:
    """Return a card for a word that stands for something; one that stands alone in its paragraph is larger."""
    begin, before, key, after, text, end = found.groups(default="")
    subject = seen.get(key)
    address = _ADDRESS.search(f"{before} {after}")
    if subject is None or address is None or not text.startswith(("/", "http", "#")):
        return f"{begin}<a{before}{after}>{text}</a>{end}"
    path = unescape(address[1])
    revision = _REVISION.search(path)
    facts = {
        "subject": subject,
        "path": path if path.startswith(subject.path) else subject.path,
        "revision": revision[1][:12] if revision and subject.kind == "repo" else "",
    }
    if begin and end:
        return render_to_string("forum/compose/_card.html", facts).strip()
    return begin + render_to_string("forum/compose/_chip.html", facts).strip() + end
