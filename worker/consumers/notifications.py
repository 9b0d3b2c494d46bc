"""What happens becomes rows in inboxes. Of one post each person hears once, by the strongest reason.

Everything is written in the transaction that marks the event as delivered; a second call for an event adds nothing.
"""

from collections.abc import Callable, Iterable

from forum.models import Post, Reaction, Topic
from leaderboard.models import Challenge, Evaluation, TeamMember
from models_hub.hearing import keepers
from models_hub.models import AnnotationQueue, Run, Study
from portal.models import Event, Job, Membership, Namespace, Notice, Notification, User
from portal.notification_kinds import CHALLENGES
from portal.notifying import count_anew, notify, withdraw
from worker.telling import tell_watchers, telling_of

# Jobs that are part of looking at a page, or whose end is told in another way.
QUIET_JOBS = {
    "deliver_webhook",
    "compare_tensors",
    "read_table",
    "measure_overlap",
    "mark_posts",
    "tell_watchers",
    "evaluate",
    "search",
}
MANY = 1000  # topics of a repository whose readers count anew


def tell(event: Event) -> None:
    """Tell those whom the event concerns, then those who watch."""
    told = CONCERNED[event.kind](event) if event.kind in CONCERNED else set()
    if telling_of(event) is not None:
        tell_watchers(event, told)


def _posted(event: Event) -> set[int]:
    """Whom a post names, answers and quotes; of an opening one also who keeps the repository."""
    post = _shown_post(event)
    if post is None:
        return set()
    facts = event.payload
    reasons: list[tuple[str, Iterable[int | None]]] = [
        ("mention", facts.get("mentions", [])),
        ("reply", [facts.get("replied")]),
        ("quote", facts.get("quotes", [])),
    ]
    if event.kind == "discussion.opened" and post.topic.repo is not None:
        own = "pull_request" if post.topic.is_pull_request else "discussion"
        reasons.insert(1, (own, keepers(post.topic.repo)))
    elif event.kind.endswith(".commented"):
        reasons.insert(2, ("reply", [post.topic.author_id]))  # who began a topic takes every post for an answer
    told: set[int] = set()
    concerned: set[int] = set()
    for kind, people in reasons:
        named = {one for one in people if one}
        concerned |= named
        told |= _tell_of_post(kind, event, post, named - told)
    return concerned  # whoever wants to hear nothing of answers hears nothing of them as a watcher either


def _tell_of_post(kind: str, event: Event, post: Post, people: set[int]) -> set[int]:
    place = f"topic:{post.topic_id}"
    return notify(
        kind, people=people, about=f"post:{post.pk}", by=event.actor, data={"number": post.number}, place=place,
        group=f"{kind}:{place}" if kind == "reply" else f"{kind}:post:{post.pk}", event=event.pk,
    )  # fmt: skip


def _shown_post(event: Event) -> Post | None:
    """Return the post that the event tells of, unless it is out of sight or nobody said it."""
    if event.actor is None:
        return None
    rows = Post.objects.filter(hidden_at=None, held_at=None).select_related("topic__repo__namespace")
    facts = event.payload
    return rows.filter(pk=facts.get("post") or facts.get("comment") or 0).first()


def _edited(event: Event) -> set[int]:
    """Whom an edit names who was not told of the post before."""
    post, named = _shown_post(event), set(event.payload.get("mentions", []))
    if post is None or not named:
        return set()
    rows = Notification.objects.filter(user__in=named, place=f"topic:{post.topic_id}")
    known = {row.user_id for row in rows.only("user_id", "keys") if f"post:{post.pk}" in row.keys}
    return _tell_of_post("mention", event, post, named - known)


def _accepted(event: Event) -> set[int]:
    post = Post.objects.filter(pk=event.payload.get("post") or 0).select_related("topic").first()
    answerer = event.payload.get("answerer")
    if post is None or not answerer or event.actor is None:
        return set()
    return _tell_of_post("accepted", event, post, {answerer})


def _reacted(event: Event) -> set[int]:
    post = _shown_post(event)
    if post is None or post.author_id is None:
        return set()
    return _tell_of_post("reaction", event, post, {post.author_id})


def _unreacted(event: Event) -> set[int]:
    left = Reaction.objects.filter(post=event.payload.get("post") or 0, user=event.actor)
    if event.actor is not None and not left.exists():
        withdraw(group=f"reaction:post:{event.payload.get('post')}", by=event.actor)
    return set()


def _pull_request(event: Event) -> set[int]:
    """Tell whose pull request was reviewed or merged."""
    topic = Topic.objects.filter(pk=event.payload.get("topic") or 0).first()
    if topic is None or topic.author_id is None or event.actor is None:
        return set()
    kind = "merged" if event.kind == "discussion.merged" else "reviewed"
    place = f"topic:{topic.pk}"
    return notify(
        kind, people=[topic.author_id], about=place, by=event.actor, place=place, group=f"{kind}:{place}",
        data={"verdict": event.payload.get("verdict", "")}, event=event.pk,
    )  # fmt: skip


def _evaluated(event: Event) -> set[int]:
    found = _evaluation(event)
    if found is None or found.requested_by_id is None:
        return set()
    return notify(
        "evaluated", people=[found.requested_by_id], about=event.subject, by=None, group="evaluated",
        place=f"repo:{found.model_id}", event=event.pk,
    )  # fmt: skip


def _reproduced(event: Event) -> set[int]:
    """Tell whose result was found again, or was not: who asked for it first, and who keeps the model."""
    found = _evaluation(event)
    if found is None:
        return set()
    people = {*keepers(found.model)} | ({found.requested_by_id} if found.requested_by_id else set())
    told = notify(
        "reproduced", people=people, about=event.subject, by=event.actor, place=f"repo:{found.model_id}",
        data={"same": bool(event.payload.get("same"))}, event=event.pk,
    )  # fmt: skip
    if event.actor is not None:  # who asked for this run waits for it, too
        notify("evaluated", people=[event.actor], about=event.subject, by=None, group="evaluated", event=event.pk)
    return told


def _challenge(event: Event) -> set[int]:
    """Tell those who take part in a challenge, or whom alone it concerns."""
    what = event.kind.removeprefix("challenge.")
    challenge = Challenge.objects.filter(pk=int(event.subject.removeprefix("challenge:"))).first()
    if challenge is None:
        return set()
    organizer = {challenge.organizer_id} - {None}
    members = TeamMember.objects.filter(challenge=challenge)
    facts = event.payload
    if what in ("invited", "answered"):
        people = {facts.get("person")} - {None}
    elif what in ("approved", "refused", "objected"):
        people = organizer
    elif what in ("disqualified", "reinstated"):
        people = set(facts.get("people", []))
    else:
        people = {*members.values_list("user_id", flat=True), *organizer}
    return notify(
        "challenge", people=people, about=event.subject, by=event.actor if what == "invited" else None,
        data={"what": what}, group=f"challenge:{what}:{challenge.pk}", event=event.pk,
    )  # fmt: skip


def _evaluation(event: Event) -> Evaluation | None:
    rows = Evaluation.objects.select_related("model__namespace")
    return rows.filter(pk=int(event.subject.removeprefix("evaluation:"))).first()


def _job_ended(event: Event) -> set[int]:
    """Tell whose job ended. Those that fill pages end quietly, and evaluations have kinds of their own."""
    job = Job.objects.filter(pk=int(event.subject.removeprefix("job:"))).first()
    if job is None or job.owner_id is None:
        return set()
    failed = event.kind == "job.failed"
    if job.kind == "evaluate" and failed:
        return notify(
            "unevaluated", people=[job.owner_id], about=event.subject, by=None, group="unevaluated", event=event.pk
        )
    if job.kind in QUIET_JOBS or Run.objects.filter(job=job, study__isnull=False).exists():
        return set()
    data = {"failed": failed, "kind": job.kind}
    return notify("job", people=[job.owner_id], about=event.subject, by=None, data=data, event=event.pk)


def _searched(event: Event) -> set[int]:
    study = Study.objects.filter(pk=int(event.subject.removeprefix("study:"))).first()
    if study is None:
        return set()
    data = {"failed": False, "kind": "search"}
    return notify("job", people=[study.owner_id], about=event.subject, by=None, data=data, event=event.pk)


def _invited(event: Event) -> set[int]:
    person = User.objects.filter(username=event.payload.get("member", "")).first()
    if person is None:
        return set()
    return notify(
        "invitation", people=[person], about=event.subject, by=event.actor, data={"path": "/settings/organizations"},
        group=f"invitation:{event.subject}", event=event.pk,
    )  # fmt: skip


def _asked_to_label(event: Event) -> set[int]:
    """Tell those who were named as helpers of a queue, once there are rows for them."""
    queue = AnnotationQueue.objects.filter(pk=int(event.subject.removeprefix("annotation_queue:"))).first()
    if queue is None:
        return set()
    people = queue.people.filter(pk__in=event.payload.get("people", []))
    return notify(
        "labelling", people=people, about=event.subject, by=event.actor, place=f"repo:{queue.data_id}",
        group=f"labelling:{queue.pk}", event=event.pk,
    )  # fmt: skip


def _followed(event: Event) -> set[int]:
    namespace = Namespace.objects.filter(pk=int(event.subject.removeprefix("namespace:"))).first()
    if namespace is None or event.actor is None:
        return set()
    if namespace.user_id is not None:
        people = [namespace.user_id]
    else:
        admins = Membership.objects.filter(organization=namespace.organization_id, role=Membership.Role.ADMIN)
        people = list(admins.values_list("user", flat=True))
    return notify(
        "follow", people=people, about=f"user:{event.actor.pk}", by=event.actor, group=f"follow:{namespace.pk}",
        data={"several": f"/{namespace.name}?tab=followers"}, event=event.pk,
    )  # fmt: skip


def _unfollowed(event: Event) -> set[int]:
    if event.actor is not None:
        withdraw(group=f"follow:{event.subject.removeprefix('namespace:')}", by=event.actor)
    return set()


def _badge(event: Event) -> set[int]:
    facts = event.payload
    if facts.get("quiet"):
        return set()
    data = {"badge": facts["badge"], "tier": facts["tier"], "path": f"/badges/{facts['badge']}"}
    return notify("badge", people=[int(facts["user"])], about="", by=None, data=data, event=event.pk)


def _trust(event: Event) -> set[int]:
    facts = event.payload
    data = {"before": facts["before"], "after": facts["after"], "path": "/trust"}
    return notify("trust", people=[int(facts["user"])], about="", by=None, data=data, group="trust", event=event.pk)


def _notice(event: Event) -> set[int]:
    facts = event.payload
    known = {name: facts.get(name, "") for name in ("action", "reason", "machine")}
    data = known | _of_notice(int(facts["notice"]))
    return notify("moderation", people=[int(facts["person"])], about="", by=None, data=data, event=event.pk)


def _appeal(event: Event) -> set[int]:
    facts = event.payload
    data = {"status": facts.get("status", ""), **_of_notice(int(facts["notice"]))}
    return notify("appeal", people=[int(facts["person"])], about="", by=None, data=data, event=event.pk)


def _of_notice(pk: int) -> dict[str, object]:
    """Return where a notice is, and what it calls the thing: its reader may not see that by now."""
    found = Notice.objects.select_related("decision__case").filter(pk=pk).first()
    case = found.decision.case if found else None
    title = case.title if found and case and case.about == found.decision.about else ""
    return {"notice": pk, "title": title, "path": f"/appeals/{pk}"}


def _seen_otherwise(event: Event) -> set[int]:
    """Let those count anew who have something unread of what is seen by others than before, or is gone."""
    places = {event.subject}
    if topic := event.payload.get("topic"):
        places.add(f"topic:{topic}")
    if event.subject.startswith("repo:") and event.kind.startswith("repo."):
        topics = Topic.objects.filter(repo=int(event.subject.removeprefix("repo:"))).values_list("pk", flat=True)
        places |= {f"topic:{pk}" for pk in topics.order_by("-pk")[:MANY]}
    count_anew(places)
    return set()


CONCERNED: dict[str, Callable[[Event], set[int]]] = {
    "topic.opened": _posted,
    "topic.commented": _posted,
    "topic.edited": _edited,
    "topic.accepted": _accepted,
    "topic.hidden": _seen_otherwise,
    "topic.shown": _seen_otherwise,
    "topic.moved": _seen_otherwise,
    "topic.deleted": _seen_otherwise,
    "discussion.opened": _posted,
    "discussion.commented": _posted,
    "discussion.edited": _edited,
    "discussion.hidden": _seen_otherwise,
    "discussion.shown": _seen_otherwise,
    "discussion.reviewed": _pull_request,
    "discussion.merged": _pull_request,
    "post.reacted": _reacted,
    "post.unreacted": _unreacted,
    "evaluation.completed": _evaluated,
    **dict.fromkeys((f"challenge.{what}" for what in CHALLENGES), _challenge),
    "evaluation.reproduced": _reproduced,
    "job.succeeded": _job_ended,
    "job.failed": _job_ended,
    "study.finished": _searched,
    "organization.invited": _invited,
    "annotation_queue.shared": _asked_to_label,
    "namespace.followed": _followed,
    "namespace.unfollowed": _unfollowed,
    "badge.granted": _badge,
    "trust.changed": _trust,
    "notice.sent": _notice,
    "appeal.decided": _appeal,
    "repo.visibility_changed": _seen_otherwise,
    "repo.deleted": _seen_otherwise,
    "repo.restored": _seen_otherwise,
    "repo.access_revoked": _seen_otherwise,
}
# Of these only those hear who watch.
NEWS = ("repo.committed", "repo.released", "repo.moved")
HEARD = (*CONCERNED, *NEWS)
