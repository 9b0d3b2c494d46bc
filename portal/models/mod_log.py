"""The log of moderation: rows that are only ever added, each bearing the digest of the one before."""

import hashlib
import json
from typing import Any

from django.db import models

FIRST = "0" * 64


class LogEntry(models.Model):
    """One act of staff or of a rule. The database itself refuses to change or delete it: see mod_log_guard.py.

    People are kept as plain ids and names: a foreign key would have to be emptied when an account ends.
    """

    seq = models.BigIntegerField(unique=True)
    at = models.DateTimeField()
    actor_id = models.BigIntegerField(null=True)  # None for a rule of the portal
    actor_name = models.CharField(max_length=150, blank=True)
    action = models.CharField(max_length=40)
    target = models.CharField(max_length=60, db_index=True)
    person_id = models.BigIntegerField(null=True)
    case_id = models.BigIntegerField(null=True)
    reason = models.CharField(max_length=13, blank=True)
    text = models.TextField(blank=True)
    internal = models.TextField(blank=True)
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)
    prev_hash = models.CharField(max_length=64)
    hash = models.CharField(max_length=64)

    class Meta:
        indexes = (
            models.Index(fields=("person_id", "-seq"), name="mod_log_person"),
            models.Index(fields=("action", "at"), name="mod_log_action"),
        )

    def __str__(self) -> str:
        return f"{self.seq} {self.action} {self.target}"

    def digest(self) -> str:
        """Return the digest that this row must have, over all that it says and the digest before it."""
        facts: dict[str, Any] = {
            name: getattr(self, name)
            for name in (
                "seq", "actor_id", "actor_name", "action", "target", "person_id", "case_id", "reason", "text",
                "internal", "before", "after", "prev_hash",
            )
        }  # fmt: skip
        facts["at"] = f"{self.at.timestamp():.3f}"
        canonical = json.dumps(facts, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(canonical.encode()).hexdigest()
