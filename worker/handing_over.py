"""Accounts that end, step by step: one becomes part of another, or is deleted.

Each step deals with some rows of one kind in one transaction, with the count of them, and may be repeated without
harm. Whoever is killed leaves a row that says which step is next, and the next attempt goes on there.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from allauth.usersessions.models import UserSession
from django.db import transaction
from django.utils import timezone

from models_hub import publishing, quotas
from models_hub.models import Collection, Repo
from portal import belongings, closing, granting, merging, reputation, seasons, trusting
from portal.badge_catalogue import RULES, Rule
from portal.belongings import Belonging
from portal.models import AccessToken, Event, FormerName, Handover, Job, Namespace, Recheck, SshKey, User

Check = Callable[[], None]
Report = Callable[[int, int], None]


class Step(NamedTuple):
    """`act` deals with some of it and says how much; 0 when nothing is left."""

    name: str
    act: Callable[[Handover], int]


def run(row: Handover, *, check: Check = lambda: None, report: Report = lambda done, total: None) -> None:
    """Do what is left to do. `check` is asked before each transaction and may raise."""
    steps = list(_steps(row))
    names = [step.name for step in steps]
    place = names.index(row.step) if row.step in names else 0
    for number, step in enumerate(steps[place:], start=place):
        report(number, len(steps))
        while _advance(row, step, check):
            pass
    check()
    with transaction.atomic():
        _end(row)


def _advance(row: Handover, step: Step, check: Check) -> int:
    check()
    with transaction.atomic():
        count = step.act(row)
        row.step = step.name
        if count:
            row.counts = {**row.counts, step.name: row.counts.get(step.name, 0) + count}
        row.save(update_fields=("step", "counts"))
    return count


def go_on() -> int:
    """Ask again for what was begun and whose job ended before it was done; returns how many there were."""
    count = 0
    for row in Handover.objects.unfinished().filter(began_at__isnull=False).select_related("job"):
        if row.job is None or row.job.state not in Job.UNFINISHED:
            with transaction.atomic():
                row.job = merging.enqueue(row)
                row.save(update_fields=("job",))
            count += 1
    return count


def _steps(row: Handover) -> Iterator[Step]:
    """Yield the steps: names first, since what is charged for goes with them."""
    yield Step("access", _shut)
    found = sorted(belongings.registered(), key=lambda one: (not one.of_names, one.key != "models_hub.Repo.namespace"))
    if _target(row) is not None:
        for one in found:
            yield Step(one.key, lambda row, one=one: _move(one, row))  # type: ignore[misc]
        yield Step("again", lambda row: sum(_move(one, row) for one in found))
        yield Step("storage", _charge)
        yield Step("ledger", _count_ledger)
        yield Step("trust", _count_trust)
        for rule in RULES.values():
            yield Step(f"badge.{rule.slug}", lambda row, rule=rule: _count_badge(rule, row))  # type: ignore[misc]
        yield Step("season", _count_season)
    else:
        yield Step("repositories", _remove_repository)
        yield Step("collections", _remove_collections)
        for one in found:
            if not one.of_names:
                yield Step(one.key, lambda row, one=one: _remove(one, row))  # type: ignore[misc]


def _target(row: Handover) -> int | None:
    """Return who takes the account in. Where that one has ended too, nobody can, and the account is deleted."""
    return row.into_id if row.kind == Handover.Kind.MERGE else None


def _shut(row: Handover) -> int:
    """End all ways in, and what only its owner may fetch."""
    user = User.objects.filter(pk=row.person).first()
    if user is None:
        return 0
    for session in UserSession.objects.filter(user=user):
        session.end()
    for export in user.exports.all():
        export.path.unlink(missing_ok=True)
    AccessToken.objects.filter(user=user).delete()
    SshKey.objects.filter(user=user).delete()
    return 0


def _move(one: Belonging, row: Handover) -> int:
    target = row.into_id or 0
    if not one.of_names:
        return belongings.move_batch(one, row.person, target)
    spaces = dict(Namespace.objects.filter(user__in=(row.person, target)).values_list("user_id", "pk"))
    if row.person not in spaces or one.key == "models_hub.QuotaAccount.namespace":
        return 0  # the account of what is kept goes with its name, when nothing is charged to it any more
    return belongings.move_batch(one, spaces[row.person], spaces[target])


def _remove(one: Belonging, row: Handover) -> int:
    return belongings.remove_batch(one, row.person)


def _charge(row: Handover) -> int:
    """What was kept for the other name is charged now: the holdings moved without it."""
    quotas.mend(Namespace.objects.get(user=row.into_id).pk)
    return 0


def _count_ledger(row: Handover) -> int:
    """Compute anew what follows from the rows: first the ledger and its sums."""
    people = [row.into_id or 0]
    reputation.reconcile(people)
    reputation.recompute(people)
    return 0


def _count_trust(row: Handover) -> int:
    trusting.recheck([row.into_id or 0])
    return 0


def _count_badge(rule: Rule, row: Handover) -> int:
    granting.recheck(rule, [row.into_id or 0])
    return 0


def _count_season(row: Handover) -> int:
    seasons.compute(seasons.current())
    User.objects.filter(pk=row.into_id or 0).update(unread=None)
    return 0


def _remove_repository(row: Handover) -> int:
    repo = Repo.objects.filter(namespace__user=row.person).select_related("namespace").order_by("pk").first()
    if repo is None:
        return 0
    if repo.deleted_at is None:
        publishing.delete_repo(repo, by=User.objects.get(pk=row.person))
    else:
        publishing.erase_repo(repo)
    return 1


def _remove_collections(row: Handover) -> int:
    return Collection.objects.filter(namespace__user=row.person).delete()[0]


def _end(row: Handover) -> None:
    """Remove the account itself, and let its name lead on to who took it in."""
    user = User.objects.filter(pk=row.person).first()
    if user is not None and (target := _target(row)) is not None:
        into, name, lower = User.objects.get(pk=target), user.namespace.name, user.namespace.lower
        user.delete()
        FormerName.objects.get_or_create(lower=lower, defaults={"namespace": into.namespace, "name": name})
        Event.record("account.merged", subject=f"user:{into.pk}", by=into, person=row.person, name=name, user=into.pk)
    elif user is not None:
        closing.purge(user)
        row.name = ""
    row.finished_at, row.step = timezone.now(), "done"
    row.save(update_fields=("finished_at", "step", "name"))
    Recheck.objects.filter(user=row.person).delete()
