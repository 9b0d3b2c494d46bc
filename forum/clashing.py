"""A text that was changed in two windows at once: what the other one changed, and both changes in one text.

Nothing is lost: what was written stays in the form and among the drafts of its writer, and what was saved in the post.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from forum import histories
from forum.models import Post
from forum.models.posts import revision_of
from models_hub import line_merging, rendering

Lines = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Clash:
    """What became of a post while somebody wrote: its text now, and that writer's.

    `theirs` is what the other window changed, None where the first text is not there any more; `ours` is what saving
    `text` would change now. `is_joined` says that `text` holds both changes, else it is what was written.
    """

    now: str
    written: str
    text: str
    is_joined: bool
    theirs: Lines | None
    ours: Lines | None


def clash_of(post: Post, *, written: str, revision: str) -> Clash | None:
    """Return how a text stands to what its post says now; None where the post says what the change was begun from."""
    if revision in ("", post.revision):
        return None
    before = list(post.versions.values_list("text", flat=True)[: histories.MAX_VERSIONS])
    begun = next((_plain(text) for text in before if revision_of(text) == revision), None)
    now, written = _plain(post.text), _plain(written)
    joined = _joined(begun, written, now) if begun is not None else None
    text = written if joined is None else joined
    pairs = [(now, text), *([(begun, now)] if begun is not None else [])]
    found = rendering.text_diffs(pairs) or []
    ours, theirs = ([histories.marked(line) for line in lines] for lines in (*found, [], [])[:2])
    return Clash(now, written, text, joined is not None, theirs or None, ours or None)


def _plain(text: str) -> str:
    return text.strip().replace("\r\n", "\n")


def _joined(begun: str, written: str, now: str) -> str | None:
    """Return the text with both changes, None where they touch the same lines."""
    # A last line without its end would differ from the same line before others.
    joined = line_merging.merge(*(f"{text}\n".encode() for text in (begun, written, now)))
    return None if joined is None else joined.decode().rstrip("\n")
