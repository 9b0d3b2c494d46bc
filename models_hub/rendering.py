"""What pages show of hostile text: made by a child process that is stopped when it takes too long, then kept."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from threading import BoundedSemaphore
from typing import Any
from urllib.parse import quote

from django.core.cache import caches
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from models_hub import cards
from models_hub.models import Repo
from models_hub.renderer import Renderer, RenderFailed

# Python's Markdown takes minutes on 40 kB of "![", and some lexers do no better; honest texts take a tenth of a second.
# Seconds of processor time, so that a busy machine does not turn a good card into plain text.
CPU_SECONDS = 3
LONG_CPU_SECONDS = 8  # for notebooks, which hold many texts
WALL_SECONDS = 15
# How long a page waits for one of the children: whoever asks for many hard cards must not hold all threads.
TURN_SECONDS = 2
MAX_MARKDOWN = 300_000
MIN_HEADINGS = 4
MAX_CODE = 300_000
KEEP_SECONDS = 30 * 24 * 3600
# After a failure the same text is not tried again at once: whoever reloads the page must not burn processors.
RETRY_SECONDS = 600
VERSION = 5
LONG = {"notebook"}
_CHILDREN = BoundedSemaphore(2)
_RENDERER = Renderer()


@dataclass(frozen=True)
class Document:
    """A rendered text, with its headings: objects with level, id and name."""

    html: SafeString
    headings: list[dict[str, Any]] = field(default_factory=list)

    @property
    def is_long(self) -> bool:
        """Whether a list of its headings helps."""
        return len(self.headings) >= MIN_HEADINGS


def document(text: str, *, repo: Repo, revision: str, folder: str = "") -> Document:
    """Return a card or another Markdown file as clean HTML, its relative links pointing into this revision.

    What is too long or too hard to render comes back as plain text.
    """
    _metadata, body = cards.split_card(text)
    return _document(body, **places(repo, revision), folder=folder)


def page(text: str) -> Document:
    """Return a text of no repository as clean HTML with its headings; its links lead into this site."""
    return _document(text, blob="/", raw="/", folder="")


def markdown_html(text: str, *, repo: Repo, revision: str, folder: str = "") -> SafeString:
    """Return what `document` does, without the headings."""
    return document(text, repo=repo, revision=revision, folder=folder).html


def comment_html(
    text: str,
    *,
    repo: Repo | None,
    revision: str,
    pictures: Sequence[str] = (),
    links: Mapping[str, tuple[str, str]] | None = None,
) -> SafeString | None:
    """Return what somebody wrote in a conversation as clean HTML, None when it is too hard to render.

    Relative links point into the repository at this revision, as they do in its card; `pictures` are the keys of
    the attachments that it may show, `links` the words that become links, with what they stand for and its address.
    """
    options: dict[str, Any] = {"pictures": list(pictures)} if pictures else {}
    if links:
        options["links"] = {word: list(target) for word, target in sorted(links.items())}
    prefixes = places(repo, revision) if repo else {"blob": "/", "raw": "/"}
    rendered = _run("markdown", text, **prefixes, folder="", **options)
    return None if rendered is None else mark_safe(rendered)  # noqa: S308 - cleaned by nh3


def code_html(text: str, *, name: str) -> SafeString:
    """Return a text file with its lines numbered and coloured; plain when it is too long or too hard."""
    rendered = _run("code", text, name=name) if len(text) <= MAX_CODE else None
    if rendered is None:
        return format_html('<pre class="code code-plain" tabindex="0">{}</pre>', text)
    code = mark_safe(rendered)  # noqa: S308 - Pygments escapes what it does not write itself
    return format_html('<pre class="code highlight" tabindex="0"><code id="code">{}</code></pre>', code)


def text_diffs(pairs: list[tuple[str, str]]) -> list[list[str]] | None:
    """Return the unified diff of each (old, new) pair as lines, or None when that takes too long."""
    rendered = _run("diffs", pairs) if pairs else "[]"
    return None if rendered is None else json.loads(rendered)


def of_content(operation: str, content: Callable[[], str], *, etag: str, **options: Any) -> dict[str, Any] | None:
    """Return what an operation on a file's content answers; the content is read only when no answer is kept."""
    rendered = _run(operation, content, identity=etag, **options)
    return None if rendered is None else json.loads(rendered)


def places(repo: Repo, revision: str) -> dict[str, str]:
    """Return the address prefixes of pages and bytes of a revision's files."""
    return {name: f"{repo.path}/{kind}/{quote(revision)}/" for name, kind in (("blob", "blob"), ("raw", "resolve"))}


def said(html: str) -> SafeString:
    """Return HTML of the child with its words in the reader's language: the child knows none."""
    words = {
        '<span class="alert-word">note</span>': _("Note"),
        '<span class="alert-word">tip</span>': _("Tip"),
        '<span class="alert-word">important</span>': _("Important"),
        '<span class="alert-word">warning</span>': _("Warning"),
        '<span class="alert-word">caution</span>': _("Caution"),
        '<span class="said">output-cut</span>': _("Only the beginning of this output is shown."),
        '<span class="said">outputs-cut</span>': _("This cell has more outputs than are shown."),
        '<span class="said">image-cut</span>': _("An image of this output is too large to be shown here."),
        '<span class="said">unshown</span>': _("This output needs a program to be shown."),
        '<span class="said">cells-cut</span>': _("Only the first cells are shown; download the file to see all of it."),
    }
    for mark, word in words.items():
        if mark in html:
            html = html.replace(mark, f"{mark[: mark.index('>')]}>{escape(word)}</span>")
    return mark_safe(html)  # noqa: S308 - cleaned by the child


def _document(body: str, **options: str) -> Document:
    rendered = _run("document", body, **options) if len(body) <= MAX_MARKDOWN else None
    if rendered is None:
        return Document(_plain(body[:MAX_MARKDOWN]))
    found = json.loads(rendered)
    return Document(said(found["html"]), found["headings"])


def _plain(text: str) -> SafeString:
    return format_html('<pre class="card-plain">{}</pre>', text)


def _run(operation: str, content: Any, *, identity: str = "", **options: Any) -> str | None:
    """Return what the child makes of the content, from the cache if it did so before; None when it failed.

    Content with an `identity` may be a function that reads it.
    """
    given = [operation, identity or content, options]
    key = f"markup:{VERSION}:{hashlib.sha256(json.dumps(given).encode()).hexdigest()}"
    cache = caches["rendered"]
    kept = cache.get(key)
    if kept is not None:
        return kept["html"]  # type: ignore[no-any-return]
    if not _CHILDREN.acquire(timeout=TURN_SECONDS):
        return None  # plain this time; the next reader may have more luck
    try:
        argument = content() if callable(content) else content
        seconds = LONG_CPU_SECONDS if operation in LONG else CPU_SECONDS
        request = {"operation": operation, "arguments": [argument], "options": options}
        rendered = _run_child(json.dumps(request), seconds)
    finally:
        _CHILDREN.release()
    cache.set(key, {"html": rendered}, RETRY_SECONDS if rendered is None else KEEP_SECONDS)
    return rendered


def _run_child(request: str, cpu_seconds: int) -> str | None:
    """Have the request answered by a process of its own, isolated from our environment and our memory."""
    try:
        answer = _RENDERER.ask(request.encode("utf-8", "replace"), cpu_seconds=cpu_seconds, wall_seconds=WALL_SECONDS)
    except RenderFailed:
        return None
    return answer.decode("utf-8", "replace")
