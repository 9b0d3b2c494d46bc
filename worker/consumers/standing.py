"""When something happens that counts, a row says whom to look at for what; worker/standing.py does so soon after.

Many events of one person, such as a hundred commits of a minute, are one row and one look.
"""

from collections.abc import Iterable
from datetime import timedelta

from django.utils import timezone

from forum.models import Post
from models_hub import badge_rules
from models_hub.models import Repo
from portal import badge_catalogue, trust
from portal.models import BadgeClaim, Event, Recheck, Report, User

# What happens to a topic as a whole, or to one post of it: it concerns all who spoke there.
WHOLE = ("topic.hidden", "topic.shown", "topic.deleted", "topic.moved", "topic.split", "topic.merged_away")
# Which lines of the ledger may change with an event.
LINES = {
    "topic.accepted": ("answer.accepted",),
    "topic.unaccepted": ("answer.accepted",),
    **dict.fromkeys(WHOLE, ("answer.accepted", "post.liked", "article.approved")),
    **dict.fromkeys(("discussion.hidden", "discussion.shown"), ("answer.accepted", "post.liked")),
    "post.reacted": ("post.liked",),
    "post.unreacted": ("post.liked",),
    "article.approved": ("article.approved",),
    "repo.liked": ("repo.liked",),
    "repo.unliked": ("repo.liked",),
    "repo.visibility_changed": ("repo.liked", "pull.merged", "evaluation.reproduced"),
    "repo.deleted": ("repo.liked", "pull.merged", "evaluation.reproduced"),
    "discussion.merged": ("pull.merged",),
    "evaluation.completed": ("evaluation.reproduced", "reproduction.agreed"),
    "benchmark.approved": ("benchmark.approved",),
    "case.decided": ("report.upheld", "post.liked", "answer.accepted"),
    "appeal.decided": ("report.upheld", "post.liked", "answer.accepted"),
    "claim.decided": ("claim.accepted",),
}
# After which the level of somebody may be another one.
TRUST = frozenset(LINES) - {"post.reacted", "post.unreacted", "repo.liked", "repo.unliked"} | {
    "topic.commented", "discussion.commented", "repo.committed",
}  # fmt: skip
# What people do that makes a day an active one.
ACTS = frozenset(
    {
        "topic.opened", "topic.commented", "discussion.opened", "discussion.commented", "discussion.reviewed",
        "discussion.merged", "repo.created", "repo.committed", "repo.released", "evaluation.repeated",
        "benchmark.registered",
    }
)  # fmt: skip
HEARD = badge_catalogue.EVENTS | TRUST | ACTS | frozenset(LINES)
# Names under which events tell of people.
PEOPLE = ("author", "answerer", "asker", "user", "person")
MANY = 100
# A look at a ledger reads all of its kind, so it waits for more of the same.
LEDGER_DELAY = timedelta(seconds=60)
TRUST_NAME, LEDGER = "trust", "ledger:"


def note(event: Event) -> None:
    """Count the act, and say whom to look at for what."""
    if event.kind in ACTS and event.actor is not None:
        trust.note_act(event.actor)
    people = people_of(event)
    now = timezone.now()
    later = [f"{LEDGER}{kind}" for kind in LINES.get(event.kind, ())]
    soon = [rule.slug for rule in badge_catalogue.by_event(event.kind)]
    soon += [TRUST_NAME] if event.kind in TRUST else []
    rows = [Recheck(user_id=person, what=what, due_at=now) for person in people for what in soon]
    rows += [Recheck(user_id=person, what=what, due_at=now + LEDGER_DELAY) for person in people for what in later]
    Recheck.objects.bulk_create(rows, ignore_conflicts=True)


def people_of(event: Event) -> Iterable[int]:
    """Return whom an event concerns: who did it, whom it names, and whose the thing is."""
    found = {event.actor_id, *(event.payload.get(name) for name in PEOPLE)}
    found |= set(event.payload.get("people", [])[:MANY])
    kind, _colon, pk = event.subject.partition(":")
    if kind == "repo" and pk.isdigit():
        repo = Repo.objects.filter(pk=int(pk)).select_related("namespace").first()
        found.add(badge_rules.owner_of(repo) if repo else None)
    elif kind == "user" and pk.isdigit():
        found.add(int(pk))
    if event.kind in WHOLE and "comment" not in event.payload:
        found |= _speakers(event)
    if "case" in event.payload:
        found |= set(Report.objects.filter(case=event.payload["case"]).values_list("reporter_id", flat=True)[:MANY])
    if "claim" in event.payload:
        found |= set(BadgeClaim.objects.filter(pk=event.payload["claim"]).values_list("user_id", flat=True))
    numbers = {person for person in found if isinstance(person, int)}
    return User.objects.filter(pk__in=numbers, is_active=True).values_list("pk", flat=True)


def _speakers(event: Event) -> set[int | None]:
    """Return who spoke in a topic, and in the one into which its posts were brought."""
    facts = event.payload
    topics = [facts.get("topic"), facts.get("into"), facts.get("to") if event.kind == "topic.split" else None]
    posts = Post.objects.filter(topic__in=[pk for pk in topics if pk])
    return set(posts.order_by().values_list("author", flat=True).distinct()[:MANY])
