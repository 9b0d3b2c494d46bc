"""What moderation does to repositories: the ladder from a label to a purge, and every step of it back.

The effects are asked for in one place each: `RepoQuerySet.listed` for lists, search and boards, `permissions` for what
may be read and written, `rights` for content that may not come back.
"""

from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_noop

from models_hub import blocking, purging
from models_hub.describing import RELATIONS
from models_hub.models import CatalogueChange, Repo, Restriction
from portal.models import Decision, Event, User
from portal.notifying import notify

Level = Restriction.Level
MAX_TOLD = 500
DESCENDED = gettext_noop("A model that one of yours is made from was disabled by the moderators")


def restrict(repo: Repo, *, level: int, decision: Decision) -> dict[str, Any]:
    """Put a repository on a level of the ladder, in the caller's transaction; returns what undoing needs.

    A label on a repository that stands higher changes the words alone.
    """
    before = _facts(Restriction.objects.filter(repo=repo).first())
    gate_before = str(before["gate_before"]) if before and before["level"] >= Level.GATE else repo.gated
    Restriction.objects.update_or_create(
        repo=repo,
        defaults={
            "level": max(level, before["level"]) if before and level == Level.LABEL else level,
            "reason": decision.reason,
            "text": decision.text,
            "since": timezone.now(),
            "decision": decision,
            "gate_before": gate_before,
        },
    )
    _set_gate(repo, (repo.gated or Repo.Gate.AUTO) if level >= Level.GATE else gate_before)
    if level >= Level.PURGE:
        _purge(repo, decision)
    _tell(repo, level, decision)
    return {"restriction": before, "gated": gate_before}


def restore(repo: Repo, decision: Decision) -> None:
    """Put a repository back to where it stood before a decision, unless a later one holds it."""
    row = Restriction.objects.filter(repo=repo).first()
    if row is None or row.decision_id != decision.pk:
        return
    before = decision.before.get("restriction")
    gate = row.gate_before
    if before:
        Restriction.objects.filter(repo=repo).update(**before)
        gate = (repo.gated or Repo.Gate.AUTO) if before["level"] >= Level.GATE else gate
    else:
        row.delete()
    _set_gate(repo, gate)
    _tell(repo, before["level"] if before else None, decision)


def _facts(row: Restriction | None) -> dict[str, Any] | None:
    if row is None:
        return None
    names = ("level", "reason", "text", "decision_id", "gate_before")
    return {**{name: getattr(row, name) for name in names}, "since": row.since.isoformat()}


def _set_gate(repo: Repo, gate: str) -> None:
    Repo.objects.filter(pk=repo.pk).update(gated=gate)
    repo.gated = gate


def _tell(repo: Repo, level: int | None, decision: Decision) -> None:
    """Let the catalogues of all processes follow, and boards be counted anew."""
    CatalogueChange.objects.create(repo_id=repo.pk)
    if level is not None and level >= Level.DISABLE:
        _tell_descendants(repo)
    Event.record("repo.restricted", subject=f"repo:{repo.pk}", by=decision.by, level=level, decision=decision.pk)


def _tell_descendants(repo: Repo) -> None:
    """Let the owners of models that are made from it know; nothing is done to those."""
    labels = [f"base_model:{relation}:{repo.full_name}" for relation in RELATIONS]
    made = Repo.objects.filter(labels__text__in=labels, deleted_at=None).exclude(namespace=repo.namespace)
    people = set(made.values_list("namespace__user_id", flat=True)[:MAX_TOLD]) - {None}
    notify("moderation", people=people, about=f"repo:{repo.pk}", by=None, data={"said": DESCENDED, "path": repo.path})


def _purge(repo: Repo, decision: Decision) -> None:
    """Take the content away for good, and keep the same bytes from coming back."""
    digests, small = blocking.block(repo, decision)
    by = decision.confirmed_by or decision.by
    assert isinstance(by, User)
    for start in range(0, len(digests), 1000):
        with transaction.atomic():
            purging.purge(repo, digests[start : start + 1000], by=by, rewrite_history=False)
    purging.purge_small(repo, small)
