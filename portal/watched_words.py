"""Words that do something when somebody writes them, in both languages and however they are spelled.

A text is looked at as it reads, not as it is encoded: compatibility forms and full width are folded, invisible
characters left out, case ignored, traditional characters taken for simplified ones.
"""

import re
import secrets
import threading
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db import transaction
from django.utils.translation import gettext as _

from portal import mod_log
from portal.errors import Conflict, InvalidInput
from portal.folding import simplified
from portal.models import ModerationRules, User, WatchedWord

MAX_EACH = 2000  # of one action
MASK = "■"
Action = WatchedWord.Action
_URL = re.compile(r"https?://\S+", re.IGNORECASE)
_LATIN = re.compile(r"[0-9A-Za-z_\u00c0-\u024f]")
_guard = threading.Lock()
_known: tuple[int, "Words"] | None = None


@dataclass(frozen=True)
class Hit:
    """A word that was found, and where in the text as it was written."""

    word: WatchedWord
    start: int
    end: int


class Words:
    """All watched words, ready to be looked for in one pass."""

    def __init__(self, rows: Iterable[WatchedWord]) -> None:
        self._rows: dict[str, list[WatchedWord]] = {}
        for row in rows:
            self._rows.setdefault(row.folded, []).append(row)
        longest_first = sorted(self._rows, key=len, reverse=True)
        self._pattern = re.compile("|".join(_whole(word) for word in longest_first)) if longest_first else None

    def find(self, text: str) -> list[Hit]:
        """Return where watched words stand in a text, in order and without overlaps."""
        if self._pattern is None:
            return []
        folded, places = fold(text)
        hits: list[Hit] = []
        for found in self._pattern.finditer(folded):
            start, end = places[found.start()], places[found.end() - 1] + 1
            hits.extend(Hit(row, start, end) for row in self._rows[found[0]])
        return hits


def fold(text: str) -> tuple[str, list[int]]:
    """Return a text as it reads, and for each of its characters where in the original it came from."""
    out: list[str] = []
    places: list[int] = []
    for place, character in enumerate(text):
        if unicodedata.category(character) in {"Cf", "Mn", "Me"}:  # zero width, and marks laid over letters
            continue
        for one in simplified(unicodedata.normalize("NFKC", character).casefold()):
            is_blank = one.isspace()
            if is_blank and out and out[-1] == " ":
                continue
            out.append(" " if is_blank else one)
            places.append(place)
    return "".join(out), places


def folded_word(word: str) -> str:
    """Return a word as it is looked for."""
    return fold(word)[0].strip()


def current() -> Words:
    """Return the words as they are now; reads them anew when staff changed one."""
    global _known
    version = ModerationRules.current().words_version
    with _guard:
        if _known is None or _known[0] != version:
            _known = version, Words(WatchedWord.objects.all())
        return _known[1]


def add(*, by: User, word: str, action: str, value: str = "") -> WatchedWord:
    """Watch a word."""
    folded, value = folded_word(word), value.strip()
    if not folded:
        raise InvalidInput(_("Write a word."))
    if action in {Action.REPLACE, Action.LINK, Action.TAG} and not value:
        raise InvalidInput(_("Say what the word is replaced by, where it leads, or which tag it gives."))
    if action == Action.LINK and not _URL.fullmatch(value):
        raise InvalidInput(_("The address of a link begins with https://."))
    if WatchedWord.objects.filter(action=action).count() >= MAX_EACH:
        raise Conflict(_("At most %(max)d words of one action.") % {"max": MAX_EACH})
    with transaction.atomic():
        row, made = WatchedWord.objects.get_or_create(
            folded=folded, action=action, defaults={"word": word.strip(), "value": value, "created_by": by}
        )
        if not made:
            raise Conflict(_("This word is watched already."))
        _changed()
        mod_log.append("word.added", by=by, target=f"word:{row.pk}", after={"word": row.word, "action": action})
    return row


def remove(row: WatchedWord, *, by: User) -> None:
    """Stop watching a word."""
    with transaction.atomic():
        before = {"word": row.word, "action": row.action, "value": row.value}
        target = f"word:{row.pk}"
        row.delete()
        _changed()
        mod_log.append("word.removed", by=by, target=target, before=before)


def _changed() -> None:
    """Let all processes read the words anew. No count: one would come again after a step back to an older database."""
    ModerationRules.objects.update_or_create(pk=1, defaults={"words_version": secrets.randbelow(2**31 - 1) + 1})


def rewritten(text: str, hits: Sequence[Hit]) -> str:
    """Return a text with what is to be masked, replaced or linked; code and addresses are left alone."""
    changes = {hit.start: hit for hit in hits if hit.word.action in {Action.CENSOR, Action.REPLACE, Action.LINK}}
    kept = [found.span() for found in re.finditer(r"```.*?```|`[^`\n]*`|\]\([^)]*\)|https?://\S+", text, re.DOTALL)]
    for start in sorted(changes, reverse=True):
        hit = changes[start]
        if hit.word.action != Action.CENSOR and any(low <= start < high for low, high in kept):
            continue
        text = text[:start] + _instead(hit, text[start : hit.end]) + text[hit.end :]
    return text


def _instead(hit: Hit, written: str) -> str:
    if hit.word.action == Action.CENSOR:
        return MASK * len(written)
    return f"[{written}]({hit.word.value})" if hit.word.action == Action.LINK else hit.word.value


def _whole(word: str) -> str:
    """A pattern of the word; of letters, only where it stands alone. Chinese has no such ends."""
    before = r"(?<![0-9a-z_\u00c0-\u024f])" if _LATIN.match(word[0]) else ""
    after = r"(?![0-9a-z_\u00c0-\u024f])" if _LATIN.match(word[-1]) else ""
    return before + re.escape(word) + after
