"""Text into tokens with the tokenizer of a model, in a child process that is stopped when it takes too long."""

import hashlib
import json
import subprocess
import sys
from dataclasses import dataclass, field
from threading import BoundedSemaphore
from typing import Any

from django.conf import settings
from django.core.cache import caches
from django.utils.translation import gettext as _

from models_hub import browsing
from models_hub.browsing import Entry
from models_hub.models import Repo
from portal.errors import DomainError

NAME = "tokenizer.json"
MAX_TOKENIZER_BYTES = 48_000_000
MAX_TEXT = 10_000
MAX_IDS = 5000
MAX_SHOWN = 5000
MAX_ID = 2**31
CPU_SECONDS = 10
WALL_SECONDS = 20
TURN_SECONDS = 4
KEEP_SECONDS = 24 * 3600
NO_LIBRARY, UNREADABLE = 3, 4  # how worker/engine/tokens.py ends
COLOURS = 6
_CHILDREN = BoundedSemaphore(2)


class TokenizerFailed(DomainError):
    """The text could not be split; the message says why."""

    code = "tokenizer_failed"


@dataclass(frozen=True)
class Token:
    """A token: `text` are the characters that it stands for, `token` is what the vocabulary calls it."""

    id: int
    token: str
    text: str
    start: int
    end: int
    is_special: bool
    colour: int
    continues: bool  # another token stands for the same character: it is longer than a token of bytes


@dataclass(frozen=True)
class Split:
    """A text in tokens."""

    count: int
    vocabulary: int
    decoded: str
    characters: int
    tokens: list[Token] = field(default_factory=list)

    @property
    def characters_per_token(self) -> float:
        return self.characters / self.count if self.count else 0.0


def split(repo: Repo, entry: Entry, text: str, *, with_special: bool) -> Split:
    """Return the tokens of a text; raises TokenizerFailed."""
    text = text[:MAX_TEXT]
    made = _answer(repo, entry, {"text": text, "with_special": with_special})
    tokens: list[Token] = []
    for place, row in enumerate(made["tokens"][:MAX_SHOWN]):
        start, end = row["start"], row["end"]
        same = (
            bool(tokens) and not row["special"] and start < end and (tokens[-1].start, tokens[-1].end) == (start, end)
        )
        shown = row["token"] if row["special"] or start >= end else text[start:end]
        tokens.append(
            Token(row["id"], row["token"], shown, start, end, row["special"], place % COLOURS, continues=same)
        )
    return Split(made["count"], made["vocabulary"], made["decoded"], len(text), tokens)


def join(repo: Repo, entry: Entry, ids: list[int]) -> Split:
    """Return the text that ids stand for; raises TokenizerFailed."""
    made = _answer(repo, entry, {"ids": ids[:MAX_IDS]})
    rows = [
        Token(
            id=row["id"],
            token=row["token"],
            text=row["token"] or "?",
            start=0,
            end=0,
            is_special=False,
            colour=place % COLOURS,
            continues=False,
        )
        for place, row in enumerate(made["tokens"])
    ]
    return Split(made["count"], made["vocabulary"], made["decoded"], len(made["decoded"]), rows)


def ids_of(text: str) -> list[int]:
    """Return the numbers that somebody wrote, between whatever signs; raises TokenizerFailed for other words."""
    words = text.replace(",", " ").replace("[", " ").replace("]", " ").split()
    if not all(word.isascii() and word.isdigit() and len(word) < 10 for word in words):
        raise TokenizerFailed(_("Write token ids as whole numbers, with spaces or commas between them."))
    return [int(word) for word in words if int(word) < MAX_ID]


def _answer(repo: Repo, entry: Entry, request: dict[str, Any]) -> dict[str, Any]:
    digest = hashlib.sha256(json.dumps([entry.etag, request]).encode()).hexdigest()
    cache = caches["rendered"]
    kept = cache.get(f"tokens:1:{digest}")
    if kept is None:
        kept = _made(repo, entry, request)
        cache.set(f"tokens:1:{digest}", kept, KEEP_SECONDS)
    return kept  # type: ignore[no-any-return]


def _made(repo: Repo, entry: Entry, request: dict[str, Any]) -> dict[str, Any]:
    if entry.size > MAX_TOKENIZER_BYTES:
        raise TokenizerFailed(_("This tokenizer is too large to be tried here."))
    if not _CHILDREN.acquire(timeout=TURN_SECONDS):
        raise TokenizerFailed(_("Many people try tokenizers at this moment. Try again shortly."))
    try:
        content = browsing.read(repo, entry, entry.size).decode("utf-8", "replace")
        done = subprocess.run(
            [sys.executable, "-I", str(settings.TOKENIZER_PROGRAM), str(CPU_SECONDS)],
            input=json.dumps({**request, "tokenizer": content}).encode("utf-8", "replace"),
            capture_output=True,
            timeout=WALL_SECONDS,
            env={"PYTHONIOENCODING": "utf-8", "TOKENIZERS_PARALLELISM": "false", "RAYON_NUM_THREADS": "1"},
            check=False,
        )
    except (subprocess.SubprocessError, OSError) as error:
        raise TokenizerFailed(_("The tokenizer took too long.")) from error
    finally:
        _CHILDREN.release()
    return _checked(done)


def _checked(done: subprocess.CompletedProcess[bytes]) -> dict[str, Any]:
    if done.returncode == NO_LIBRARY:
        raise TokenizerFailed(
            _("This portal was installed without the tokenizers package, so that texts cannot be split here.")
        )
    if done.returncode == UNREADABLE:
        raise TokenizerFailed(_("This file is not a tokenizer that the tokenizers package can read."))
    try:
        answer = json.loads(done.stdout)
    except ValueError as error:
        raise TokenizerFailed(_("The tokenizer stopped before it had an answer.")) from error
    if not isinstance(answer, dict):
        raise TokenizerFailed(_("The tokenizer stopped before it had an answer."))
    return answer
