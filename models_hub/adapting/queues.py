"""Queues of rows that people answer: asked for here, filled by a worker, written back by another job."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from models_hub import browsing, permissions, proposing
from models_hub.adapting import allowance, asking, bases, registry, reports
from models_hub.browsing import Entry
from models_hub.models import DEFAULT_BRANCH, AnnotationQueue, AnnotationRow, Commit, Repo
from portal.errors import InvalidInput, NotAllowed, NotFound, QuotaExceeded, SignInRequired
from portal.models import Asker, Event, Job, User

PICK, WRITE = "pick_rows", "write_labels"
SUBJECT = "annotation_queue"
ENDINGS = (".jsonl", ".ndjson", ".csv")
# Kinds of tasks whose rows a person can answer by a key, and the head that a model needs for each.
HEADS = {
    "text-classification": "ForSequenceClassification",
    "text-pair-classification": "ForSequenceClassification",
    "multi-label-classification": "ForSequenceClassification",
    "token-classification": "ForTokenClassification",
}
MAX_COUNT = 1000
MAX_LABELS = 200
MAX_PEOPLE = 50
MAX_QUEUES = 200  # of one person
OUTSIDE = "O"


@dataclass(frozen=True, kw_only=True)
class QueueWish:
    """What somebody wants to have labelled."""

    task: str
    data: str  # owner/name
    path: str
    base: str = ""  # owner/name of a model that says where it is unsure; empty for rows that differ most
    base_revision: str = DEFAULT_BRANCH
    fields: dict[str, str] = field(default_factory=dict)
    labels: list[str] = field(default_factory=list)
    order: str = ""
    count: int = 100
    twice: float = 0.0
    people: list[str] = field(default_factory=list)  # names of those who help
    title: str = ""
    seed: int = 0


def ask(wish: QueueWish, *, by: Asker) -> AnnotationQueue:
    """Ask for a queue; a worker fills it. Raises NotFound, NotAllowed, InvalidInput or QuotaExceeded."""
    if not isinstance(by, User):
        raise SignInRequired(_("Sign in to go on."))
    _check_shape(wish)
    data = asking.readable(by, Repo.Kind.DATASET, wish.data)
    commit = browsing.resolve_revision(data, DEFAULT_BRANCH)
    _check_file(data, commit, wish.path)
    base = base_commit = None
    if wish.base:
        base = asking.readable(by, Repo.Kind.MODEL, wish.base)
        base_commit = browsing.resolve_revision(base, wish.base_revision)
        _check_base(base, base_commit, wish.task)
    people = people_of(data, wish.people, owner=by)
    with transaction.atomic():
        allowance.require(by, 0)
        if AnnotationQueue.objects.filter(owner=by).count() >= MAX_QUEUES:
            raise QuotaExceeded(
                _("You have %(max)d queues of rows to label. Remove one that is done first.") % {"max": MAX_QUEUES}
            )
        queue = AnnotationQueue.objects.create(
            owner=by,
            title=wish.title or f"{wish.data} · {wish.path}"[:200],
            data=data,
            data_commit=commit.oid,
            path=wish.path,
            task=wish.task,
            fields=wish.fields,
            labels=wish.labels or (_labels_of(base, base_commit) if base and base_commit else []),
            base=base,
            base_commit=base_commit.oid if base_commit else "",
            order=_order(wish),
            count=wish.count,
            twice=wish.twice,
            seed=wish.seed,
        )
        queue.people.set(people)
        queue.job = Job.enqueue(
            PICK,
            spec={
                "queue": queue.pk,
                "reads": [repo.pk for repo in (data, base) if repo is not None],
                "url": queue.get_absolute_url(),
            },
            owner=by,
            title=queue.title,
        )
        queue.save(update_fields=("job",))
    return queue


def find(queue_id: int, reader: Asker) -> AnnotationQueue:
    """Return a queue that the reader may see; raises NotFound for any other, GatedRepo where its rows are closed."""
    queue = AnnotationQueue.objects.visible_to(reader).shown().filter(pk=queue_id).first()
    if queue is None:
        raise NotFound(
            _("There is no queue %(number)d, or you may not see it.") % {"number": queue_id}, code="queue_not_found"
        )
    permissions.require_download(reader, queue.data)
    return queue


def own(queue_id: int, user: User) -> AnnotationQueue:
    """Return a queue of the user’s own; raises NotAllowed for one that the user only helps with."""
    queue = find(queue_id, user)
    if queue.owner_id != user.pk:
        raise NotAllowed(_("Only its owner may do that with a queue."))
    return queue


def filled(
    queue: AnnotationQueue, *, job: Job, rows: Sequence[Mapping[str, Any]], labels: list[str], report: dict[str, Any]
) -> None:
    """Take the rows that a worker chose, and end its job; LeaseLost when the job is no longer the caller’s."""
    with transaction.atomic():
        row = AnnotationQueue.objects.select_for_update().filter(pk=queue.pk, filled_at=None).first()
        if row is None:
            raise NotFound(_("The queue was deleted while its rows were chosen."), code="gone")
        AnnotationRow.objects.bulk_create(
            AnnotationRow(
                queue=row,
                position=position,
                line=found["line"],
                question=found["question"],
                guess=reports.bounded(found.get("guess") or {}),
                doubt=found.get("doubt"),
                needed=2 if int((position + 1) * row.twice) > int(position * row.twice) else 1,
            )
            for position, found in enumerate(rows)
        )
        row.labels, row.report, row.filled_at = labels, reports.bounded(report), Now()
        row.save(update_fields=("labels", "report", "filled_at"))
        _tell(row, set(row.people.values_list("pk", flat=True)))
        job.finish({"page": queue.get_absolute_url()})


def share(queue: AnnotationQueue, names: Sequence[str]) -> None:
    """Let these people, and no others, help with the queue; who is new is told, once there are rows."""
    people = people_of(queue.data, names, owner=queue.owner)
    with transaction.atomic():
        row = AnnotationQueue.objects.select_for_update().get(pk=queue.pk)
        before = set(row.people.values_list("pk", flat=True))
        row.people.set(people)
        if row.filled_at is not None:
            _tell(row, {user.pk for user in people} - before)


def _tell(queue: AnnotationQueue, people: set[int]) -> None:
    if people:
        Event.record(f"{SUBJECT}.shared", subject=f"{SUBJECT}:{queue.pk}", by=queue.owner, people=sorted(people))


def people_of(data: Repo, names: Sequence[str], *, owner: User) -> list[User]:
    """Return the people with these names; raises InvalidInput for one who cannot read the data set."""
    wanted = list(dict.fromkeys(name.strip().removeprefix("@") for name in names if name.strip()))
    if len(wanted) > MAX_PEOPLE:
        raise InvalidInput(_("At most %(max)d people can share a queue.") % {"max": MAX_PEOPLE})
    found = []
    for name in wanted:
        user = User.objects.named(name).filter(is_active=True).first()
        if user is None:
            raise InvalidInput(_("There is nobody called “%(name)s”.") % {"name": name[:100]}, data={"field": "people"})
        sees = Repo.objects.visible_to(user).select_related("namespace", "restriction").filter(pk=data.pk).first()
        if sees is None or not permissions.can_download(user, sees):
            raise InvalidInput(
                _("%(name)s cannot read the data set. Let them in first.") % {"name": user.username},
                data={"field": "people"},
            )
        if user.pk != owner.pk:
            found.append(user)
    return found


def write(queue: AnnotationQueue, *, by: User, as_pull: bool = False) -> Job:
    """Have what is settled written into the file, as a commit or a pull request; a worker does."""
    if queue.owner_id != by.pk:
        raise NotAllowed(_("Only its owner may do that with a queue."))
    if as_pull:
        proposing.require_proposer(by, queue.data)
    elif not permissions.can_write(by, queue.data):
        raise NotAllowed(_("You may not write to this data set. Open a pull request instead."))
    with transaction.atomic():
        row = AnnotationQueue.objects.select_for_update(of=("self",)).select_related("writing").get(pk=queue.pk)
        if row.writing is not None and not row.writing.is_finished:
            raise InvalidInput(_("Answers of this queue are being written already."), code="busy")
        if not ready(row):
            raise InvalidInput(_("There is no settled answer that was not written yet."), code="nothing_to_write")
        row.writing = Job.enqueue(
            WRITE,
            spec={
                "queue": row.pk,
                "as_pull": as_pull,
                "reads": [queue.data_id],
                "url": queue.get_absolute_url(),
            },
            owner=by,
            title=queue.title,
            queue="light",
            needs={"store": True},
        )
        row.save(update_fields=("writing",))
    queue.writing = row.writing
    return row.writing


def ready(queue: AnnotationQueue) -> int:
    """Return how many settled answers wait to be written."""
    return queue.rows.filter(state=AnnotationRow.State.SETTLED, is_written=False).count()


def _order(wish: QueueWish) -> str:
    if not wish.base:
        return str(AnnotationQueue.Order.SPREAD)
    return wish.order or str(AnnotationQueue.Order.MARGIN)


def _check_shape(wish: QueueWish) -> None:
    if wish.task not in HEADS:
        raise InvalidInput(
            _("%(name)s: must be one of: %(choices)s") % {"name": "task", "choices": ", ".join(HEADS)},
            data={"field": "task"},
        )
    columns = {role.removesuffix("?") for role in registry.find_task(wish.task).columns}
    if unknown := sorted(set(wish.fields) - columns):
        raise InvalidInput(_("There is no such field: %(names)s.") % {"names": ", ".join(unknown)[:200]})
    if not 1 <= wish.count <= MAX_COUNT:
        raise InvalidInput(_("A queue has 1 to %(max)d rows.") % {"max": MAX_COUNT}, data={"field": "count"})
    if not 0 <= wish.twice <= 1:
        raise InvalidInput(_("The share that is asked twice must be 0 to 1."), data={"field": "twice"})
    if wish.order and (wish.order not in AnnotationQueue.Order.values or bool(wish.base) == (wish.order == "spread")):
        raise InvalidInput(
            _("Rows are chosen by “margin” or “entropy” with a model, by “spread” without one."),
            data={"field": "order"},
        )
    _check_labels(wish)


def _check_labels(wish: QueueWish) -> None:
    labels = wish.labels
    if labels and (len(labels) < 2 or len(labels) > MAX_LABELS or len(set(labels)) != len(labels)):
        raise InvalidInput(
            _("Name 2 to %(max)d different labels, or none to take those of the model or the rows.")
            % {"max": MAX_LABELS},
            data={"field": "labels"},
        )
    if any(not label.strip() or len(label) > 256 for label in labels):
        raise InvalidInput(_("A label must have 1 to 256 characters."), data={"field": "labels"})
    if wish.task == "token-classification" and labels and OUTSIDE not in labels:
        raise InvalidInput(
            _("Tags must hold O, the tag of words outside every name, and B- and I- with the types."),
            data={"field": "labels"},
        )


def _check_file(data: Repo, commit: Commit, path: str) -> Entry:
    if not path.lower().endswith(ENDINGS):
        raise InvalidInput(
            _("%(path)s: rows are labelled in files that end in %(endings)s.")
            % {"path": path[:200], "endings": ", ".join(ENDINGS)},
            data={"field": "path"},
        )
    asking.check_files(data, commit, {"train": path})
    return browsing.find(data, commit, path)


def _check_base(base: Repo, commit: Commit, task: str) -> None:
    config = bases.config_of(base, commit)
    bases.require_weights(base, commit, needs_tokenizer=True)
    names = bases.heads_of(config)
    if names and not any(name.endswith(HEADS[task]) for name in names):
        raise InvalidInput(
            _("%(model)s cannot answer this kind of task: it has no head for it. Train one first.")
            % {"model": base.full_name},
            code="unsupported_architecture",
        )


def _labels_of(base: Repo, commit: Commit) -> list[str]:
    """Return the labels of a model by their numbers, none where it has no names for them."""
    names = bases.config_of(base, commit).get("id2label")
    if not isinstance(names, dict) or not 2 <= len(names) <= MAX_LABELS:
        return []
    ordered = [names.get(str(number)) for number in range(len(names))]
    return [name for name in ordered if isinstance(name, str) and 0 < len(name) <= 256] if all(ordered) else []
