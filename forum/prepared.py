"""Questions to the database that are put together once and asked again with other numbers.

Django puts a query together anew each time: of a page of the forum that takes more time than the database does. What is
asked is the same for many readers but for a few numbers, keys of rows; these come into the places of slots.
"""

from collections.abc import Callable, Hashable, Sequence
from copy import copy
from typing import Any, Generic, TypeVar

from django.db import connections
from django.db.models import QuerySet
from django.db.models.sql.compiler import SQLCompiler

Row = TypeVar("Row")
# Numbers that stand for those to come: they fit into every column of whole numbers, and nothing else is one of them.
SLOTS = tuple(2_147_480_000 + 7 * place for place in range(120))


class Prepared(Generic[Row]):
    """A query of several shapes; `make` returns one for a shape, with slots where numbers will be.

    Nothing else in it may change from one time to the next: no present time, no setting.
    """

    def __init__(self, make: Callable[..., QuerySet[Any, Row]]) -> None:
        self._make = make
        self._ready: dict[Hashable, tuple[QuerySet[Any, Row], SQLCompiler, str, tuple[Any, ...]]] = {}

    def __call__(self, shape: Hashable, *numbers: int) -> list[Row]:
        """Ask for the rows of a shape with these numbers, as many as the shape has slots."""
        found = self._ready.get((shape, len(numbers))) or self._prepare(shape, len(numbers))
        rows, compiler, sql, given = found
        asked = rows.all()
        ready = copy(compiler)
        ready.connection = connections[asked.db]
        ready.query = asked.query
        filled = tuple(numbers[one] if type(one) is _Place else one for one in given)
        ready.as_sql = lambda *_args, **_more: (sql, filled)  # type: ignore[method-assign]
        asked.query.get_compiler = lambda *_args, **_more: ready  # type: ignore[method-assign]
        return list(asked)

    def _prepare(self, shape: Hashable, count: int) -> tuple[QuerySet[Any, Row], SQLCompiler, str, tuple[Any, ...]]:
        if count > len(SLOTS):
            raise ValueError("There are not so many slots.")
        rows = self._make(shape, *SLOTS[:count])
        compiler = rows.query.get_compiler(rows.db)
        sql, given = compiler.as_sql()
        places = {slot: _Place(place) for place, slot in enumerate(SLOTS[:count])}
        found = rows, compiler, sql, tuple(places.get(one, one) if isinstance(one, int) else one for one in given)
        self._ready[shape, count] = found
        return found


class _Place(int):
    """Which of the numbers comes here."""


def padded(keys: list[int], sizes: Sequence[int] = (4, 12, 25, 50, 100)) -> list[int]:
    """Return keys with the last one repeated, so that there are few shapes of `IN`."""
    size = next((size for size in sizes if size >= len(keys)), len(keys))
    return [*keys, *([keys[-1]] * (size - len(keys)))]
