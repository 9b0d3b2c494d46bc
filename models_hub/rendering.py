"""What pages show of hostile text: made by a child process that is stopped when it takes too long, then kept."""

import hashlib
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from threading import BoundedSemaphore
from typing import Any
from urllib.parse import quote

from django.core.cache import caches
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from models_hub import cards
from models_hub.models import Repo

# Python's Markdown takes minutes on 40 kB of "![", and some lexers do no better; honest texts take a tenth of a second.
# Seconds of processor time, so that a busy machine does not turn a good card into plain text.
CPU_SECONDS = 3
WALL_SECONDS = 15
# How long a page waits for one of the children: whoever asks for many hard cards must not hold all threads.
TURN_SECONDS = 2
MAX_MARKDOWN = 300_000
MAX_CODE = 300_000
KEEP_SECONDS = 30 * 24 * 3600
# After a failure the same text is not tried again at once: whoever reloads the page must not burn processors.
RETRY_SECONDS = 600
VERSION = 2
PROGRAM = Path(__file__).with_name("markup.py")
_CHILDREN = BoundedSemaphore(2)


def markdown_html(text: str, *, repo: Repo, revision: str, folder: str = "") -> SafeString:
    """Return a card or another Markdown file as clean HTML, its relative links pointing into this revision.

    What is too long or too hard to render comes back as plain text.
    """
    _metadata, body = cards.split_card(text)
    rendered = None
    if len(body) <= MAX_MARKDOWN:
        places = {kind: f"{repo.path}/{kind}/{quote(revision)}/" for kind in ("blob", "resolve")}
        rendered = _run("markdown", body, blob=places["blob"], raw=places["resolve"], folder=folder)
    return _plain(body[:MAX_MARKDOWN]) if rendered is None else mark_safe(rendered)  # noqa: S308 - cleaned by nh3


def comment_html(text: str, *, repo: Repo | None, revision: str, pictures: Sequence[str] = ()) -> SafeString | None:
    """Return what somebody wrote in a conversation as clean HTML, None when it is too hard to render.

    Relative links point into the repository at this revision, as they do in its card; `pictures` are the keys of
    the attachments that it may show.
    """
    places = {kind: f"{repo.path}/{kind}/{quote(revision)}/" if repo else "/" for kind in ("blob", "resolve")}
    options = {"pictures": list(pictures)} if pictures else {}
    rendered = _run("markdown", text, blob=places["blob"], raw=places["resolve"], folder="", **options)
    return None if rendered is None else mark_safe(rendered)  # noqa: S308 - cleaned by nh3


def code_html(text: str, *, name: str) -> SafeString:
    """Return a text file with its lines numbered and coloured; plain when it is too long or too hard."""
    rendered = _run("code", text, name=name) if len(text) <= MAX_CODE else None
    if rendered is None:
        return format_html('<pre class="code code-plain" tabindex="0">{}</pre>', text)
    code = mark_safe(rendered)  # noqa: S308 - Pygments escapes what it does not write itself
    return format_html('<pre class="code highlight" tabindex="0"><code>{}</code></pre>', code)


def text_diffs(pairs: list[tuple[str, str]]) -> list[list[str]] | None:
    """Return the unified diff of each (old, new) pair as lines, or None when that takes too long."""
    rendered = _run("diffs", pairs) if pairs else "[]"
    return None if rendered is None else json.loads(rendered)


def _plain(text: str) -> SafeString:
    return format_html('<pre class="card-plain">{}</pre>', text)


def _run(operation: str, *arguments: Any, **options: Any) -> str | None:
    """Return what the child makes of the arguments, from the cache if it did so before; None when it failed."""
    request = json.dumps({"operation": operation, "arguments": arguments, "options": options})
    key = f"markup:{VERSION}:{hashlib.sha256(request.encode()).hexdigest()}"
    cache = caches["rendered"]
    kept = cache.get(key)
    if kept is not None:
        return kept["html"]  # type: ignore[no-any-return]
    if not _CHILDREN.acquire(timeout=TURN_SECONDS):
        return None  # plain this time; the next reader may have more luck
    try:
        rendered = _run_child(request)
    finally:
        _CHILDREN.release()
    cache.set(key, {"html": rendered}, RETRY_SECONDS if rendered is None else KEEP_SECONDS)
    return rendered


def _run_child(request: str) -> str | None:
    """Run models_hub/markup.py by itself: isolated from our code, our environment and our memory."""
    try:
        done = subprocess.run(
            [sys.executable, "-I", str(PROGRAM), str(CPU_SECONDS)],
            input=request.encode("utf-8", "replace"),
            capture_output=True,
            timeout=WALL_SECONDS,
            env={"PYTHONIOENCODING": "utf-8"},
            check=True,
        )
    except (subprocess.SubprocessError, OSError):
        return None
    return done.stdout.decode("utf-8", "replace")
