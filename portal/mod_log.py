"""The log of moderation: one line for each act, in a chain that shows when a line was changed or taken out."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils import timezone

from portal import subjects
from portal.models import Case, ModerationRules, User
from portal.models.mod_log import FIRST, LogEntry


@dataclass(frozen=True)
class Broken:
    """The first line at which the chain is not whole, and what is wrong with it."""

    seq: int
    why: str


def append(
    action: str,
    *,
    by: User | None,
    target: str,
    reason: str = "",
    text: str = "",
    internal: str = "",
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
    person: int | None = None,
    case: int | None = None,
) -> LogEntry:
    """Add a line, in the caller's transaction if there is one."""
    with transaction.atomic():
        # Whoever writes holds this row until the end: two lines that followed the same one would break the chain.
        ModerationRules.objects.get_or_create(pk=1)
        ModerationRules.objects.select_for_update().get(pk=1)
        last = LogEntry.objects.order_by("-seq").values_list("seq", "hash").first() or (0, FIRST)
        entry = LogEntry(
            seq=last[0] + 1,
            at=timezone.now(),
            actor_id=by.pk if by else None,
            actor_name=by.username if by else "",
            action=action,
            target=target,
            person_id=person,
            case_id=case,
            reason=reason,
            text=text,
            internal=internal,
            before=_plain(before),
            after=_plain(after),
            prev_hash=last[1],
        )
        entry.hash = entry.digest()
        entry.save(force_insert=True)
    return entry


def verify(entries: Iterator[LogEntry] | None = None) -> Broken | None:
    """Return the first broken line, None when the chain is whole."""
    expected, hash_before = 1, FIRST
    for entry in entries or LogEntry.objects.order_by("seq").iterator(chunk_size=2000):
        if entry.seq != expected:
            return Broken(expected, "missing")
        if entry.prev_hash != hash_before:
            return Broken(entry.seq, "does not follow the line before")
        if entry.digest() != entry.hash:
            return Broken(entry.seq, "changed after it was written")
        expected, hash_before = entry.seq + 1, entry.hash
    return None


def _plain(facts: dict[str, Any] | None) -> dict[str, Any]:
    """Facts as any database gives them back."""
    plain: dict[str, Any] = json.loads(json.dumps(facts or {}, default=str))
    return plain


def named(entries: Sequence[LogEntry], reader: User) -> list[tuple[LogEntry, str]]:
    """Return each line with the name of what it is about, "" where that is not known.

    The reader moderates or is concerned: what is hidden by now is called as its case calls it.
    """
    seen = subjects.describe({entry.target for entry in entries}, reader)
    cases = Case.objects.filter(pk__in={entry.case_id for entry in entries if entry.case_id})
    titles = {one.key: one.title for one in seen.values()} | dict(cases.values_list("about", "title"))
    return [(entry, titles.get(entry.target, "")) for entry in entries]
