"""What belongs to people: every column that points at a person or at a name, and what becomes of its rows.

One list for the two ways in which an account ends: it is deleted, or it becomes part of another. Each app names its own
columns; a test fails for a column that is not named here.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from typing import Any

from django.apps import apps
from django.db import IntegrityError, models, transaction
from django.utils.functional import Promise

from portal.models import Namespace, User

BATCH = 200


class Merging(Enum):
    """What becomes of a row when its person becomes part of another."""

    MOVE = "move"  # it is the other person's; where the other has the same already, the two become one
    END = "end"  # it ends with the account


class Deleting(Enum):
    """What becomes of a row when its person is deleted."""

    GO = "go"
    STAY = "stay"  # without a name


@dataclass(frozen=True)
class Belonging:
    """One column. `join` folds a row into the twin that stands for both; `changed` counts anew what a batch concerned.

    `unwanted` says of a row that it would join a person with itself; `also` are other columns that name the person;
    `mover` hands over rows that belong together, in the place of all this, and says how many.
    """

    model: str
    field: str
    merging: Merging
    deleting: Deleting
    title: str | Promise = ""  # under which a preview counts such rows
    join: Callable[[Any, Any], None] | None = None
    unwanted: Callable[[Any, int], bool] | None = None
    also: Callable[[int | None], dict[str, Any]] | None = None
    changed: Callable[[Sequence[Any]], None] | None = None
    mover: Callable[[int, int], int] | None = None

    @property
    def key(self) -> str:
        return f"{self.model}.{self.field}"

    @cached_property
    def rows(self) -> models.QuerySet[Any]:
        """All rows of its table; never looked through itself, only narrowed."""
        rows: models.QuerySet[Any] = apps.get_model(self.model)._base_manager.all()
        return rows

    @cached_property
    def of_names(self) -> bool:
        """Whether it points at a name, not at a person."""
        return self.rows.model._meta.get_field(self.field).related_model is Namespace

    @cached_property
    def uniques(self) -> list[list[str]]:
        """The other columns of each constraint by which a person has a row once."""
        meta = self.rows.model._meta
        fields = [tuple(one.fields) for one in meta.constraints if isinstance(one, models.UniqueConstraint)]
        fields += [tuple(one) for one in meta.unique_together]
        fields += [(self.field,)] if meta.get_field(self.field).unique else []
        return [[name for name in one if name != self.field] for one in fields if self.field in one]


_belongings: dict[str, Belonging] = {}
Obstacle = Callable[[User, User], Iterable[str]]
_obstacles: list[Obstacle] = []


def register(*found: Belonging) -> None:
    _belongings.update({one.key: one for one in found})


def register_obstacle(obstacle: Obstacle) -> None:
    """Let `obstacle` say why an account cannot become part of another yet."""
    if obstacle not in _obstacles:
        _obstacles.append(obstacle)


def registered() -> list[Belonging]:
    return list(_belongings.values())


def moved(*columns: str, title: str | Promise = "", deleting: Deleting = Deleting.GO, **more: Any) -> list[Belonging]:
    """Return belongings that move as a whole, from "app.Model.field"."""
    return [_of(column, Merging.MOVE, deleting, title, **more) for column in columns]


def signed(*columns: str, title: str | Promise = "", **more: Any) -> list[Belonging]:
    """Return belongings that only say who did something: they move, and stay without a name."""
    return [_of(column, Merging.MOVE, Deleting.STAY, title, **more) for column in columns]


def ended(*columns: str, **more: Any) -> list[Belonging]:
    """Return belongings that end with the account: ways to sign in, and what is computed anew."""
    return [_of(column, Merging.END, Deleting.GO, "", **more) for column in columns]


def _of(column: str, merging: Merging, deleting: Deleting, title: str | Promise, **more: Any) -> Belonging:
    model, _dot, field = column.rpartition(".")
    return Belonging(model, field, merging, deleting, title, **more)


def preview(source: User) -> list[tuple[str, int]]:
    """Count what would move, under the titles that readers know."""
    counts: dict[str, int] = {}
    for one in registered():
        if one.title and one.merging is Merging.MOVE:
            owner = source.namespace.pk if one.of_names else source.pk
            counts[str(one.title)] = counts.get(str(one.title), 0) + one.rows.filter(**{one.field: owner}).count()
    return [(title, count) for title, count in counts.items() if count]


def obstacles(source: User, target: User) -> list[str]:
    """Return why the one cannot become part of the other yet, in the reader's language."""
    return [why for obstacle in _obstacles for why in obstacle(source, target)]


def move_batch(one: Belonging, source: int, target: int) -> int:
    """Hand over some rows, in the caller's transaction; returns how many, 0 when none is left."""
    if one.mover is not None:
        return one.mover(source, target)
    rows = list(one.rows.filter(**{one.field: source}).order_by("pk")[:BATCH])
    if not rows:
        return 0
    if one.merging is Merging.END:
        one.rows.filter(pk__in=[row.pk for row in rows]).delete()
    elif one.uniques or one.unwanted:
        for row in rows:
            _move(one, row, target)
    else:
        one.rows.filter(pk__in=[row.pk for row in rows]).update(**_columns(one, target))
    if one.changed is not None:
        one.changed(rows)
    return len(rows)


def remove_batch(one: Belonging, person: int) -> int:
    """Remove some rows, or the person's name from them, in the caller's transaction; returns how many."""
    rows = list(one.rows.filter(**{one.field: person}).order_by("pk")[:BATCH])
    if not rows:
        return 0
    batch = one.rows.filter(pk__in=[row.pk for row in rows])
    if one.deleting is Deleting.GO:
        batch.delete()
    else:
        batch.update(**_columns(one, None))
    if one.changed is not None:
        one.changed(rows)
    return len(rows)


def _columns(one: Belonging, person: int | None) -> dict[str, Any]:
    return {one.field: person} | (one.also(person) if one.also else {})


def _move(one: Belonging, row: Any, target: int) -> None:
    """Hand over one row, or let its twin stand for both."""
    here = one.rows.filter(pk=row.pk)
    if one.unwanted is not None and one.unwanted(row, target):
        here.delete()
        return
    try:
        with transaction.atomic():
            here.update(**_columns(one, target))
    except IntegrityError:
        twin = _twin(one, row, target)
        if twin is not None and one.join is not None:
            one.join(row, twin)
        here.delete()


def _twin(one: Belonging, row: Any, target: int) -> Any:
    """Return the row of the target that is the same by a constraint."""
    for names in one.uniques:
        same = {name: getattr(row, row._meta.get_field(name).attname) for name in names}
        twin = one.rows.filter(**same, **{one.field: target}).first()
        if twin is not None:
            return twin
    return None
