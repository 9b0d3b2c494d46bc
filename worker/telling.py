"""Telling those who watch something of what happened there: few at once, many in a job, very many by one row."""

from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from forum import levels
from forum.models import Post, Topic
from models_hub.models import DEFAULT_BRANCH, Repo
from portal import broadcasting
from portal.models import Broadcast, Event, FanOut, Job, User
from portal.notifying import notify

JOB_KIND = "tell_watchers"
FEW = 200
MANY = 5000
BATCH = 1000


@dataclass(frozen=True)
class Telling:
    """What the watchers of something are told of one event."""

    kind: str
    watched: str
    about: str
    place: str
    group: str
    data: dict[str, Any] = field(default_factory=dict)


def tell_watchers(event: Event, told: set[int]) -> None:
    """Tell whoever watches, but those who were told in another way; of many only that it is to be done."""
    telling = telling_of(event)
    if telling is None:
        return
    ids = list(watchers(telling)[: MANY + 1])
    if len(ids) <= FEW:
        _notify(telling, event, set(ids) - told)
        return
    if len(ids) > MANY:
        broadcasting.broadcast(
            telling.kind, watched=telling.watched, about=telling.about, place=telling.place, group=telling.group,
            data=telling.data, by=event.actor, event=event.pk, told=told,
        )  # fmt: skip
    FanOut.objects.get_or_create(event=event.pk, defaults={"told": sorted(told)})
    Job.enqueue(
        JOB_KIND,
        spec={"event": event.pk},
        owner=None,
        title=event.kind,
        queue="light",
        idempotency_key=f"{JOB_KIND}:{event.pk}",
    )


def tell_next(event: Event) -> bool:
    """Tell the next watchers of an event; says whether some may be left. One transaction: nobody is told twice."""
    telling = telling_of(event)
    with transaction.atomic():
        row = FanOut.objects.select_for_update().filter(event=event.pk, done_at=None).first()
        if row is None:
            return False
        people = list(watchers(telling).filter(pk__gt=row.cursor)[:BATCH]) if telling else []
        if telling is None or not people:
            row.done_at = timezone.now()
        elif Broadcast.objects.filter(event=event.pk).exists():
            broadcasting.ring(people)
        else:
            _notify(telling, event, set(people) - set(row.told))
        row.cursor = people[-1] if people else row.cursor
        row.save(update_fields=("cursor", "done_at"))
        return row.done_at is None


def watchers(telling: Telling) -> QuerySet[Any, int]:
    """Return the ids of who watches, in their order."""
    kind, _colon, pk = telling.watched.partition(":")
    if kind == "topic":
        topic = Topic.objects.filter(pk=int(pk)).first()
        people = levels.watchers(topic) if topic else levels.watchers(Topic(pk=0)).none()
        return people.order_by("pk")
    return _watching_repo(int(pk))


def _watching_repo(repo: int) -> QuerySet[Any, int]:
    users = User.objects.filter(watches__repo=repo, is_active=True)
    return users.order_by("pk").values_list("pk", flat=True)


def _notify(telling: Telling, event: Event, people: set[int]) -> None:
    notify(
        telling.kind, people=people, about=telling.about, by=event.actor, data=telling.data, group=telling.group,
        place=telling.place, event=event.pk,
    )  # fmt: skip


def telling_of(event: Event) -> Telling | None:
    """Return what watchers are told of an event, None for nothing; the same whenever it is asked."""
    facts = event.payload
    if event.kind in {"topic.commented", "discussion.commented"}:
        return _post(facts, "watching")
    if event.kind == "topic.opened":
        return _post(facts, "topic")
    if not event.subject.startswith("repo:"):
        return None
    if event.kind == "repo.committed":
        return _commit(event)
    if event.kind == "repo.released":
        return _news(event, f"/releases/tag/{facts.get('tag', '')}", version=True)
    if event.kind == "repo.moved":
        return _news(event, "")
    if event.kind in {"discussion.opened", "discussion.merged"}:
        return _news(event, f"/discussions/{facts['number']}")
    return None


def _post(facts: dict[str, Any], kind: str) -> Telling | None:
    post, topic = facts.get("post"), facts.get("topic")
    if not post or not topic or not Post.objects.filter(pk=post, hidden_at=None, held_at=None).exists():
        return None
    place = f"topic:{topic}"
    data = {"number": facts.get("post_number") or 0}
    return Telling(kind, place, f"post:{post}", place, f"{kind}:{place}", data)


def _commit(event: Event) -> Telling | None:
    """A new version is told when the weights of a model are others; other commits to its main branch are news."""
    facts = event.payload
    if facts.get("branch") != DEFAULT_BRANCH:
        return None
    return _news(event, f"/commit/{facts['commit']}", version=facts.get("weights") != facts.get("weights_before"))


def _news(event: Event, tail: str, *, version: bool = False) -> Telling:
    is_model = version and Repo.objects.filter(pk=event.subject.removeprefix("repo:"), kind=Repo.Kind.MODEL).exists()
    kind = "version" if is_model else "news"
    return Telling(kind, event.subject, event.subject, event.subject, f"{kind}:{event.subject}", {"tail": tail})
