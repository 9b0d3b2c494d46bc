"""What a post said from edit to edit, with what each changed."""

from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from forum.models import Post
from models_hub import rendering
from portal.models import User

MAX_VERSIONS = 30


@dataclass(frozen=True)
class Step:
    """One text of a post, when and by whom it was written, and the lines that differ from the one before.

    `lines` is None where that took too long; then, and of the first text, all of it is shown.
    """

    text: str
    author: User | None
    written_at: datetime
    lines: list[tuple[str, str]] | None


def steps_of(post: Post, *, withheld: bool = False) -> list[Step]:
    """Return the texts of a post, the newest first, if asked for with those that were hidden; two queries."""
    kept = post.versions.all() if withheld else post.versions.filter(withheld=False)
    before = list(kept.select_related("author")[:MAX_VERSIONS])
    now = (post.text, post.edited_by or post.author, post.edited_at or post.created_at)
    texts = [now, *((one.text, one.author, one.written_at) for one in before)]
    pairs = [(old[0], new[0]) for new, old in pairwise(texts)]
    found = rendering.text_diffs(pairs)
    diffs: list[list[tuple[str, str]] | None] = [None] * len(texts)
    if found is not None:
        diffs[: len(found)] = [[marked(line) for line in lines] for lines in found]
    return [Step(*text, lines=lines) for text, lines in zip(texts, diffs, strict=True)]


def marked(line: str) -> tuple[str, str]:
    """Return what became of a line, and its words."""
    kind = {"+": "added", "-": "removed", "@": "place"}.get(line[:1], "same")
    return kind, line[1:] if kind != "place" else "…"
