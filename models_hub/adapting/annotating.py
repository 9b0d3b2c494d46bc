"""People answer the rows of a queue, one after the other: who gets which row, and what the answers come to.

A row is handed to one person at a time. Each answer is a row of its own at once, so that nothing is lost on the way.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import Count, F, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from models_hub.models import Annotation, AnnotationQueue, AnnotationRow
from portal.errors import Conflict, InvalidInput, NotFound
from portal.models import User

HELD_FOR = timedelta(minutes=10)
State = AnnotationRow.State


class RowTaken(Conflict):
    """Somebody else has the row before them, or has answered it."""

    code = "row_taken"


def take(queue: AnnotationQueue, *, by: User) -> AnnotationRow | None:
    """Hand the person the next row, the same until it is answered; None where none is left for them."""
    now = timezone.now()
    answered = Annotation.objects.filter(queue=queue, by=by).values("row")
    with transaction.atomic():
        rows = AnnotationRow.objects.filter(queue=queue, state=State.OPEN).exclude(pk__in=answered)
        mine = rows.filter(holder=by).order_by("position").first()
        free = rows.filter(answers__lt=F("needed")).filter(Q(holder=None) | Q(held_until__lte=now))
        row = mine or free.order_by("position").select_for_update(skip_locked=True).first()
        return None if row is None else _hold(row, by)


def _hold(row: AnnotationRow, by: User, *, saw_guess: bool | None = None) -> AnnotationRow:
    is_new = row.holder_id != by.pk
    row.saw_guess = saw_guess if saw_guess is not None else row.saw_guess and not is_new
    row.holder, row.held_until = by, timezone.now() + HELD_FOR
    row.save(update_fields=("holder", "held_until", "saw_guess"))
    return row


def reveal(queue: AnnotationQueue, position: int, *, by: User) -> AnnotationRow:
    """Note that the person wished to see the model’s guess before an answer; returns the row."""
    with transaction.atomic():
        row = _row(queue, position)
        if row.holder_id != by.pk:
            raise RowTaken(_("Another row is yours at the moment."))
        return _hold(row, by, saw_guess=True)


def answer(queue: AnnotationQueue, position: int, value: Any, *, by: User) -> Annotation:
    """Store what the person says of a row, None to pass it over; an answer of their own may be changed.

    Raises InvalidInput for no proper answer, RowTaken where the row is somebody else’s meanwhile.
    """
    with transaction.atomic():
        row = _row(queue, position)
        given = Annotation.objects.filter(row=row, by=by).first()
        _require_free(row, given, by)
        said = {} if value is None else {"value": checked(queue, row, value)}
        if given is None:
            saw = row.saw_guess and row.holder_id == by.pk
            given = Annotation.objects.create(row=row, queue=queue, by=by, value=said, saw_guess=saw)
        else:
            # Whoever answered was shown the guess after that.
            given.value, given.saw_guess = said, given.saw_guess or bool(row.guess)
            given.save(update_fields=("value", "saw_guess"))
        if row.holder_id == by.pk:
            row.holder = row.held_until = None
            row.saw_guess = False
        settle(row)
    return given


def _require_free(row: AnnotationRow, given: Annotation | None, by: User) -> None:
    if row.is_written:
        raise RowTaken(_("The answer of this row is in the data set already."))
    is_held = row.held_until is not None and row.held_until > timezone.now()
    if given is None and row.holder_id != by.pk and (is_held or row.answers >= row.needed):
        raise RowTaken(_("Somebody else has this row now. Your answer was not stored; go on with the next one."))


def undo(queue: AnnotationQueue, *, by: User) -> AnnotationRow:
    """Take the person’s last answer back and hand them its row again; raises NotFound where there is none."""
    with transaction.atomic():
        given = Annotation.objects.filter(queue=queue, by=by).select_related("row").order_by("-id").first()
        if given is None:
            raise NotFound(_("There is no answer of yours to take back."))
        row = _row(queue, given.row.position)
        if row.is_written:
            raise RowTaken(_("The answer of this row is in the data set already."))
        given.delete()
        AnnotationRow.objects.filter(queue=queue, holder=by).update(holder=None, held_until=None, saw_guess=False)
        row.saw_guess = given.saw_guess or (bool(row.guess) and not given.is_skip)
        settle(row)
        return _hold(row, by, saw_guess=row.saw_guess)


def decide(queue: AnnotationQueue, position: int, value: Any) -> AnnotationRow:
    """Let the owner say what is right where people said different things."""
    with transaction.atomic():
        row = _row(queue, position)
        if row.state != State.DISPUTED:
            raise InvalidInput(_("People do not disagree about this row."))
        row.settled, row.state = {"value": checked(queue, row, value)}, State.SETTLED
        row.save(update_fields=("settled", "state"))
        return row


def settle(row: AnnotationRow) -> None:
    """Count the answers of a row, and say what they come to."""
    said = [given.value["value"] for given in row.given.all() if not given.is_skip]
    row.answers, row.settled, row.state = len(said), {}, State.OPEN
    if said and len(said) >= row.needed:
        agree = len({_key(value) for value in said}) == 1
        row.state = State.SETTLED if agree else State.DISPUTED
        row.settled = {"value": said[0]} if agree else {}
    row.save(update_fields=("answers", "settled", "state", "holder", "held_until", "saw_guess"))


def checked(queue: AnnotationQueue, row: AnnotationRow, value: Any) -> Any:
    """Return an answer in the form that the file gets; raises InvalidInput."""
    known = set(queue.labels)
    if queue.has_tags:
        words = row.question["tokens"]
        if not isinstance(value, list) or len(value) != len(words) or not all(_is_known(one, known) for one in value):
            raise InvalidInput(_("Give each word one of the tags."), data={"field": "value"})
        return _begun(value)
    if queue.has_several:
        if not isinstance(value, list) or not all(_is_known(one, known) for one in value):
            raise InvalidInput(_("Choose labels of this queue."), data={"field": "value"})
        return [label for label in queue.labels if label in value]
    if not _is_known(value, known):
        raise InvalidInput(_("Choose a label of this queue."), data={"field": "value"})
    return value


def _is_known(value: Any, known: set[str]) -> bool:
    return isinstance(value, str) and value in known


def _begun(tags: Sequence[str]) -> list[str]:
    """Return tags of which each name begins with B-: what follows nothing of its type begins there."""
    found: list[str] = []
    for tag in tags:
        prefix, _dash, kind = tag.partition("-")
        before = found[-1].partition("-")[2] if found else ""
        found.append(f"B-{kind}" if prefix == "I" and kind and before != kind else tag)
    return found


def _row(queue: AnnotationQueue, position: int) -> AnnotationRow:
    row = AnnotationRow.objects.select_for_update().filter(queue=queue, position=position).first()
    if row is None:
        raise NotFound(_("The queue has no row %(number)d.") % {"number": position})
    return row


@dataclass(frozen=True)
class Progress:
    """How far a queue is, for all and for one of its people."""

    total: int
    settled: int
    disputed: int
    written: int
    mine: int
    passed: int

    @property
    def share(self) -> float:
        """Which part of the rows is answered, those included that people disagree about."""
        return (self.settled + self.disputed) / self.total if self.total else 0.0

    @property
    def open(self) -> int:
        """How many rows want an answer."""
        return self.total - self.settled - self.disputed


def progress(queue: AnnotationQueue, by: User) -> Progress:
    """Count the rows of a queue; two queries."""
    counted = queue.rows.aggregate(
        total=Count("pk"),
        settled=Count("pk", filter=Q(state=State.SETTLED)),
        disputed=Count("pk", filter=Q(state=State.DISPUTED)),
        written=Count("pk", filter=Q(is_written=True)),
    )
    own = Annotation.objects.filter(queue=queue, by=by).aggregate(
        mine=Count("pk", filter=~Q(value={})), passed=Count("pk", filter=Q(value={}))
    )
    return Progress(**counted, **own)


@dataclass(frozen=True)
class Agreement:
    """How often people who answered the same row said the same, and how much of that is more than chance."""

    rows: int
    same: int
    alpha: float | None  # Krippendorff’s, of answers taken as wholes; None where all answers are one

    @property
    def share(self) -> float:
        """Which part of the rows was answered alike."""
        return self.same / self.rows


def agreement(queue: AnnotationQueue) -> Agreement | None:
    """Compare the answers of rows that several people answered; None where there is none."""
    said: dict[int, list[str]] = defaultdict(list)
    answers = Annotation.objects.filter(queue=queue, row__answers__gte=2).exclude(value={})
    for row, value in answers.values_list("row", "value"):
        said[row].append(_key(value["value"]))
    rows = [values for values in said.values() if len(values) > 1]
    if not rows:
        return None
    return Agreement(len(rows), sum(len(set(values)) == 1 for values in rows), _alpha(rows))


def _alpha(rows: list[list[str]]) -> float | None:
    """Return Krippendorff’s alpha of nominal answers: one less the disagreement found over that of chance."""
    totals = Counter(value for values in rows for value in values)
    everything = sum(totals.values())
    expected = 1 - sum(n * (n - 1) for n in totals.values()) / (everything * (everything - 1))
    if not expected:
        return None
    apart = sum(sum(n * (len(values) - n) for n in Counter(values).values()) / (len(values) - 1) for values in rows)
    return 1 - apart / everything / expected


def by_person(queue: AnnotationQueue) -> list[Any]:
    """Return who gave how many answers, and how many of them after a look at the guess."""
    rows = Annotation.objects.filter(queue=queue).values("by__username")
    return list(
        rows.annotate(
            given=Count("pk", filter=~Q(value={})),
            passed=Count("pk", filter=Q(value={})),
            after_guess=Count("pk", filter=Q(saw_guess=True) & ~Q(value={})),
        ).order_by("-given", "by__username")
    )


def disputes(queue: AnnotationQueue, limit: int = 50) -> list[AnnotationRow]:
    """Return rows that people disagree about, each with its answers."""
    rows = queue.rows.filter(state=State.DISPUTED, is_written=False).order_by("position")
    return list(rows.prefetch_related("given__by")[:limit])


def agrees_with_guess(queue: AnnotationQueue) -> tuple[int, int]:
    """Return of how many settled rows the model guessed right, and of how many it guessed."""
    rows = queue.rows.filter(state=State.SETTLED).exclude(guess={}).values_list("settled", "guess")
    pairs = [(settled.get("value"), guess.get("value")) for settled, guess in rows]
    return sum(_key(one) == _key(other) for one, other in pairs), len(pairs)


def _key(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)
